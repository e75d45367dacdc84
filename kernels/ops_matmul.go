package kernels

// MatMul is Out = act(Alpha * op(A) op(B) + Bias) + Residual, a matrix product with a fused epilogue.
//
// A is [M,K] ([K,M] with TransA), B is [K,N] ([N,K] with TransB, the layout of a Linear weight), Out is [M,N]. Leading
// dimensions of A and Out are rows: [B,T,K] counts as M = B*T. Rows of A, B and Out may be strided.
//
// Types: A and Out fp32 or bf16. B fp32, bf16 or int8 with scales. When B is bf16, A is rounded to bf16 first. When B is
// int8 with TransB (a frozen weight), each row of A is rounded to int8 by QuantizeRow, and sums are int32. Without TransB
// (the gradient through that weight) B stands for the bf16 values nearest to element * scale. Other sums are fp32. B may be
// packed (Device.Pack), with TransB and without TransA.
type MatMul struct {
	A, B, Out      Tensor
	TransA, TransB bool
	Alpha          float32 // 0 means 1
	Bias           Tensor  // [N], or none
	Act            Activation
	Pre            Tensor // [M,N]: where to keep what Act was applied to, for its gradient; or none
	Residual       Tensor // [M,N], or none; may be Out itself
	Add            bool   // Out += instead of Out =; without Act, Bias and Residual
}

func (*MatMul) Name() string { return "matmul" }

// Sizes are the sides of the product.
func (op *MatMul) Sizes() (m, n, k int) {
	m, k = op.A.Rows(), op.A.Dim(-1)
	if op.TransA {
		m, k = k, m
	}
	n = op.Out.Dim(-1)
	return
}

func (op *MatMul) Check() error {
	c := checker{op: "matmul"}
	c.float("A", op.A)
	c.float("Out", op.Out)
	c.need(!op.B.None() || c.not("B is missing"))
	if c.err != nil {
		return c.err
	}
	c.need(op.A.Rank >= 2 && op.B.Rank == 2 && op.Out.Rank >= 2 || c.not("needs matrices: A %v, B %v, Out %v", op.A, op.B, op.Out))
	if c.err != nil {
		return c.err
	}
	m, n, k := op.Sizes()
	bk, bn := op.B.Dims[0], op.B.Dims[1]
	if op.TransB {
		bk, bn = bn, bk
	}
	c.need(bk == k && bn == n && op.Out.Rows() == m || c.not("A %v (transposed %v), B %v (transposed %v) and Out %v do not fit", op.A, op.TransA, op.B, op.TransB, op.Out))
	for _, t := range []Tensor{op.A, op.Out} {
		_, ok := t.RowStride()
		c.need(ok || c.not("%v has no single row stride", t))
	}
	switch op.B.DType {
	case F32, BF16:
	case I8:
		c.need(!op.TransA && op.B.Scales != nil && op.B.Contiguous() || c.not("int8 B must be contiguous, with scales, and A not transposed"))
	default:
		c.need(false || c.not("B is %v", op.B))
	}
	c.need(!op.B.Packed || op.TransB && !op.TransA || c.not("packed B needs TransB and no TransA"))
	if !op.Bias.None() {
		c.denseLen("Bias", op.Bias, n)
	}
	if !op.Pre.None() {
		c.denseLen("Pre", op.Pre, m*n)
	}
	if !op.Residual.None() {
		c.float("Residual", op.Residual)
		_, ok := op.Residual.RowStride()
		c.need(ok && op.Residual.Rows() == m && op.Residual.Dim(-1) == n || c.not("Residual %v does not match Out %v", op.Residual, op.Out))
	}
	c.need(!op.Add || op.Act == NoActivation && op.Bias.None() && op.Residual.None() || c.not("Add excludes bias, activation and residual"))
	return c.err
}

// SumRows is Out[n] = sum over rows of X[.., n]: the gradient of a bias or of anything repeated over rows.
type SumRows struct {
	X   Tensor // [.., N], rows may be strided
	Out Grad   // [N]
}

func (*SumRows) Name() string { return "sum_rows" }

func (op *SumRows) Check() error {
	c := checker{op: "sum_rows"}
	c.float("X", op.X)
	c.need(op.Out.Wanted() || c.not("Out is missing"))
	if c.err == nil {
		_, ok := op.X.RowStride()
		c.need(ok || c.not("X %v has no single row stride", op.X))
		c.denseLen("Out", op.Out.T, op.X.Dim(-1))
	}
	return c.err
}
