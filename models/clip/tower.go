package clip

// What both towers are made of. Shapes: B batch, T tokens, C width.

import (
	"math"

	"mmc4/kernels"
)

type linear struct{ w, b *kernels.Param }

type norm struct {
	w, b *kernels.Param
	eps  float32
}

func (n norm) apply(p *kernels.Pass, x kernels.Tensor) kernels.Tensor {
	return p.LayerNorm(x, n.w, n.b, n.eps)
}

// block is a pre-norm transformer layer (open_clip's ResidualAttentionBlock).
type block struct {
	heads    int
	act      kernels.Activation
	ln1, ln2 norm
	qkv, out linear
	up, down linear
}

// apply is x + attention(ln_1 x), then + mlp(ln_2 x). Without a tape it writes over x.
func (b *block) apply(p *kernels.Pass, x_BTC kernels.Tensor, causal bool) kernels.Tensor {
	width := x_BTC.Dim(-1)
	head := width / b.heads
	add := func(y kernels.Tensor, l linear, x kernels.Tensor) kernels.Tensor {
		args := kernels.LinearArgs{X: y, W: l.w, B: l.b, Residual: x}
		if !p.PassOptions.Grad {
			args.Into = x
		}
		return p.LinearWith(args)
	}
	qkv := p.Linear(b.ln1.apply(p, x_BTC), b.qkv.w, b.qkv.b)
	part := func(i int) kernels.Tensor { return qkv.Slice(2, i*width, (i+1)*width).Split(2, head) }
	mixed := p.Attention(kernels.Attention{Q: part(0), K: part(1), V: part(2), Scale: float32(1 / math.Sqrt(float64(head))), Causal: causal})
	x_BTC = add(mixed.Reshape(x_BTC.Shape()...), b.out, x_BTC)
	hidden := p.LinearAct(b.ln2.apply(p, x_BTC), b.up.w, b.up.b, b.act)
	return add(hidden, b.down, x_BTC)
}

// layers runs x through all blocks. Without a tape they write over x, so that memory does not grow with their number.
func layers(p *kernels.Pass, blocks []*block, x_BTC kernels.Tensor, causal bool) kernels.Tensor {
	for _, b := range blocks {
		if p.PassOptions.Grad {
			x_BTC = p.Block(x_BTC, func(x kernels.Tensor) kernels.Tensor { return b.apply(p, x, causal) })
			continue
		}
		mark := p.Arena().Mark()
		b.apply(p, x_BTC, causal)
		p.Arena().Release(mark)
	}
	return x_BTC
}

func (b *block) matrices() []*kernels.Param {
	return []*kernels.Param{b.qkv.w, b.out.w, b.up.w, b.down.w}
}
