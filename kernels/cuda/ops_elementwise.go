//go:build cuda && cgo

package cuda

import (
	"gorgonia.org/cu"

	"mmc4/kernels"
)

func (q *queue) act(op *kernels.Act) {
	n := op.X.Len()
	q.launch("act", q.d.over8(n), op.Kind, vecOf(op.X), vecOf(op.Out), n)
}

func (q *queue) actBackward(op *kernels.ActBackward) {
	if n := op.X.Len(); op.DX.Wanted() {
		q.launch("act_backward", q.d.over8(n), op.Kind, vecOf(op.X), vecOf(op.DOut), vecOf(op.DX.T), flag(op.DX.Add), n)
	}
}

func (q *queue) gatedAct(op *kernels.GatedAct) {
	rows, n := op.Gate.Rows(), op.Gate.Dim(-1)
	q.launch("gated_act", q.d.over(rows*up(n, 8)), op.Kind, vecOf(op.Gate), vecOf(op.Up), vecOf(op.Out), n, up(n, 8), rows)
}

func (q *queue) gatedActBackward(op *kernels.GatedActBackward) {
	rows, n := op.Gate.Rows(), op.Gate.Dim(-1)
	q.launch("gated_act_backward", q.d.over(rows*up(n, 8)), op.Kind, vecOf(op.Gate), vecOf(op.Up), vecOf(op.DOut),
		vecOf(op.DGate.T), flag(op.DGate.Add), vecOf(op.DUp.T), flag(op.DUp.Add), n, up(n, 8), rows)
}

func (q *queue) add(op *kernels.Add) {
	scale := op.Scale
	if scale == 0 {
		scale = 1
	}
	n := op.A.Len()
	q.launch("add", q.d.over8(n), vecOf(op.A), vecOf(op.B), vecOf(op.Out), scale, op.B.Len(), n)
}

func (q *queue) mul(op *kernels.Mul) {
	n := op.A.Len()
	q.launch("mul", q.d.over8(n), vecOf(op.A), vecOf(op.B), vecOf(op.Out), n)
}

func (q *queue) fill(op *kernels.Fill) {
	n := op.Dst.Len()
	q.launch("fill", q.d.over8(n), vecOf(op.Dst), op.Value, n)
}

func (q *queue) clamp(op *kernels.Clamp) {
	n := op.X.Len()
	q.launch("clamp", q.d.over8(n), vecOf(op.X), vecOf(op.Out), op.Min, op.Max, n)
}

func (q *queue) clampBackward(op *kernels.ClampBackward) {
	n := op.X.Len()
	q.launch("clamp_backward", q.d.over8(n), vecOf(op.X), vecOf(op.DOut), vecOf(op.DX.T), flag(op.DX.Add), op.Min, op.Max, n)
}

// How a scalar acts: the enums of elementwise.cu and sum.cu.
const (
	scalarPlain int32 = iota
	scalarExp
	scalarTanh
)

func howScaled(exp bool) int32 {
	if exp {
		return scalarExp
	}
	return scalarPlain
}

func (q *queue) scaleBy(op *kernels.ScaleBy) {
	n := op.X.Len()
	q.launch("scale_by", q.d.over8(n), vecOf(op.X), vecOf(op.S), howScaled(op.Exp), vecOf(op.Out), int32(0), n)
}

func (q *queue) scaleByBackward(op *kernels.ScaleByBackward) {
	if op.DS.Wanted() {
		q.dot(op.X, op.DOut, op.S, howScaled(op.Exp), op.DS)
	}
	if n := op.X.Len(); op.DX.Wanted() {
		q.launch("scale_by", q.d.over8(n), vecOf(op.DOut), vecOf(op.S), howScaled(op.Exp), vecOf(op.DX.T), flag(op.DX.Add), n)
	}
}

func (q *queue) tanhGate(op *kernels.TanhGate) {
	n := op.X.Len()
	q.launch("add_scaled", q.d.over8(n), vecOf(op.X), vecOf(op.Y), vecOf(op.Gate), scalarTanh, vecOf(op.Out), n)
}

func (q *queue) tanhGateBackward(op *kernels.TanhGateBackward) {
	if op.DGate.Wanted() {
		q.dot(op.Y, op.DOut, op.Gate, scalarTanh, op.DGate)
	}
	if n := op.Y.Len(); op.DY.Wanted() {
		q.launch("scale_by", q.d.over8(n), vecOf(op.DOut), vecOf(op.Gate), scalarTanh, vecOf(op.DY.T), flag(op.DY.Add), n)
	}
}

// piece is PIECE of many.cuh: how many elements a block takes.
const piece = 8192

// dot is the sum of all products of two tensors, times the derivative of a scalar's function.
func (q *queue) dot(x, y, s kernels.Tensor, how int32, out kernels.Grad) {
	n := x.Len()
	pieces := up(n, piece)
	part, err := q.scratchFor(8 * pieces)
	if err != nil {
		q.fail(err)
		return
	}
	q.launch("dot_pieces", rowsOf(pieces, piece), vecOf(x), vecOf(y), part, n)
	q.launch("dot_finish", rowsOf(1, piece), part, pieces, vecOf(s), how, vecOf(out.T), flag(out.Add))
}

// walk is struct Walk of copy.cu.
type walk struct{ dims, from, to [5]int64 }

// walkOf joins dimensions that lie behind one another on both sides, and puts ones before the rest.
func walkOf(src, dst kernels.Tensor) walk {
	w := walk{dims: [5]int64{1, 1, 1, 1, 1}}
	at := len(w.dims)
	for i := src.Rank - 1; i >= 0; i-- {
		n, from, to := int64(src.Dims[i]), int64(src.Strides[i]), int64(dst.Strides[i])
		if n == 1 {
			continue
		}
		if at < len(w.dims) && from == w.from[at]*w.dims[at] && to == w.to[at]*w.dims[at] {
			w.dims[at] *= n
			continue
		}
		at--
		w.dims[at], w.from[at], w.to[at] = n, from, to
	}
	return w
}

func (q *queue) copy(op *kernels.Copy) {
	n := op.Src.Len()
	if n == 0 {
		return
	}
	w := walkOf(op.Src, op.Dst)
	if op.Src.DType == op.Dst.DType && !op.Add {
		size := op.Src.DType.Size()
		by := w.widen(size, address(op.Src), address(op.Dst))
		q.launch("copy_bytes", q.d.over(n/by), address(op.Src), address(op.Dst), w, int32(size*by), n/by)
		return
	}
	if inner := len(w.dims) - 1; w.from[inner] == 1 && w.to[inner] == 1 && w.dims[inner]%8 == 0 {
		q.launch("copy_floats8", q.d.over8(n), vecOf(op.Src), vecOf(op.Dst), w, flag(op.Add), n)
		return
	}
	q.launch("copy_floats", q.d.over(n), vecOf(op.Src), vecOf(op.Dst), w, flag(op.Add), n)
}

// widen makes elements of 16 bytes of smaller ones if all of both sides lie so, and answers how many are one now.
func (w *walk) widen(size int, src, dst cu.DevicePtr) int {
	by, inner := int64(16/size), len(w.dims)-1
	fit := src%16 == 0 && dst%16 == 0 && w.from[inner] == 1 && w.to[inner] == 1 && w.dims[inner]%by == 0
	for i := range inner {
		fit = fit && w.from[i]%by == 0 && w.to[i]%by == 0
	}
	if !fit {
		return 1
	}
	w.dims[inner] /= by
	for i := range inner {
		w.from[i] /= by
		w.to[i] /= by
	}
	return int(by)
}

// channels is struct Channels of image.cu.
type channels struct{ mean, std [3]float32 }

func (q *queue) normalizePixels(op *kernels.NormalizePixels) {
	n := op.Out.Len()
	q.launch("normalize_pixels", q.d.over(n), address(op.X), vecOf(op.Out), channels{op.Mean, op.Std}, op.X.Dims[1]*op.X.Dims[2], n)
}

func (q *queue) patchify(op *kernels.Patchify) {
	n := op.Out.Len()
	q.launch("patchify", q.d.over(n), vecOf(op.X), vecOf(op.Out), op.X.Dims[1], op.X.Dims[2], op.X.Dims[3], op.Patch, n)
}

// scratchParts takes memory of an op's own, cut into fp32 parts of so many elements, 256-byte aligned.
func (q *queue) scratchParts(elements ...int) ([]cu.DevicePtr, bool) {
	bytes := 0
	for _, n := range elements {
		bytes += (4*n + 255) / 256 * 256
	}
	at, err := q.scratchFor(bytes)
	if err != nil {
		q.fail(err)
		return nil, false
	}
	parts := make([]cu.DevicePtr, len(elements))
	for i, n := range elements {
		parts[i] = at
		at += cu.DevicePtr((4*n + 255) / 256 * 256)
	}
	return parts, true
}
