package ref

import "mmc4/kernels"

// find is how an op is done, nil if it is not known. A new op is a line here and a function.
func find(op kernels.Op) func() {
	switch op := op.(type) {
	case *kernels.MatMul:
		return func() { matMul(op) }
	case *kernels.SumRows:
		return func() { sumRows(op) }
	case *kernels.LayerNorm:
		return func() { layerNorm(op) }
	case *kernels.LayerNormBackward:
		return func() { layerNormBackward(op) }
	case *kernels.RMSNorm:
		return func() { rmsNorm(op) }
	case *kernels.L2Norm:
		return func() { l2Norm(op) }
	case *kernels.L2NormBackward:
		return func() { l2NormBackward(op) }
	case *kernels.Attention:
		return func() { attention(op) }
	case *kernels.AttentionBackward:
		return func() { attentionBackward(op) }
	case *kernels.Put:
		return func() { put(op) }
	case *kernels.Advance:
		return func() { advance(op) }
	case *kernels.Rotary:
		return func() { rotary(op) }
	case *kernels.Act:
		return func() { act(op) }
	case *kernels.ActBackward:
		return func() { actBackward(op) }
	case *kernels.GatedAct:
		return func() { gatedAct(op) }
	case *kernels.GatedActBackward:
		return func() { gatedActBackward(op) }
	case *kernels.Add:
		return func() { add(op) }
	case *kernels.Mul:
		return func() { mul(op) }
	case *kernels.ScaleBy:
		return func() { scaleBy(op) }
	case *kernels.ScaleByBackward:
		return func() { scaleByBackward(op) }
	case *kernels.TanhGate:
		return func() { tanhGate(op) }
	case *kernels.TanhGateBackward:
		return func() { tanhGateBackward(op) }
	case *kernels.Clamp:
		return func() { clamp(op) }
	case *kernels.ClampBackward:
		return func() { clampBackward(op) }
	case *kernels.Copy:
		return func() { copyOp(op) }
	case *kernels.Fill:
		return func() { fill(op) }
	case *kernels.Embedding:
		return func() { embedding(op) }
	case *kernels.EmbeddingBackward:
		return func() { embeddingBackward(op) }
	case *kernels.CrossEntropy:
		return func() { crossEntropy(op) }
	case *kernels.CrossEntropyBackward:
		return func() { crossEntropyBackward(op) }
	case *kernels.LogSoftmax:
		return func() { logSoftmax(op) }
	case *kernels.ArgMax:
		return func() { argMax(op) }
	case *kernels.NormalizePixels:
		return func() { normalizePixels(op) }
	case *kernels.Patchify:
		return func() { patchify(op) }
	case *kernels.AdamW:
		return func() { adamW(op) }
	case *kernels.StepGuard:
		return func() { stepGuard(op) }
	case *kernels.SumSquares:
		return func() { sumSquares(op) }
	case *kernels.ClipScale:
		return func() { clipScale(op) }
	}
	return nil
}
