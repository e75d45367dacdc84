//go:build cgo

package cpu

import "mmc4/kernels"

// Supports is true of every op; only statistics, scalars and sums over rows that are not fp32 are left out.
func (d *Device) Supports(op kernels.Op) bool {
	for _, t := range statistics(op) {
		if !t.None() && t.DType != kernels.F32 {
			return false
		}
	}
	return true
}

// statistics lists the tensors that the device reads and writes as fp32.
func statistics(op kernels.Op) []kernels.Tensor {
	switch op := op.(type) {
	case *kernels.LayerNorm:
		return []kernels.Tensor{op.Mean, op.RStd}
	case *kernels.RMSNorm:
		return []kernels.Tensor{op.RStd}
	case *kernels.LayerNormBackward:
		return []kernels.Tensor{op.Mean, op.RStd}
	case *kernels.Attention:
		return []kernels.Tensor{op.LSE, op.Slopes}
	case *kernels.AttentionBackward:
		return statistics(op.Forward)
	case *kernels.ScaleBy:
		return []kernels.Tensor{op.S}
	case *kernels.ScaleByBackward:
		return []kernels.Tensor{op.S, op.DS.T}
	case *kernels.TanhGate:
		return []kernels.Tensor{op.Gate}
	case *kernels.TanhGateBackward:
		return []kernels.Tensor{op.Gate, op.DGate.T}
	case *kernels.CrossEntropy:
		return []kernels.Tensor{op.LSE, op.Loss}
	case *kernels.CrossEntropyBackward:
		return []kernels.Tensor{op.LSE, op.Loss, op.DLoss}
	case *kernels.AdamW:
		return []kernels.Tensor{op.Scale, op.Hyper}
	case *kernels.StepGuard:
		return []kernels.Tensor{op.Found, op.Table, op.Hyper}
	case *kernels.SumSquares:
		return []kernels.Tensor{op.Out}
	}
	return nil
}
