//go:build cuda && cgo

package cuda

import (
	"fmt"

	"mmc4/kernels"
)

// known reports whether run knows an op.
func known(op kernels.Op) bool { return (&queue{}).find(op) != nil }

// run queues an op that was checked.
func (q *queue) run(op kernels.Op) {
	f := q.find(op)
	if f == nil {
		q.fail(fmt.Errorf("cuda: %s: %w", op.Name(), kernels.ErrUnsupported))
		return
	}
	f()
}

// find is how an op is queued, nil if it is not known. A new op is a line here, a function, and a kernel in src.
func (q *queue) find(op kernels.Op) func() {
	switch op := op.(type) {
	case *kernels.MatMul:
		return func() { q.matMul(op) }
	case *kernels.SumRows:
		return func() { q.sumRows(op) }
	case *kernels.LayerNorm:
		return func() { q.layerNorm(op) }
	case *kernels.LayerNormBackward:
		return func() { q.normBackward(op) }
	case *kernels.RMSNorm:
		return func() { q.rmsNorm(op) }
	case *kernels.L2Norm:
		return func() { q.l2Norm(op) }
	case *kernels.L2NormBackward:
		return func() { q.l2NormBackward(op) }
	case *kernels.Attention:
		return func() { q.attention(op) }
	case *kernels.AttentionBackward:
		return func() { q.attentionBackward(op) }
	case *kernels.Put:
		return func() { q.put(op) }
	case *kernels.Advance:
		return func() { q.advance(op) }
	case *kernels.Rotary:
		return func() { q.rotary(op) }
	case *kernels.Act:
		return func() { q.act(op) }
	case *kernels.ActBackward:
		return func() { q.actBackward(op) }
	case *kernels.GatedAct:
		return func() { q.gatedAct(op) }
	case *kernels.GatedActBackward:
		return func() { q.gatedActBackward(op) }
	case *kernels.Add:
		return func() { q.add(op) }
	case *kernels.Mul:
		return func() { q.mul(op) }
	case *kernels.ScaleBy:
		return func() { q.scaleBy(op) }
	case *kernels.ScaleByBackward:
		return func() { q.scaleByBackward(op) }
	case *kernels.TanhGate:
		return func() { q.tanhGate(op) }
	case *kernels.TanhGateBackward:
		return func() { q.tanhGateBackward(op) }
	case *kernels.Clamp:
		return func() { q.clamp(op) }
	case *kernels.ClampBackward:
		return func() { q.clampBackward(op) }
	case *kernels.Copy:
		return func() { q.copy(op) }
	case *kernels.Fill:
		return func() { q.fill(op) }
	case *kernels.Embedding:
		return func() { q.embedding(op) }
	case *kernels.EmbeddingBackward:
		return func() { q.embeddingBackward(op) }
	case *kernels.CrossEntropy:
		return func() { q.crossEntropy(op) }
	case *kernels.CrossEntropyBackward:
		return func() { q.crossEntropyBackward(op) }
	case *kernels.LogSoftmax:
		return func() { q.logSoftmax(op) }
	case *kernels.ArgMax:
		return func() { q.argMax(op) }
	case *kernels.NormalizePixels:
		return func() { q.normalizePixels(op) }
	case *kernels.Patchify:
		return func() { q.patchify(op) }
	case *kernels.AdamW:
		return func() { q.adamW(op) }
	case *kernels.StepGuard:
		return func() { q.stepGuard(op) }
	case *kernels.SumSquares:
		return func() { q.sumSquares(op) }
	case *kernels.ClipScale:
		return func() { q.clipScale(op) }
	}
	return nil
}
