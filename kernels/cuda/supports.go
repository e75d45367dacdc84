//go:build cuda && cgo

package cuda

import "mmc4/kernels"

// mostFeatures is the widest head that the attention kernels have registers for.
const mostFeatures = 256

// Supports is true of every op but attention with heads wider than 256; statistics, scalars and sums over rows must be fp32.
func (d *Device) Supports(op kernels.Op) bool { return known(op) && computable(op) }

// computable reports whether a known op has widths and types that its kernels take.
func computable(op kernels.Op) bool {
	switch op := op.(type) {
	case *kernels.Attention:
		if op.Q.Dim(-1) > mostFeatures {
			return false
		}
	case *kernels.AttentionBackward:
		if op.Forward.Q.Dim(-1) > mostFeatures {
			return false
		}
	}
	for _, t := range statistics(op) {
		if !t.None() && t.DType != kernels.F32 {
			return false
		}
	}
	return true
}

// statistics lists the tensors that the kernels read and write as fp32.
func statistics(op kernels.Op) []kernels.Tensor {
	switch op := op.(type) {
	case *kernels.LayerNorm:
		return []kernels.Tensor{op.Mean, op.RStd}
	case *kernels.RMSNorm:
		return []kernels.Tensor{op.RStd}
	case *kernels.LayerNormBackward:
		return []kernels.Tensor{op.Mean, op.RStd}
	case *kernels.L2Norm:
		return []kernels.Tensor{op.Norm}
	case *kernels.L2NormBackward:
		return []kernels.Tensor{op.Norm}
	case *kernels.Attention:
		return []kernels.Tensor{op.LSE, op.Slopes}
	case *kernels.AttentionBackward:
		return statistics(op.Forward)
	case *kernels.CrossEntropy:
		return []kernels.Tensor{op.LSE, op.Loss}
	case *kernels.CrossEntropyBackward:
		return []kernels.Tensor{op.LSE, op.Loss, op.DLoss}
	case *kernels.AdamW:
		return []kernels.Tensor{op.Scale, op.Hyper}
	case *kernels.StepGuard:
		return []kernels.Tensor{op.Found, op.Table, op.Hyper}
	case *kernels.ClipScale:
		return []kernels.Tensor{op.SumSq, op.Out}
	}
	return nil
}
