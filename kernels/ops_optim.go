package kernels

// AdamW updates parameters: decoupled weight decay, bias correction, as torch.optim.AdamW (amsgrad off). For each of them
//
//	g = Grad * Scale;  W -= LR*Decay*W;  M = B1 M + (1-B1) g;  V = B2 V + (1-B2) g^2
//	W -= LR / (1-B1^Step) * M / (sqrt(V) / sqrt(1-B2^Step) + Eps)
//
// What changes from step to step lives on the device, so that a recorded step can be replayed and the host need not know it:
// the hyperparameters, the factor of the gradients, and whether there is a step at all. Where Go is 0 nothing is written.
type AdamW struct {
	Params []AdamWParam
	Scale  Tensor // fp32 [1], or none: 1
	Hyper  Tensor // fp32 [6]: LR, B1, B2, Eps, 1-B1^Step, 1-B2^Step
	Go     Tensor // int32 [1], or none: 1
}

// AdamWParam is a parameter with its moments.
type AdamWParam struct {
	W, M, V Tensor // fp32, any shape
	Grad    Tensor // fp32 or bf16
	Copy    Tensor // bf16: the updated W rounded, or none
	Decay   float32
}

func (*AdamW) Name() string { return "adamw" }

func (op *AdamW) Check() error {
	c := checker{op: "adamw"}
	for i := range op.Params {
		p := &op.Params[i]
		c.dense("W", p.W)
		c.like("M", p.M, p.W)
		c.like("V", p.V, p.W)
		c.like("Grad", p.Grad, p.W)
		c.need(p.W.DType == F32 && p.M.DType == F32 && p.V.DType == F32 || c.not("W, M and V must be fp32"))
		if !p.Copy.None() {
			c.like("Copy", p.Copy, p.W)
			c.need(p.Copy.DType == BF16 || c.not("Copy %v must be bf16", p.Copy))
		}
	}
	if !op.Scale.None() {
		c.denseLen("Scale", op.Scale, 1)
	}
	c.denseLen("Hyper", op.Hyper, HyperLen)
	if !op.Go.None() {
		c.ints("Go", op.Go, 1)
	}
	return c.err
}

// HyperLen is the number of AdamW's hyperparameters.
const HyperLen = 6

// StepGuard decides whether what a step found is to be learnt from, and how, so that the host need not look:
//
//	Go[0] = 1 if all of Found are finite and the table has a row Count[0] - First, else 0
//	Hyper = that row, zeros if there is none;  Count[0] += Go[0]
type StepGuard struct {
	Found Tensor // fp32 [n]: losses, the square of the gradient's norm
	Table Tensor // fp32 [R,6]: AdamW's Hyper when First, First+1.. updates were made
	First int
	Count Tensor // int32 [1]: updates made
	Hyper Tensor // fp32 [6]
	Go    Tensor // int32 [1]
}

func (*StepGuard) Name() string { return "step_guard" }

func (op *StepGuard) Check() error {
	c := checker{op: "step_guard"}
	c.dense("Found", op.Found)
	c.dense("Table", op.Table)
	c.need(op.Table.Rank == 2 && op.Table.Dim(-1) == HyperLen || c.not("Table %v is not [R,%d]", op.Table, HyperLen))
	c.ints("Count", op.Count, 1)
	c.denseLen("Hyper", op.Hyper, HyperLen)
	c.ints("Go", op.Go, 1)
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
