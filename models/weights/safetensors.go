package weights

// Reading safetensors: 8 bytes header length (little-endian), a JSON header, the data.
// Format and rules: the safetensors README and its Rust reader (no holes, no overlaps, header at most 100 MB).

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"
)

const maxSafetensorsHeader = 100_000_000

// stored is one line of the header.
type stored struct {
	name       string
	dtype      DType
	shape      []int
	begin, end int64 // in the data part
}

func openSafetensors(src *source) (*File, error) {
	tensors, metadata, dataAt, err := readHeader(src)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src.name, err)
	}
	f := newFile(src.name)
	f.metadata = metadata
	f.sources = []*source{src}
	for _, t := range tensors {
		e := &entry{name: t.name, dtype: t.dtype, shape: t.shape}
		e.load = func() ([]byte, error) { return src.bytes(dataAt+t.begin, t.end-t.begin) }
		if err := f.add(e); err != nil {
			return nil, err
		}
	}
	return f.finish(), nil
}

func readHeader(src *source) (tensors []stored, metadata map[string]string, dataAt int64, err error) {
	if src.size < 8 {
		return nil, nil, 0, fmt.Errorf("%d bytes are too few for safetensors: the file is cut short; fetch it again", src.size)
	}
	first, err := src.bytes(0, 8)
	if err != nil {
		return nil, nil, 0, err
	}
	length := binary.LittleEndian.Uint64(first)
	if length > maxSafetensorsHeader {
		return nil, nil, 0, fmt.Errorf("a header of %d bytes is over the limit of %d: not safetensors, or damaged", length, maxSafetensorsHeader)
	}
	if int64(length) > src.size-8 {
		return nil, nil, 0, fmt.Errorf("the header should have %d bytes, but the file has %d: it is cut short; fetch it again", length, src.size)
	}
	header, err := src.bytes(8, int64(length))
	if err != nil {
		return nil, nil, 0, err
	}
	tensors, metadata, err = parseHeader(header)
	if err != nil {
		return nil, nil, 0, err
	}
	dataAt = 8 + int64(length)
	if err := checkLayout(tensors, src.size-dataAt); err != nil {
		return nil, nil, 0, err
	}
	return tensors, metadata, dataAt, nil
}

// checkLayout holds every tensor to its shape, and all of them to the data part: one after the other, nothing left over.
func checkLayout(tensors []stored, size int64) error {
	order := make([]int, len(tensors))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(a, b int) bool {
		x, y := &tensors[order[a]], &tensors[order[b]]
		if x.begin != y.begin {
			return x.begin < y.begin
		}
		return x.end < y.end
	})
	var at int64
	for _, i := range order {
		t := &tensors[i]
		if t.dtype.Size() == 0 {
			return fmt.Errorf("tensor %q has the unknown type %q", t.name, string(t.dtype))
		}
		n, ok := Elements(t.shape)
		if !ok || n > math.MaxInt/t.dtype.Size() {
			return fmt.Errorf("tensor %q: the shape %v is too large", t.name, t.shape)
		}
		if t.begin < 0 || t.end < t.begin || t.end > size {
			return fmt.Errorf("tensor %q lies at %d to %d of %d bytes of data: the file is cut short or damaged; fetch it again", t.name, t.begin, t.end, size)
		}
		if int64(n*t.dtype.Size()) != t.end-t.begin {
			return fmt.Errorf("tensor %q: %s %v needs %d bytes, the header gives it %d", t.name, t.dtype, t.shape, n*t.dtype.Size(), t.end-t.begin)
		}
		if t.begin < at {
			return fmt.Errorf("tensor %q overlaps the one before it", t.name)
		}
		if t.begin > at {
			return fmt.Errorf("there is a hole of %d bytes before tensor %q", t.begin-at, t.name)
		}
		at = t.end
	}
	if at != size {
		return fmt.Errorf("the tensors end at %d, but there are %d bytes of data", at, size)
	}
	return nil
}
