package kernels

// Matrix products. M rows, K features in, N features out.

// LinearArgs is y = act(Alpha * x W^T + b) + Residual.
type LinearArgs struct {
	X        Tensor     // [.., K], rows may be strided
	W        *Param     // [N,K]
	B        *Param     // [N], or nil
	Act      Activation // usually none
	Alpha    float32    // 0 means 1
	Residual Tensor     // [.., N], or none
	DType    DType      // of the result; 0: the pass's
	Into     Tensor     // memory for the result, which may be Residual; or none. Not where gradients flow
}

// Linear is y_[..,N] = x_[..,K] W^T + b; b may be nil.
func (p *Pass) Linear(x Tensor, w, b *Param) Tensor {
	return p.LinearWith(LinearArgs{X: x, W: w, B: b})
}

// LinearAct is act(x W^T + b).
func (p *Pass) LinearAct(x Tensor, w, b *Param, act Activation) Tensor {
	return p.LinearWith(LinearArgs{X: x, W: w, B: b, Act: act})
}

// LinearAdd is x W^T + b + residual: the end of a branch.
func (p *Pass) LinearAdd(x Tensor, w, b *Param, residual Tensor) Tensor {
	return p.LinearWith(LinearArgs{X: x, W: w, B: b, Residual: residual})
}

// LinearWith is Linear with everything that fuses into it.
func (p *Pass) LinearWith(a LinearArgs) Tensor {
	x := p.rowed(a.X)
	shape := a.W.Shape()
	if len(shape) != 2 {
		p.fail("linear", "%s has shape %v, not [N,K]", a.W.Name, shape)
		return Tensor{}
	}
	if a.DType == 0 {
		a.DType = p.DType
	}
	out := a.Into
	if out.None() {
		out = p.rows(a.DType, x, shape[0])
	}
	op := &MatMul{A: x, TransB: true, Out: out, Alpha: a.Alpha, Act: a.Act}
	value := p.weight(a.W) // a node of the tape when trained
	op.B = value.untracked()
	if !a.W.Packed.None() {
		op.B = a.W.Packed
	}
	var bias Tensor
	if a.B != nil {
		bias = p.weight(a.B)
		op.Bias = bias.untracked()
	}
	if !a.Residual.None() {
		a.Residual = p.rowed(a.Residual)
		op.Residual = a.Residual.untracked()
	}
	if !p.tracked(x, value, bias, a.Residual) {
		p.do(op)
		return out
	}
	if !a.Into.None() {
		p.fail("linear", "gradients flow through a result that is written over %v", a.Into)
	}
	through := p.tracked(x, value, bias)
	var pre Tensor // what the activation's gradient is asked of
	switch {
	case a.Act == ReLU && a.Residual.None() && through:
		pre = out // positive where its input is
	case a.Act != NoActivation && through:
		op.Pre = p.alloc(p.DType, out.Shape()...)
		pre = op.Pre
	}
	p.do(op)
	from := 0
	out = p.record(out, func(dOut Tensor) {
		d := dOut
		keep := a.Residual.node != 0 // dOut is still wanted when it has passed the activation
		if !pre.None() {
			if keep {
				d = p.take(dOut.DType, dOut.Shape()...)
			}
			p.do(&ActBackward{Kind: a.Act, X: pre, DOut: dOut, DX: Grad{T: d}})
		}
		if through {
			p.linearBackward(x, value, bias, d, a)
		}
		if keep {
			if !pre.None() {
				p.give(d)
			}
			p.passOn(from, dOut, a.Residual)
		}
	})
	from = out.node
	return out
}

// linearBackward sends d, the gradient of Alpha x W^T + b, to x, W and b.
func (p *Pass) linearBackward(x, value, bias, d Tensor, a LinearArgs) {
	if g := p.gradOf(value); g.Wanted() {
		p.do(&MatMul{A: d, TransA: true, B: x.matrix2(), Out: g.T, Alpha: a.Alpha, Add: g.Add})
	}
	if g := p.gradOf(bias); g.Wanted() {
		p.do(&SumRows{X: d, Out: g})
	}
	if g := p.gradOf(x); g.Wanted() {
		if value.None() {
			p.fail("linear", "gradients must flow through %s, but only its packed form was kept (Param.Pack)", a.W.Name)
			return
		}
		p.do(&MatMul{A: d, B: value.untracked(), Out: g.T, Alpha: a.Alpha, Add: g.Add})
	}
}

// MatMul is c_[..,N] = alpha * op(a) op(b): a is [..,K], or [K,M] with transA; b is [K,N], or [N,K] with transB. The
// result has the type dtype (0: the pass's). alpha 0 means 1.
func (p *Pass) MatMul(a, b Tensor, transA, transB bool, alpha float32, dtype DType) Tensor {
	a, b = p.rowed(a), p.rowed(b).matrix2()
	if dtype == 0 {
		dtype = p.DType
	}
	n := b.Dims[1]
	if transB {
		n = b.Dims[0]
	}
	var out Tensor
	if transA {
		out = p.alloc(dtype, a.Dim(-1), n)
	} else {
		out = p.rows(dtype, a, n)
	}
	p.do(&MatMul{A: a, B: b, Out: out, TransA: transA, TransB: transB, Alpha: alpha})
	if !p.tracked(a, b) {
		return out
	}
	return p.record(out, func(d Tensor) {
		if g := p.gradOf(a); g.Wanted() {
			if transA { // [K,M] = op(b) d^T
				p.do(&MatMul{A: b, TransA: transB, B: d.matrix2(), TransB: true, Out: g.T, Alpha: alpha, Add: g.Add})
			} else {
				p.do(&MatMul{A: d, B: b, TransB: !transB, Out: g.T, Alpha: alpha, Add: g.Add})
			}
		}
		if g := p.gradOf(b); g.Wanted() {
			if transB { // [N,K] = d^T op(a)
				p.do(&MatMul{A: d, TransA: true, B: a.matrix2(), TransB: transA, Out: g.T, Alpha: alpha, Add: g.Add})
			} else {
				p.do(&MatMul{A: a, TransA: !transA, B: d.matrix2(), Out: g.T, Alpha: alpha, Add: g.Add})
			}
		}
	})
}

// matrix2 is a tensor with a row stride as a matrix [Rows, Dim(-1)].
func (t Tensor) matrix2() Tensor {
	stride, _ := t.RowStride()
	rows, last := t.Rows(), t.Dim(-1)
	t.Rank, t.Dims, t.Strides = 2, [MaxRank]int{rows, last}, [MaxRank]int{stride, 1}
	return t
}

// rowed is x if its rows have one stride and contiguous elements, else a copy.
func (p *Pass) rowed(x Tensor) Tensor {
	if _, ok := x.RowStride(); ok && x.Rank >= 2 && (x.Strides[x.Rank-1] == 1 || x.Dim(-1) == 1) {
		return x
	}
	if x.Rank == 1 {
		return p.Contiguous(x).Reshape(1, x.Dims[0])
	}
	return p.Contiguous(x)
}
