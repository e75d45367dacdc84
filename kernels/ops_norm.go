package kernels

// LayerNorm is Out = (X - mean) / sqrt(var + Eps) * W + B over the last dimension C, with the biased variance.
type LayerNorm struct {
	X, Out     Tensor // [.., C]
	W          Tensor // [C]
	B          Tensor // [C], or none (MPT has no norm biases)
	Eps        float32
	Mean, RStd Tensor // fp32 [rows]: kept for the gradient, or none
}

func (*LayerNorm) Name() string { return "layernorm" }

func (op *LayerNorm) Check() error {
	c := checker{op: "layernorm"}
	c.dense("X", op.X)
	if c.err == nil {
		c.like("Out", op.Out, op.X)
		c.denseLen("W", op.W, op.X.Dim(-1))
		if !op.B.None() {
			c.denseLen("B", op.B, op.X.Dim(-1))
		}
		if !op.Mean.None() {
			c.denseLen("Mean", op.Mean, op.X.Rows())
			c.denseLen("RStd", op.RStd, op.X.Rows())
		}
	}
	return c.err
}

// LayerNormBackward is the gradient of LayerNorm; RMSNorm's when Mean is none.
type LayerNormBackward struct {
	X, W       Tensor
	Mean, RStd Tensor // as kept by the forward op; Mean none: RMSNorm
	DOut       Tensor // [.., C]
	DX         Grad   // [.., C]
	DW, DB     Grad   // fp32 [C]
}

func (*LayerNormBackward) Name() string { return "layernorm_backward" }

func (op *LayerNormBackward) Check() error {
	c := checker{op: "layernorm_backward"}
	c.dense("X", op.X)
	if c.err == nil {
		c.denseLen("W", op.W, op.X.Dim(-1))
		c.denseLen("RStd", op.RStd, op.X.Rows())
		if !op.Mean.None() {
			c.denseLen("Mean", op.Mean, op.X.Rows())
		}
		c.like("DOut", op.DOut, op.X)
		c.grad("DX", op.DX, op.X)
		c.grad("DW", op.DW, op.W)
		c.grad("DB", op.DB, op.W)
	}
	return c.err
}

// RMSNorm is Out = X / sqrt(mean(X^2) + Eps) * W over the last dimension (LLaMA).
type RMSNorm struct {
	X, Out Tensor // [.., C]
	W      Tensor // [C]
	Eps    float32
	RStd   Tensor // fp32 [rows]: kept for the gradient, or none
}

func (*RMSNorm) Name() string { return "rmsnorm" }

func (op *RMSNorm) Check() error {
	c := checker{op: "rmsnorm"}
	c.dense("X", op.X)
	if c.err == nil {
		c.like("Out", op.Out, op.X)
		c.denseLen("W", op.W, op.X.Dim(-1))
		if !op.RStd.None() {
			c.denseLen("RStd", op.RStd, op.X.Rows())
		}
	}
	return c.err
}

// L2Norm is Out = X / |X| over the last dimension; a zero row stays zero.
type L2Norm struct {
	X, Out Tensor // [.., C]
	Norm   Tensor // fp32 [rows]: kept for the gradient, or none
}

func (*L2Norm) Name() string { return "l2norm" }

func (op *L2Norm) Check() error {
	c := checker{op: "l2norm"}
	c.dense("X", op.X)
	if c.err == nil {
		c.like("Out", op.Out, op.X)
		if !op.Norm.None() {
			c.denseLen("Norm", op.Norm, op.X.Rows())
		}
	}
	return c.err
}

// L2NormBackward is DX = (DOut - Out (Out . DOut)) / Norm; a row of zeros passes none.
type L2NormBackward struct {
	Out, Norm, DOut Tensor
	DX              Grad
}

func (*L2NormBackward) Name() string { return "l2norm_backward" }

func (op *L2NormBackward) Check() error {
	c := checker{op: "l2norm_backward"}
	c.dense("Out", op.Out)
	if c.err == nil {
		c.denseLen("Norm", op.Norm, op.Out.Rows())
		c.like("DOut", op.DOut, op.Out)
		c.need(op.DX.Wanted() || c.not("DX is missing"))
		c.grad("DX", op.DX, op.Out)
	}
	return c.err
}
