package kernels

// Normalisation over the last dimension C. Statistics are kept only when gradients will want them.

// LayerNorm is (x - mean) / sqrt(var + eps) * w + b; b may be nil.
func (p *Pass) LayerNorm(x Tensor, w, b *Param, eps float32) Tensor {
	x = p.Contiguous(x)
	op := &LayerNorm{X: x, Out: p.like(x), Eps: eps}
	weight := p.weight(w)
	op.W = weight.untracked()
	var bias Tensor
	if b != nil {
		bias = p.weight(b)
		op.B = bias.untracked()
	}
	if !p.tracked(x, weight, bias) {
		p.do(op)
		return op.Out
	}
	op.Mean, op.RStd = p.alloc(F32, x.Rows()), p.alloc(F32, x.Rows())
	p.do(op)
	return p.record(op.Out, func(d Tensor) {
		p.do(&LayerNormBackward{X: x, W: op.W, Mean: op.Mean, RStd: op.RStd, DOut: d,
			DX: p.gradOf(x), DW: p.gradOf(weight), DB: p.gradOf(bias)})
	})
}

// RMSNorm is x / sqrt(mean(x^2) + eps) * w.
func (p *Pass) RMSNorm(x Tensor, w *Param, eps float32) Tensor {
	x = p.Contiguous(x)
	weight := p.weight(w)
	op := &RMSNorm{X: x, Out: p.like(x), W: weight.untracked(), Eps: eps}
	if !p.tracked(x, weight) {
		p.do(op)
		return op.Out
	}
	op.RStd = p.alloc(F32, x.Rows())
	p.do(op)
	return p.record(op.Out, func(d Tensor) {
		p.do(&LayerNormBackward{X: x, W: op.W, RStd: op.RStd, DOut: d, DX: p.gradOf(x), DW: p.gradOf(weight)})
	})
}

// L2Norm is x / |x|.
func (p *Pass) L2Norm(x Tensor) Tensor {
	x = p.Contiguous(x)
	op := &L2Norm{X: x, Out: p.like(x)}
	if !p.tracked(x) {
		p.do(op)
		return op.Out
	}
	op.Norm = p.alloc(F32, x.Rows())
	p.do(op)
	return p.record(op.Out, func(d Tensor) {
		p.do(&L2NormBackward{Out: op.Out, Norm: op.Norm, DOut: d, DX: p.gradOf(x)})
	})
}
