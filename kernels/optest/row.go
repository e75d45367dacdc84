package optest

import (
	"math"
	"slices"

	"mmc4/kernels"
)

// Row is an op and its backward op.
type Row struct {
	Op string // Name of the forward op
	// Outputs names the tensor fields that the op writes (Grads always are).
	Outputs []string
	// Make makes a random instance.
	Make func(g *Gen) kernels.Op

	// Backward makes the backward op of an instance that has been run: dOut is the gradient of the first of Outputs, and
	// grad says where the gradient of an input goes (fields of Wrt). Nil if there is no backward op.
	Backward func(f kernels.Op, dOut kernels.Tensor, grad func(input string) kernels.Grad) kernels.Op
	Wrt      []string
	// WeightGrads are those of Wrt that are weights: their gradients are fp32. RowGrads may be weights or activations.
	WeightGrads, RowGrads []string

	// Tame keeps odd values out of the backward op: where a hidden element meets a NaN, 0 * NaN is not defined.
	Tame bool

	// Floor is what an output's largest element counts as at least: for gradients that cancel to nothing in many instances.
	// Errors below it count absolutely, so it is a weaker test: keep it small.
	Floor float64
	// Tolerance of fp32 outputs, relative to the largest element of a tensor; 0 means 1e-5. Rounded is that of outputs
	// when bf16 is in play; 0 means 1e-2.
	Tolerance, Rounded float64

	// Speed lists instances of true sizes.
	Speed []SpeedCase
}

// SpeedCase is an instance that is worth timing.
type SpeedCase struct {
	Name string
	Make func(g *Gen) kernels.Op
}

// Rows is the table.
var Rows = slices.Concat(matMulRows, normRows, attentionRows, elementwiseRows, lossRows, imageRows, optimRows)

// BackwardOp is the name of the row's backward op, "" if there is none.
func (r *Row) BackwardOp() string {
	if r.Backward == nil {
		return ""
	}
	g := NewGen(FP32, 1)
	g.Small = true
	op, err := r.makeBackward(g)
	if err != nil {
		return ""
	}
	return op.Name()
}

// Instances are a random instance and, if there is one, its backward op.
func (r *Row) Instances(mode Mode, seed uint64) []kernels.Op {
	ops := []kernels.Op{r.Make(NewGen(mode, seed))}
	if r.Backward != nil {
		if op, err := r.makeBackward(NewGen(mode, seed)); err == nil {
			ops = append(ops, op)
		}
	}
	return ops
}

// makeBackward makes a forward instance, runs it on ref, and makes its backward op.
func (r *Row) makeBackward(g *Gen) (kernels.Op, error) {
	g.poked, g.backward = g.poked || r.Tame, true
	f := r.Make(g)
	if err := g.run(f); err != nil {
		return nil, err
	}
	op, _ := r.backwardOf(g, f, func(string) bool { return g.Small || !g.Chance(20) })
	return op, nil
}

// backwardOf makes the backward op of a forward instance that was run, with the gradients that want asks for, at least one.
func (r *Row) backwardOf(g *Gen, f kernels.Op, want func(input string) bool) (op kernels.Op, dOut kernels.Tensor) {
	named := map[string]kernels.Tensor{}
	for _, fd := range fields(f) {
		named[fd.name] = *fd.tensor
	}
	dOut = g.fill(g.raw(named[r.Outputs[0]].DType, named[r.Outputs[0]].Shape()...))
	g.Poke(dOut, NaN)
	any := false
	return r.Backward(f, dOut, func(input string) kernels.Grad {
		last := input == r.Wrt[len(r.Wrt)-1]
		if !want(input) && !(last && !any) {
			return kernels.Grad{}
		}
		any = true
		dtype := named[input].DType
		switch {
		case slices.Contains(r.WeightGrads, input):
			dtype = kernels.F32
		case slices.Contains(r.RowGrads, input):
			dtype = g.WeightType()
		case g.Mode == Mixed:
			dtype = g.ActType()
		}
		return g.grad(named[input], dtype)
	}), dOut
}

// outputs marks which fields of an op are written.
func (r *Row) outputs(op kernels.Op) []field {
	var list []field
	for _, f := range fields(op) {
		if f.grad || op.Name() == r.Op && slices.Contains(r.Outputs, f.name) {
			list = append(list, f)
		}
	}
	return list
}

// tolerance is what an output of a type may be off, relative to the largest element.
func (r *Row) tolerance(op kernels.Op, out kernels.Tensor) float64 {
	fp32, rounded := r.Tolerance, r.Rounded
	if fp32 == 0 {
		fp32 = 1e-5
	}
	if rounded == 0 {
		rounded = 1e-2
	}
	for _, f := range fields(op) {
		if f.tensor.DType == kernels.BF16 {
			return rounded
		}
	}
	return fp32
}

// difference is the largest |got - want| over the largest |want|, which counts as floor at least; infinite where one is NaN or
// infinite and the other is not the same.
func difference(got, want []float64, floor float64) float64 {
	var worst float64
	largest := max(floor, math.SmallestNonzeroFloat32)
	for i, w := range want {
		switch {
		case math.IsNaN(w) && math.IsNaN(got[i]), w == got[i]:
		case math.IsNaN(w), math.IsNaN(got[i]), math.IsInf(w, 0), math.IsInf(got[i], 0):
			return math.Inf(1)
		}
		if d := math.Abs(got[i] - w); d > worst && !math.IsInf(w, 0) {
			worst = d
		}
		if a := math.Abs(w); a > largest && !math.IsInf(w, 0) {
			largest = a
		}
	}
	if worst == 0 {
		return 0
	}
	return worst / largest
}
