package kernels

// Attention returns Out [B,Tq,H,D], contiguous; a's Out and LSE are not looked at. Q, K, V may be views of one packed
// projection: p.Linear(x, qkv, b).Split(-1, D) and slices of it, or of a key-value cache. Where gradients flow, they may not
// overlap.
func (p *Pass) Attention(a Attention) Tensor {
	op := a
	op.Out = p.like(a.Q)
	if !p.tracked(a.Q, a.K, a.V, a.K2, a.V2) {
		op.LSE = Tensor{}
		p.do(&op)
		return op.Out
	}
	b, t, h := a.Q.Dims[0], a.Q.Dims[1], a.Q.Dims[2]
	op.LSE = p.alloc(F32, b, h, t)
	p.do(&op)
	return p.record(op.Out, func(d Tensor) {
		g := p.gradsOf(a.Q, a.K, a.V, a.K2, a.V2)
		p.do(&AttentionBackward{Forward: &op, DOut: d, DQ: g[0], DK: g[1], DV: g[2], DK2: g[3], DV2: g[4]})
	})
}

// Rotary turns the first dims features of every head of x [B,T,H,D] in place, before anything else reads them;
// positions is int32 [B,T]. x may be a view, even of the keys or queries of a packed projection.
func (p *Pass) Rotary(x, positions Tensor, dims int, base float32) {
	p.do(&Rotary{X: x.untracked(), Positions: positions, Dims: dims, Base: base})
	if !p.tracked(x) {
		return
	}
	p.tape.entries = append(p.tape.entries, entry{node: x.node, inPlace: true, back: func(Tensor) {
		p.do(&Rotary{X: p.tape.nodes[x.node-1].view(x), Positions: positions, Dims: dims, Base: base, Inverse: true})
	}})
}
