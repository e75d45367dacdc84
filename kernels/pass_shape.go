package kernels

// Moving elements. Views (Slice, Reshape, Split, Permute) need no method here: they are Tensor's own and carry
// gradients. What is here makes new memory.

// Copy is x in new contiguous memory.
func (p *Pass) Copy(x Tensor) Tensor { return p.Cast(x, x.DType) }

// Cast is x in new contiguous memory, of a type.
func (p *Pass) Cast(x Tensor, dtype DType) Tensor {
	for i, s := range x.Strides[:x.Rank] {
		if s == 0 && x.Dims[i] > 1 && p.tracked(x) {
			p.fail("copy", "%v repeats elements of a tensor with a gradient: use Pass.Repeat", x)
		}
	}
	out := p.alloc(dtype, x.Shape()...)
	p.do(&Copy{Src: x, Dst: out})
	if !p.tracked(x) {
		return out
	}
	return p.record(out, func(d Tensor) {
		g := p.gradOf(x)
		p.do(&Copy{Src: d, Dst: g.T, Add: g.Add})
	})
}

// Contiguous is x itself if it is contiguous, else a copy.
func (p *Pass) Contiguous(x Tensor) Tensor {
	if x.Contiguous() {
		return x
	}
	return p.Cast(x, x.DType)
}

// Concat joins tensors, equal but in that dimension, along it. Those without elements are left out.
func (p *Pass) Concat(dim int, xs ...Tensor) Tensor {
	if len(xs) == 0 {
		p.fail("concat", "nothing to join")
		return Tensor{}
	}
	if dim < 0 {
		dim += xs[0].Rank
	}
	dims := xs[0].Dims
	dims[dim] = 0
	for _, x := range xs {
		dims[dim] += x.Dims[dim]
	}
	out := p.alloc(xs[0].DType, dims[:xs[0].Rank]...)
	at := 0
	for _, x := range xs {
		if x.Len() == 0 {
			continue
		}
		p.do(&Copy{Src: x, Dst: out.Slice(dim, at, at+x.Dims[dim])})
		at += x.Dims[dim]
	}
	if !p.tracked(xs...) {
		return out
	}
	xs = append([]Tensor(nil), xs...)
	return p.record(out, func(d Tensor) {
		at := 0
		for _, x := range xs {
			if g := p.gradOf(x); g.Wanted() {
				p.do(&Copy{Src: d.Slice(dim, at, at+x.Dims[dim]), Dst: g.T, Add: g.Add})
			}
			at += x.Dims[dim]
		}
	})
}

// Repeat is [n, ..]: x, n times, in new memory.
func (p *Pass) Repeat(x Tensor, n int) Tensor {
	x = p.Contiguous(x)
	view := x.Repeat(n)
	out := p.like(view)
	p.do(&Copy{Src: view, Dst: out})
	if !p.tracked(x) {
		return out
	}
	return p.record(out, func(d Tensor) {
		g := p.gradOf(x)
		p.do(&SumRows{X: d.Reshape(n, x.Len()), Out: Grad{T: g.T.Reshape(x.Len()), Add: g.Add}})
	})
}

// CopyInto writes x into memory that outlives the step, say a place in a key-value cache. No gradient passes.
func (p *Pass) CopyInto(dst, x Tensor) { p.do(&Copy{Src: x.untracked(), Dst: dst.untracked()}) }
