package kernels

// The hidden layer of a trained block. What the activation made is as large as what it was made of, and is only wanted again for
// the gradient of down: it is not kept but made anew, an elementwise op for the largest tensor of a block.

// FeedForward is act(x up^T) down^T + residual; residual may be none. Where both are trained, only the activation's input is
// kept for the gradients.
func (p *Pass) FeedForward(x Tensor, up, down *Param, act Activation, residual Tensor) Tensor {
	if !p.recording() || !up.Trainable || !down.Trainable || act == ReLU {
		return p.LinearAdd(p.LinearAct(x, up, nil, act), down, nil, residual)
	}
	x = p.rowed(x)
	wUp, wDown := p.weight(up), p.weight(down)
	pre, out := p.rows(p.DType, x, up.Shape()[0]), p.rows(p.DType, x, down.Shape()[0])
	mark := p.arena.Mark()
	hidden := p.like(pre)
	p.do(&MatMul{A: x, B: wUp.untracked(), TransB: true, Out: hidden, Act: act, Pre: pre})
	op := &MatMul{A: hidden, B: wDown.untracked(), TransB: true, Out: out}
	if !residual.None() {
		residual = p.rowed(residual)
		op.Residual = residual.untracked()
	}
	p.do(op)
	p.arena.Release(mark)
	from := 0
	out = p.record(out, func(d Tensor) {
		h := p.take(pre.DType, pre.Shape()...)
		p.do(&Act{Kind: act, X: pre, Out: h})
		g := p.gradOf(wDown)
		p.do(&MatMul{A: d, TransA: true, B: h.matrix2(), Out: g.T, Add: g.Add})
		p.do(&MatMul{A: d, B: wDown.untracked(), Out: h})
		p.do(&ActBackward{Kind: act, X: pre, DOut: h, DX: Grad{T: h}})
		p.linearBackward(x, wUp, Tensor{}, h, LinearArgs{W: up})
		p.give(h)
		p.passOn(from, d, residual)
	})
	from = out.node
	return out
}
