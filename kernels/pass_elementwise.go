package kernels

// Element by element, and gates.

// Act is f(x).
func (p *Pass) Act(x Tensor, kind Activation) Tensor {
	x = p.Contiguous(x)
	out := p.like(x)
	p.do(&Act{Kind: kind, X: x, Out: out})
	if !p.tracked(x) {
		return out
	}
	return p.record(out, func(d Tensor) {
		p.do(&ActBackward{Kind: kind, X: x, DOut: d, DX: p.gradOf(x)})
	})
}

// GatedAct is f(gate) * up (SwiGLU with SiLU); both may be column ranges of one product.
func (p *Pass) GatedAct(gate, up Tensor, kind Activation) Tensor {
	gate, up = p.rowed(gate), p.rowed(up)
	out := p.like(gate)
	p.do(&GatedAct{Kind: kind, Gate: gate, Up: up, Out: out})
	if !p.tracked(gate, up) {
		return out
	}
	return p.record(out, func(d Tensor) {
		g := p.gradsOf(gate, up)
		p.do(&GatedActBackward{Kind: kind, Gate: gate, Up: up, DOut: d, DGate: g[0], DUp: g[1]})
	})
}

// Clamp is min(max(x, low), high).
func (p *Pass) Clamp(x Tensor, low, high float32) Tensor {
	x = p.Contiguous(x)
	out := p.like(x)
	p.do(&Clamp{X: x, Out: out, Min: low, Max: high})
	if !p.tracked(x) {
		return out
	}
	return p.record(out, func(d Tensor) {
		p.do(&ClampBackward{X: x, DOut: d, DX: p.gradOf(x), Min: low, Max: high})
	})
}

// Add is a + scale*b, with a's shape; b may have fewer elements when they repeat over a's leading dimensions (positions
// over a batch). scale 0 means 1.
func (p *Pass) Add(a, b Tensor, scale float32) Tensor {
	a, b = p.Contiguous(a), p.Contiguous(b)
	out := p.like(a)
	p.do(&Add{A: a, B: b, Out: out, Scale: scale})
	if !p.tracked(a, b) {
		return out
	}
	from := 0
	out = p.record(out, func(d Tensor) {
		p.addGrad(d, b, scale)
		p.passOn(from, d, a)
	})
	from = out.node
	return out
}

// addGrad adds scale*d, summed over what b was repeated over, to the gradient of b.
func (p *Pass) addGrad(d, b Tensor, scale float32) {
	g := p.gradOf(b)
	if !g.Wanted() {
		return
	}
	n := b.Len()
	flat, scaled := Grad{T: g.T.Reshape(n), Add: g.Add}, scale != 0 && scale != 1
	switch {
	case !scaled && d.Len() == n:
		p.do(&Copy{Src: d.Reshape(n), Dst: flat.T, Add: flat.Add})
	case !scaled:
		p.do(&SumRows{X: d.Reshape(d.Len()/max(n, 1), n), Out: flat})
	default:
		sum := p.take(g.T.DType, n)
		p.do(&SumRows{X: d.Reshape(d.Len()/max(n, 1), n), Out: Grad{T: sum}})
		if !flat.Add {
			p.do(&Fill{Dst: flat.T})
		}
		p.do(&Add{A: flat.T, B: sum, Out: flat.T, Scale: scale})
		p.give(sum)
	}
}

// Mul is a * b.
func (p *Pass) Mul(a, b Tensor) Tensor {
	a, b = p.Contiguous(a), p.Contiguous(b)
	out := p.like(a)
	p.do(&Mul{A: a, B: b, Out: out})
	if !p.tracked(a, b) {
		return out
	}
	return p.record(out, func(d Tensor) {
		for _, side := range [][2]Tensor{{a, b}, {b, a}} {
			if g := p.gradOf(side[0]); g.Wanted() {
				product := p.take(d.DType, d.Len())
				p.do(&Mul{A: d.Reshape(d.Len()), B: side[1], Out: product})
				p.do(&Copy{Src: product, Dst: g.T.Reshape(d.Len()), Add: g.Add})
				p.give(product)
			}
		}
	})
}

// ScaleBy is x * s, or x * exp(s): s is fp32 [1] on the device (CLIP's logit scale).
func (p *Pass) ScaleBy(x, s Tensor, exp bool) Tensor {
	x = p.Contiguous(x)
	out := p.like(x)
	p.do(&ScaleBy{X: x, Out: out, S: s, Exp: exp})
	if !p.tracked(x, s) {
		return out
	}
	return p.record(out, func(d Tensor) {
		p.do(&ScaleByBackward{X: x, S: s, DOut: d, Exp: exp, DX: p.gradOf(x), DS: p.gradOf(s)})
	})
}

// TanhGate is x + tanh(gate) * y, with gate of one element: the residual of Flamingo's gated blocks.
func (p *Pass) TanhGate(x, y Tensor, gate *Param) Tensor {
	x, y = p.Contiguous(x), p.Contiguous(y)
	s := p.weight(gate)
	op := &TanhGate{X: x, Y: y, Out: p.like(x), Gate: s.untracked()}
	p.do(op)
	if !p.tracked(x, y, s) {
		return op.Out
	}
	from := 0
	out := p.record(op.Out, func(d Tensor) {
		dy, dGate := p.gradOf(y), p.gradOf(s)
		if dy.Wanted() || dGate.Wanted() {
			p.do(&TanhGateBackward{Y: y, Gate: op.Gate, DOut: d, DY: dy, DGate: dGate})
		}
		p.passOn(from, d, x)
	})
	from = out.node
	return out
}
