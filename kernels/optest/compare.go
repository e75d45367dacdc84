package optest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"mmc4/kernels"
	"mmc4/kernels/ref"
)

// Report is what was found of one op in one mode.
type Report struct {
	Op      string
	Mode    Mode
	Cases   int     // instances that ran
	Skipped int     // instances that the device does not support
	Worst   float64 // largest error over tolerance
	Errs    []error // what failed, each with the seed that makes the instance again
}

// maxErrs bounds the failures that are kept of one report.
const maxErrs = 3

func (r *Report) fail(seed uint64, op kernels.Op, err error) {
	if len(r.Errs) < maxErrs {
		r.Errs = append(r.Errs, fmt.Errorf("%s %v, instance %d: %s: %w", r.Op, r.Mode, seed, Describe(op), err))
	}
}

// Describe is an op in words: its fields, tensors by type and shape.
func Describe(op kernels.Op) string {
	s := op.Name()
	for _, f := range fields(op) {
		s += fmt.Sprintf(" %s=%v", f.name, *f.tensor)
		if f.tensor.Off != 0 {
			s += fmt.Sprintf("@%d", f.tensor.Off)
		}
	}
	switch op := op.(type) {
	case *kernels.MatMul:
		s += fmt.Sprintf(" transA=%v transB=%v alpha=%v act=%v add=%v", op.TransA, op.TransB, op.Alpha, op.Act, op.Add)
	case *kernels.Attention:
		s += fmt.Sprintf(" causal=%v", op.Causal)
		if op.Media != nil {
			s += fmt.Sprintf(" media of %d, previous=%v", op.Media.KeysPerMedia, op.Media.Previous)
		}
	case *kernels.Act:
		s += fmt.Sprintf(" %v", op.Kind)
	case *kernels.ActBackward:
		s += fmt.Sprintf(" %v", op.Kind)
	}
	return s
}

// Compare runs instances of every row and its backward op on a device and on ref: rounds of each in every mode.
func Compare(dev kernels.Device, rows []Row, rounds int) []Report {
	var reports []Report
	for i := range rows {
		row := &rows[i]
		for _, mode := range []Mode{FP32, BF16, Mixed} {
			reports = append(reports, row.compare(dev, row.Op, mode, rounds, func(g *Gen) (kernels.Op, error) { return row.Make(g), nil }))
			if row.Backward != nil {
				reports = append(reports, row.compare(dev, row.Op+" backward", mode, rounds, row.makeBackward))
			}
		}
	}
	return reports
}

func (r *Row) compare(dev kernels.Device, name string, mode Mode, rounds int, makeOp func(g *Gen) (kernels.Op, error)) Report {
	report := Report{Op: name, Mode: mode}
	for seed := range uint64(rounds) {
		op, err := makeOp(NewGen(mode, seed))
		if err != nil {
			report.fail(seed, op, err)
			continue
		}
		if err := op.Check(); err != nil {
			report.fail(seed, op, err)
			continue
		}
		if !dev.Supports(op) {
			report.Skipped++
			if mode != Mixed {
				report.fail(seed, op, kernels.ErrUnsupported)
			}
			continue
		}
		report.Cases++
		worst, err := r.compareOne(dev, op)
		report.Worst = max(report.Worst, worst)
		if err != nil {
			report.fail(seed, op, err)
		}
	}
	return report
}

// compareOne runs one instance on both and returns the largest error over tolerance.
func (r *Row) compareOne(dev kernels.Device, op kernels.Op) (worst float64, err error) {
	oracle := ref.New()
	expected, _, err := runOn(oracle, op, false)
	if err != nil {
		return 0, fmt.Errorf("ref: %w", err)
	}
	pack := false
	if m, ok := op.(*kernels.MatMul); ok {
		pack = m.TransB && !m.TransA && m.B.Contiguous() && m.A.Len()%2 == 0 // about half of them
	}
	got, again, err := runOn(dev, op, pack)
	if err != nil {
		return 0, err
	}

	outputs := r.outputs(op)
	written := map[kernels.Buffer][]bool{}
	for _, b := range buffers(op) {
		written[b] = make([]bool, b.Bytes())
	}
	for _, f := range outputs {
		t := *f.tensor
		w, g := values(t, expected[t.Mem]), values(t, got[t.Mem])
		d := difference(g, w, r.Floor)
		if exact := t.DType != kernels.F32 && t.DType != kernels.BF16; exact && d > 0 {
			return math.Inf(1), fmt.Errorf("%s differs: %s", f.name, firstDifference(g, w))
		}
		tolerance := r.tolerance(op, t)
		if d > tolerance && furthest(g, w) <= roundingOf(op, f.name, w) {
			d = 0 // what is left of terms that cancel
		}
		worst = max(worst, d/tolerance)
		if d > tolerance {
			return worst, fmt.Errorf("%s is off by %.3g of its largest element, allowed %.3g: %s", f.name, d, tolerance, firstDifference(g, w))
		}
		size := t.DType.Size()
		elements(t, func(at int) {
			for i := range size {
				written[t.Mem][at*size+i] = true
			}
		})
	}
	for b, mask := range written {
		before, after := b.(kernels.HostBuffer).Host(), got[b]
		for i, w := range mask {
			if !w && before[i] != after[i] {
				return math.Inf(1), fmt.Errorf("byte %d of %d of a buffer was written, which is no output", i, len(mask))
			}
		}
		if !bytes.Equal(got[b], again[b]) {
			return math.Inf(1), fmt.Errorf("two runs gave different bits")
		}
	}
	return worst, nil
}

// roundingOf is how far fp32 rounding alone may take an output of an op whose terms can cancel to nothing, as the gradients of an
// attention's scores do where a query sees one key: some units of the last place of the terms, however small their sum is. Where all
// of an output is nothing and bf16 takes part, the terms are rounded to bf16 before they cancel, each on its own.
func roundingOf(op kernels.Op, output string, want []float64) float64 {
	a, ok := op.(*kernels.AttentionBackward)
	if !ok || !strings.HasPrefix(output, "DQ") && !strings.HasPrefix(output, "DK") {
		return 0
	}
	f := a.Forward
	terms, unit := math.Abs(float64(f.Scale))*float64(f.Q.Dims[3]), 0x1p-21
	if (f.Q.DType == kernels.BF16 || a.DOut.DType == kernels.BF16) && furthest(make([]float64, len(want)), want) < 1e-30 {
		unit = 0x1p-9 / math.Sqrt(float64(f.Q.Dims[3]))
	}
	for _, of := range [][]kernels.Tensor{{a.DOut}, {f.V, f.V2}, {f.Q, f.K, f.K2}} {
		most := 0.0
		for _, t := range of {
			if t.None() {
				continue
			}
			for _, v := range values(t, t.Mem.(kernels.HostBuffer).Host()) {
				if v = math.Abs(v); v > most && !math.IsInf(v, 0) {
					most = v
				}
			}
		}
		terms *= most
	}
	return unit * terms
}

// furthest is the largest |got - want|, NaN or infinite where one is and the other is not the same.
func furthest(got, want []float64) float64 {
	most := 0.0
	for i, w := range want {
		if got[i] == w || math.IsNaN(got[i]) && math.IsNaN(w) {
			continue
		}
		if d := math.Abs(got[i] - w); !(d <= most) {
			most = d
		}
		if math.IsNaN(most) {
			return most
		}
	}
	return most
}

// runOn runs an op on a device, twice from the same memory, and returns what its buffers hold afterwards.
func runOn(dev kernels.Device, op kernels.Op, pack bool) (first, second map[kernels.Buffer][]byte, err error) {
	q, err := dev.NewQueue()
	if err != nil {
		return nil, nil, err
	}
	if first, err = runOnce(dev, q, op, pack); err != nil {
		return nil, nil, err
	}
	second, err = runOnce(dev, q, op, pack)
	return first, second, err
}

func runOnce(dev kernels.Device, q kernels.Queue, op kernels.Op, pack bool) (map[kernels.Buffer][]byte, error) {
	p, err := place(dev, q, op)
	if err != nil {
		return nil, err
	}
	defer p.free()
	if pack {
		if err := q.Wait(); err != nil {
			return nil, err
		}
		m := p.ops[0].(*kernels.MatMul)
		if m.B, err = dev.Pack(m.B); err != nil {
			return nil, err
		}
	}
	q.Do(p.ops[0])
	contents := p.read(q)
	return contents, q.Wait()
}

// elements calls f with the place of every element in its buffer, in order.
func elements(t kernels.Tensor, f func(at int)) {
	var walk func(dim, at int)
	walk = func(dim, at int) {
		if dim == t.Rank {
			f(at)
			return
		}
		for i := range t.Dims[dim] {
			walk(dim+1, at+i*t.Strides[dim])
		}
	}
	walk(0, t.Off)
}

// values reads a tensor from its buffer's bytes.
func values(t kernels.Tensor, data []byte) []float64 {
	out := make([]float64, 0, t.Len())
	elements(t, func(at int) {
		var v float64
		switch t.DType {
		case kernels.F32:
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*at:])))
		case kernels.BF16:
			v = float64(kernels.FromBF16(binary.LittleEndian.Uint16(data[2*at:])))
		case kernels.I32:
			v = float64(int32(binary.LittleEndian.Uint32(data[4*at:])))
		case kernels.I8:
			v = float64(int8(data[at]))
		case kernels.U8:
			v = float64(data[at])
		}
		out = append(out, v)
	})
	return out
}

func firstDifference(got, want []float64) string {
	at, worst := 0, -1.0
	for i := range want {
		d := math.Abs(got[i] - want[i])
		if math.IsNaN(d) && !(math.IsNaN(got[i]) && math.IsNaN(want[i])) {
			at = i
			break
		}
		if d > worst {
			at, worst = i, d
		}
	}
	return fmt.Sprintf("element %d of %d is %v, want %v", at, len(want), got[at], want[at])
}
