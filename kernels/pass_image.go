package kernels

// NormalizePixels is (x/255 - mean) / std of packed RGB bytes uint8 [N,H,W,3], as planes [N,3,H,W].
func (p *Pass) NormalizePixels(x Tensor, mean, std [3]float32) Tensor {
	out := p.alloc(p.DType, x.Dims[0], 3, x.Dims[1], x.Dims[2])
	p.do(&NormalizePixels{X: x, Out: out, Mean: mean, Std: std})
	return out
}

// Patchify cuts planes [N,3,H,W] into patches [N,P,3*patch*patch], row by row. It passes no gradient: pictures are given.
func (p *Pass) Patchify(x Tensor, patch int) Tensor {
	out := p.alloc(p.DType, x.Dims[0], (x.Dims[2]/patch)*(x.Dims[3]/patch), x.Dims[1]*patch*patch)
	p.do(&Patchify{X: x, Out: out, Patch: patch})
	return out
}
