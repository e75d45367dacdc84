package kernels

// Act is Out = f(X), element by element. Out may be X.
type Act struct {
	Kind   Activation
	X, Out Tensor
}

func (*Act) Name() string { return "act" }

func (op *Act) Check() error {
	c := checker{op: "act"}
	c.dense("X", op.X)
	c.like("Out", op.Out, op.X)
	return c.err
}

// ActBackward is DX = f'(X) * DOut, X being what Act was applied to. DX may be DOut.
type ActBackward struct {
	Kind    Activation
	X, DOut Tensor
	DX      Grad
}

func (*ActBackward) Name() string { return "act_backward" }

func (op *ActBackward) Check() error {
	c := checker{op: "act_backward"}
	c.dense("X", op.X)
	c.like("DOut", op.DOut, op.X)
	c.need(op.DX.Wanted() || c.not("DX is missing"))
	c.grad("DX", op.DX, op.X)
	return c.err
}

// GatedAct is Out = f(Gate) * Up: SwiGLU with SiLU. Rows of Gate and Up may be strided (halves of one product).
type GatedAct struct {
	Kind     Activation
	Gate, Up Tensor // [.., C]
	Out      Tensor // [.., C] contiguous
}

func (*GatedAct) Name() string { return "gated_act" }

func (op *GatedAct) Check() error {
	c := checker{op: "gated_act"}
	checkGated(&c, op.Gate, op.Up)
	c.dense("Out", op.Out)
	c.need(op.Out.Len() == op.Gate.Len() || c.not("Out %v does not match Gate %v", op.Out, op.Gate))
	return c.err
}

func checkGated(c *checker, gate, up Tensor) {
	c.float("Gate", gate)
	c.float("Up", up)
	if c.err == nil {
		_, ok := gate.RowStride()
		_, ok2 := up.RowStride()
		c.need(ok && ok2 && gate.Len() == up.Len() && gate.Dim(-1) == up.Dim(-1) || c.not("Gate %v and Up %v do not fit", gate, up))
	}
}

// GatedActBackward is DGate = f'(Gate) * Up * DOut and DUp = f(Gate) * DOut; both may be strided like their inputs.
type GatedActBackward struct {
	Kind           Activation
	Gate, Up, DOut Tensor
	DGate, DUp     Grad
}

func (*GatedActBackward) Name() string { return "gated_act_backward" }

func (op *GatedActBackward) Check() error {
	c := checker{op: "gated_act_backward"}
	checkGated(&c, op.Gate, op.Up)
	c.dense("DOut", op.DOut)
	c.need(op.DOut.Len() == op.Gate.Len() || c.not("DOut %v does not match Gate %v", op.DOut, op.Gate))
	for _, g := range []Grad{op.DGate, op.DUp} {
		if g.Wanted() {
			c.float("gradient", g.T)
			_, ok := g.T.RowStride()
			c.need(ok && g.T.Len() == op.Gate.Len() && g.T.Dim(-1) == op.Gate.Dim(-1) || c.not("gradient %v does not match Gate %v", g.T, op.Gate))
		}
	}
	return c.err
}

// Add is Out = A + Scale*B. B may have fewer elements than A when they repeat over A's leading dimensions. Out may be A.
type Add struct {
	A, B, Out Tensor
	Scale     float32 // 0 means 1
}

func (*Add) Name() string { return "add" }

func (op *Add) Check() error {
	c := checker{op: "add"}
	c.dense("A", op.A)
	c.dense("B", op.B)
	c.like("Out", op.Out, op.A)
	c.need(op.B.Len() > 0 && op.A.Len()%op.B.Len() == 0 || c.not("B %v does not repeat over A %v", op.B, op.A))
	return c.err
}

// Mul is Out = A * B, element by element. Out may be A.
type Mul struct{ A, B, Out Tensor }

func (*Mul) Name() string { return "mul" }

func (op *Mul) Check() error {
	c := checker{op: "mul"}
	c.dense("A", op.A)
	c.like("B", op.B, op.A)
	c.like("Out", op.Out, op.A)
	return c.err
}

// ScaleBy is Out = X * f(S) with a scalar S on the device; f is the identity or exp. Out may be X.
type ScaleBy struct {
	X, Out Tensor
	S      Tensor // fp32 [1]
	Exp    bool
}

func (*ScaleBy) Name() string { return "scale_by" }

func (op *ScaleBy) Check() error {
	c := checker{op: "scale_by"}
	c.dense("X", op.X)
	c.like("Out", op.Out, op.X)
	c.denseLen("S", op.S, 1)
	return c.err
}

// ScaleByBackward is DX = f(S) DOut and DS = f'(S) sum(X DOut).
type ScaleByBackward struct {
	X, S, DOut Tensor
	Exp        bool
	DX, DS     Grad
}

func (*ScaleByBackward) Name() string { return "scale_by_backward" }

func (op *ScaleByBackward) Check() error {
	c := checker{op: "scale_by_backward"}
	c.dense("X", op.X)
	c.like("DOut", op.DOut, op.X)
	c.denseLen("S", op.S, 1)
	c.grad("DX", op.DX, op.X)
	c.grad("DS", op.DS, op.S)
	return c.err
}

// TanhGate is Out = X + tanh(Gate) * Y with a scalar Gate: the residual of Flamingo's gated blocks. Out may be X.
type TanhGate struct {
	X, Y, Out Tensor
	Gate      Tensor // fp32 [1]
}

func (*TanhGate) Name() string { return "tanh_gate" }

func (op *TanhGate) Check() error {
	c := checker{op: "tanh_gate"}
	c.dense("X", op.X)
	c.like("Y", op.Y, op.X)
	c.like("Out", op.Out, op.X)
	c.denseLen("Gate", op.Gate, 1)
	return c.err
}

// TanhGateBackward is DY = tanh(Gate) DOut and DGate = (1 - tanh(Gate)^2) sum(Y DOut); DX is DOut itself.
type TanhGateBackward struct {
	Y, Gate, DOut Tensor
	DY, DGate     Grad
}

func (*TanhGateBackward) Name() string { return "tanh_gate_backward" }

func (op *TanhGateBackward) Check() error {
	c := checker{op: "tanh_gate_backward"}
	c.dense("Y", op.Y)
	c.like("DOut", op.DOut, op.Y)
	c.denseLen("Gate", op.Gate, 1)
	c.grad("DY", op.DY, op.Y)
	c.grad("DGate", op.DGate, op.Gate)
	return c.err
}

// Copy is Dst = Src, of any strides (permuted, sliced, repeated by stride 0) and between floating types. Add adds.
type Copy struct {
	Src, Dst Tensor
	Add      bool // only floating
}

func (*Copy) Name() string { return "copy" }

func (op *Copy) Check() error {
	c := checker{op: "copy"}
	c.need(!op.Src.None() && !op.Dst.None() || c.not("Src %v or Dst %v is missing", op.Src, op.Dst))
	c.need(op.Src.Rank == op.Dst.Rank && op.Src.Dims == op.Dst.Dims || c.not("Src %v and Dst %v differ in shape", op.Src, op.Dst))
	if op.Src.DType != op.Dst.DType || op.Add {
		c.float("Src", op.Src)
		c.float("Dst", op.Dst)
	}
	return c.err
}

// Fill sets every element.
type Fill struct {
	Dst   Tensor // contiguous, floating
	Value float32
}

func (*Fill) Name() string { return "fill" }

func (op *Fill) Check() error {
	c := checker{op: "fill"}
	c.dense("Dst", op.Dst)
	return c.err
}

// Clamp is Out = min(max(X, Min), Max), element by element; NaN stays. Out may be X.
type Clamp struct {
	X, Out   Tensor
	Min, Max float32
}

func (*Clamp) Name() string { return "clamp" }

func (op *Clamp) Check() error {
	c := checker{op: "clamp"}
	c.dense("X", op.X)
	c.like("Out", op.Out, op.X)
	c.need(op.Min <= op.Max || c.not("bounds [%v, %v]", op.Min, op.Max))
	return c.err
}

// ClampBackward is DX = DOut where Min <= X <= Max, else 0. DX may be DOut.
type ClampBackward struct {
	X, DOut  Tensor
	DX       Grad
	Min, Max float32
}

func (*ClampBackward) Name() string { return "clamp_backward" }

func (op *ClampBackward) Check() error {
	c := checker{op: "clamp_backward"}
	c.dense("X", op.X)
	c.like("DOut", op.DOut, op.X)
	c.need(op.DX.Wanted() || c.not("DX is missing"))
	c.grad("DX", op.DX, op.X)
	return c.err
}
