//go:build cuda && cgo

package cuda

import (
	"slices"

	"gorgonia.org/cu"

	"mmc4/kernels"
)

// The optimizer: many tensors a launch, which stand in its arguments.

// updates is struct Updates of optim.cu, update its Update.
type updates struct {
	count, _ int32
	of       [56]update // MANY_UPDATES
}

type update struct {
	w, m, v, grad, rounded uint64
	n                      int64
	end, kind              int32
	decay                  float32
	_                      int32
}

// squares is struct Squares of sum.cu, square its Square.
type squares struct {
	count, _ int32
	of       [128]square // MANY_SQUARES
}

type square struct {
	at        uint64
	n         int64
	end, kind int32
}

func (q *queue) adamW(op *kernels.AdamW) {
	for params := range slices.Chunk(op.Params, len(updates{}.of)) {
		all, pieces := updates{count: int32(len(params))}, 0
		for i := range params {
			p := &params[i]
			pieces += up(p.W.Len(), piece)
			all.of[i] = update{w: uint64(address(p.W)), m: uint64(address(p.M)), v: uint64(address(p.V)), grad: uint64(address(p.Grad)), rounded: uint64(address(p.Copy)),
				n: int64(p.W.Len()), end: int32(pieces), kind: int32(p.Grad.DType), decay: p.Decay}
		}
		q.launch("adamw", shape{grid: [3]int{pieces, 1, 1}, threads: threadsEach}, all, address(op.Scale), address(op.Hyper), address(op.Go))
	}
}

// sumSquares sums pieces, and then over all of them: the order depends on the tensors' sizes alone.
func (q *queue) sumSquares(op *kernels.SumSquares) {
	total := 0
	for _, x := range op.Xs {
		total += up(x.Len(), piece)
	}
	part, err := q.scratchFor(max(8*total, 8))
	if err != nil {
		q.fail(err)
		return
	}
	done := 0
	for xs := range slices.Chunk(op.Xs, len(squares{}.of)) {
		all, pieces := squares{count: int32(len(xs))}, 0
		for i, x := range xs {
			pieces += up(x.Len(), piece)
			all.of[i] = square{at: uint64(address(x)), n: int64(x.Len()), end: int32(pieces), kind: int32(x.DType)}
		}
		q.launch("squares_pieces", shape{grid: [3]int{pieces, 1, 1}, threads: threadsEach}, all, part+cu.DevicePtr(8*done))
		done += pieces
	}
	q.launch("dot_finish", rowsOf(1, piece), part, total, vec{}, scalarPlain, vecOf(op.Out), int32(0))
}

func (q *queue) stepGuard(op *kernels.StepGuard) {
	q.launch("step_guard", shape{grid: [3]int{1, 1, 1}, threads: 32}, address(op.Found), op.Found.Len(), address(op.Table), op.Table.Dims[0], op.First,
		address(op.Count), address(op.Hyper), address(op.Go))
}

func (q *queue) clipScale(op *kernels.ClipScale) {
	q.launch("clip_scale", shape{grid: [3]int{1, 1, 1}, threads: 32}, address(op.SumSq), op.Max, address(op.Out))
}
