package kernels

// NormalizePixels is Out[n,c,y,x] = (X[n,y,x,c]/255 - Mean[c]) / Std[c]: packed RGB bytes to planes.
type NormalizePixels struct {
	X         Tensor // uint8 [N,H,W,3]
	Out       Tensor // [N,3,H,W]
	Mean, Std [3]float32
}

func (*NormalizePixels) Name() string { return "normalize_pixels" }

func (op *NormalizePixels) Check() error {
	c := checker{op: "normalize_pixels"}
	c.need(op.X.DType == U8 && op.X.Rank == 4 && op.X.Contiguous() && op.X.Dims[3] == 3 || c.not("X %v is not uint8 [N,H,W,3]", op.X))
	c.dense("Out", op.Out)
	if c.err == nil {
		x, o := op.X.Dims, op.Out.Dims
		c.need(op.Out.Rank == 4 && o[0] == x[0] && o[1] == 3 && o[2] == x[1] && o[3] == x[2] || c.not("Out %v does not match X %v", op.Out, op.X))
	}
	return c.err
}

// Patchify cuts images into patches in row order, so that a convolution of stride Patch is a MatMul with its weight
// seen as [C, 3*Patch*Patch]: Out[n, p, (c*Patch + dy)*Patch + dx] = X[n, c, y*Patch+dy, x*Patch+dx].
type Patchify struct {
	X     Tensor // [N,3,H,W]; H and W are cut to whole patches
	Out   Tensor // [N,P,3*Patch*Patch]
	Patch int
}

func (*Patchify) Name() string { return "patchify" }

func (op *Patchify) Check() error {
	c := checker{op: "patchify"}
	c.dense("X", op.X)
	c.dense("Out", op.Out)
	if c.err == nil {
		c.need(op.X.Rank == 4 && op.Patch > 0 || c.not("X %v must be [N,3,H,W]", op.X))
	}
	if c.err == nil {
		ch, gy, gx := op.X.Dims[1], op.X.Dims[2]/op.Patch, op.X.Dims[3]/op.Patch
		o := op.Out
		c.need(o.Rank == 3 && o.Dims[0] == op.X.Dims[0] && o.Dims[1] == gy*gx && o.Dims[2] == ch*op.Patch*op.Patch || c.not("Out %v does not match X %v in patches of %d", o, op.X, op.Patch))
	}
	return c.err
}
