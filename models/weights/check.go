package weights

// The check for NaN and infinity (`--check`). Reads every floating-point tensor once.

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// CheckFinite looks at every floating-point number and names the tensors with NaN or infinity.
func (f *File) CheckFinite(ctx context.Context) error {
	var bad []string
	for _, name := range f.names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !f.entries[name].dtype.Float() {
			continue
		}
		t, err := f.Tensor(name)
		if err != nil {
			return err
		}
		if n, first := notFinite(t); n > 0 {
			bad = append(bad, fmt.Sprintf("%q (%d of %d elements, first at %d)", name, n, t.Len(), first))
		}
	}
	if len(bad) == 0 {
		return nil
	}
	more := ""
	if len(bad) > 10 {
		more, bad = fmt.Sprintf(" and %d more", len(bad)-10), bad[:10]
	}
	return fmt.Errorf("%s: NaN or infinity in %s%s: the model diverged in training or the file is damaged", f.Path, strings.Join(bad, ", "), more)
}

// notFinite counts NaN and infinities by their exponent bits.
func notFinite(t Tensor) (n, first int) {
	first = -1
	note := func(i int, bad bool) {
		if bad {
			if n == 0 {
				first = i
			}
			n++
		}
	}
	switch t.DType {
	case F64:
		for i := range t.Len() {
			note(i, binary.LittleEndian.Uint64(t.Data[8*i:])>>52&0x7ff == 0x7ff)
		}
	case F32:
		for i := range t.Len() {
			note(i, binary.LittleEndian.Uint32(t.Data[4*i:])>>23&0xff == 0xff)
		}
	case F16:
		for i := range t.Len() {
			note(i, binary.LittleEndian.Uint16(t.Data[2*i:])>>10&0x1f == 0x1f)
		}
	case BF16:
		for i := range t.Len() {
			note(i, binary.LittleEndian.Uint16(t.Data[2*i:])>>7&0xff == 0xff)
		}
	case F8E4M3, F8E5M2:
		bits := uint(4)
		if t.DType == F8E5M2 {
			bits = 5
		}
		for i, b := range t.Data {
			v := float64(float8(b, bits))
			note(i, math.IsNaN(v) || math.IsInf(v, 0))
		}
	}
	return n, first
}
