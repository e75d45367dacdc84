package kernels

// AdamW updates one parameter: decoupled weight decay, bias correction, as torch.optim.AdamW (amsgrad off).
//
//	g = Grad * GradScale;  W -= LR*Decay*W;  M = B1 M + (1-B1) g;  V = B2 V + (1-B2) g^2
//	W -= LR / (1-B1^Step) * M / (sqrt(V) / sqrt(1-B2^Step) + Eps)
//
// The hyperparameters live on the device, so that a recorded step can be replayed with others.
type AdamW struct {
	W, M, V Tensor // fp32, any shape
	Grad    Tensor // fp32 or bf16
	Copy    Tensor // bf16: the updated W rounded, or none
	Scale   Tensor // fp32 [1]: GradScale, or none
	// Hyper is fp32 [7]: LR, B1, B2, Eps, Decay, 1-B1^Step, 1-B2^Step.
	Hyper Tensor
}

func (*AdamW) Name() string { return "adamw" }

func (op *AdamW) Check() error {
	c := checker{op: "adamw"}
	c.dense("W", op.W)
	c.like("M", op.M, op.W)
	c.like("V", op.V, op.W)
	c.like("Grad", op.Grad, op.W)
	c.need(op.W.DType == F32 && op.M.DType == F32 && op.V.DType == F32 || c.not("W, M and V must be fp32"))
	if !op.Copy.None() {
		c.like("Copy", op.Copy, op.W)
	}
	if !op.Scale.None() {
		c.denseLen("Scale", op.Scale, 1)
	}
	c.denseLen("Hyper", op.Hyper, 7)
	return c.err
}

// SumSquares is Out[0] = sum of X^2 over all tensors: the square of a gradient's global norm. The order of summation is
// fixed by the tensors' sizes alone.
type SumSquares struct {
	Xs  []Tensor
	Out Tensor // fp32 [1]
}

func (*SumSquares) Name() string { return "sum_squares" }

func (op *SumSquares) Check() error {
	c := checker{op: "sum_squares"}
	for _, x := range op.Xs {
		c.dense("X", x)
	}
	c.denseLen("Out", op.Out, 1)
	return c.err
}

// ClipScale is Out[0] = min(1, Max / (sqrt(SumSq[0]) + 1e-6)): the factor of torch.nn.utils.clip_grad_norm_.
type ClipScale struct {
	SumSq Tensor // fp32 [1]
	Max   float32
	Out   Tensor // fp32 [1]
}

func (*ClipScale) Name() string { return "clip_scale" }

func (op *ClipScale) Check() error {
	c := checker{op: "clip_scale"}
	c.denseLen("SumSq", op.SumSq, 1)
	c.denseLen("Out", op.Out, 1)
	return c.err
}
