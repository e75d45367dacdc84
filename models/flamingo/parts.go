package flamingo

// What the resampler and the gated blocks are made of.

import (
	"math"

	"mmc4/kernels"
	"mmc4/models/lm/params"
)

const eps = 1e-5 // of all norms

type norm struct{ w, b *kernels.Param }

func newNorm(l *params.Loader, name string, width int) norm {
	return norm{l.Vector(name+".weight", width, params.Ones), l.Vector(name+".bias", width, params.Zeros)}
}

func (n norm) apply(p *kernels.Pass, x kernels.Tensor) kernels.Tensor {
	return p.LayerNorm(x, n.w, n.b, eps)
}

// linear is a matrix without bias.
func linear(l *params.Loader, name string, out, in int) *kernels.Param {
	return l.Matrix(name+".weight", out, in, params.FanIn(in))
}

// feedForward is down(act(up(norm x))).
type feedForward struct {
	norm     norm
	up, down *kernels.Param
	act      kernels.Activation
}

func newFeedForward(l *params.Loader, name string, width, mult int, act kernels.Activation) feedForward {
	return feedForward{newNorm(l, name+".0", width), linear(l, name+".1", mult*width, width), linear(l, name+".3", width, mult*width), act}
}

// apply is it, with residual (none: without) on top.
func (f feedForward) apply(p *kernels.Pass, x, residual kernels.Tensor) kernels.Tensor {
	return p.FeedForward(f.norm.apply(p, x), f.up, f.down, f.act, residual)
}

func (f feedForward) matrices() []*kernels.Param { return []*kernels.Param{f.up, f.down} }

func scale(headDim int) float32 { return float32(1 / math.Sqrt(float64(headDim))) }
