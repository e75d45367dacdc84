package lm

// One layer: attention and the hidden layer, in the three ways of adding them up.

import (
	"fmt"
	"math"

	"mmc4/kernels"
	"mmc4/models/lm/params"
)

// linear is a module of the model.
type linear struct {
	w, b    *kernels.Param
	name    string
	in, out int
	lora    *adapter // or nil
}

func (l *linear) apply(p *kernels.Pass, x kernels.Tensor) kernels.Tensor {
	return l.add(p, x, kernels.Tensor{})
}

// add is residual + W x + b, with the adapter's part; residual may be none.
func (l *linear) add(p *kernels.Pass, x, residual kernels.Tensor) kernels.Tensor {
	y := p.LinearAdd(x, l.w, l.b, residual)
	if l.lora == nil {
		return y
	}
	return p.LinearWith(kernels.LinearArgs{X: p.Linear(x, l.lora.a, nil), W: l.lora.b, Alpha: l.lora.scale, Residual: y})
}

// activated is act(W x + b).
func (l *linear) activated(p *kernels.Pass, x kernels.Tensor, act kernels.Activation) kernels.Tensor {
	if l.lora != nil {
		return p.Act(l.apply(p, x), act)
	}
	return p.LinearAct(x, l.w, l.b, act)
}

// norm is LayerNorm or RMSNorm; the zero norm does nothing.
type norm struct {
	w, b *kernels.Param
	rms  bool
	eps  float32
}

func newNorm(l *params.Loader, name string, width int, bias bool, c Config) norm {
	n := norm{w: l.Vector(name+".weight", width, params.Ones), rms: c.RMSNorm, eps: c.Eps}
	if bias {
		n.b = l.Vector(name+".bias", width, params.Zeros)
	}
	return n
}

func (n norm) apply(p *kernels.Pass, x kernels.Tensor) kernels.Tensor {
	switch {
	case n.w == nil:
		return x
	case n.rms:
		return p.RMSNorm(x, n.w, n.eps)
	}
	return p.LayerNorm(x, n.w, n.b, n.eps)
}

type block struct {
	c            *Config
	scale        float32
	norm1, norm2 norm
	q, k, v      linear // of separate projections
	qkv          linear // of a packed one
	qNorm, kNorm norm
	out          linear
	gate         linear // of a gated hidden layer
	up, down     linear
}

func newBlock(l *params.Loader, c Config, n names, i int) *block {
	at := fmt.Sprintf(n.layers, i)
	small := params.Normal(0.02)
	lin := func(name string, out, in int) linear {
		y := linear{name: at + name, in: in, out: out}
		if c.Arch == GPT2 {
			y.w = l.Conv1D(at+name+".weight", out, in, small)
		} else {
			y.w = l.Matrix(at+name+".weight", out, in, small)
		}
		if c.Bias {
			y.b = l.Vector(at+name+".bias", out, params.Zeros)
		}
		return y
	}
	b := &block{c: &c, scale: c.Scale}
	if b.scale == 0 {
		b.scale = float32(1 / math.Sqrt(float64(c.HeadDim())))
	}
	if c.ScaleByLayer {
		b.scale /= float32(i + 1)
	}
	kv := c.KVHeads * c.HeadDim()
	b.norm1 = newNorm(l, at+n.norm1, c.Width, c.NormBias, c)
	if n.qkv != "" {
		b.qkv = lin(n.qkv, c.Width+2*kv, c.Width)
	} else {
		b.q, b.k, b.v = lin(n.q, c.Width, c.Width), lin(n.k, kv, c.Width), lin(n.v, kv, c.Width)
	}
	if c.QKNorm {
		b.qNorm = newNorm(l, at+n.qNorm, c.Width, c.NormBias, c)
		b.kNorm = newNorm(l, at+n.kNorm, kv, c.NormBias, c)
	}
	b.out = lin(n.out, c.Width, c.Width)
	b.norm2 = newNorm(l, at+n.norm2, c.Width, c.NormBias, c)
	if c.GatedMLP {
		b.gate = linear{w: l.Matrix(at+n.gate+".weight", c.MLP, c.Width, small), name: at + n.gate, in: c.Width, out: c.MLP}
	}
	b.up, b.down = lin(n.up, c.MLP, c.Width), lin(n.down, c.Width, c.MLP)
	return b
}

// linears are the modules that the block has.
func (b *block) linears() []*linear {
	var ls []*linear
	for _, l := range []*linear{&b.qkv, &b.q, &b.k, &b.v, &b.out, &b.gate, &b.up, &b.down} {
		if l.w != nil {
			ls = append(ls, l)
		}
	}
	return ls
}

func (b *block) matrices() []*kernels.Param {
	var ms []*kernels.Param
	for _, l := range b.linears() {
		ms = append(ms, l.w)
	}
	return ms
}

// run is what all layers of one run share.
type run struct {
	positions kernels.Tensor // int32 [B,T], of rotary angles; or none
	keyMask   kernels.Tensor // uint8 [B,K], or none
	slopes    kernels.Tensor // fp32 [H], or none
	cache     *Cache
	at, keys  kernels.Tensor // int32 [1]: the cache's length before and after this step, where the device counts it; or none
	before    func(layer int, x_BTC kernels.Tensor) kernels.Tensor
}

// apply is the layer on x [B,T,C].
func (b *block) apply(p *kernels.Pass, i int, x_BTC kernels.Tensor, r *run) kernels.Tensor {
	return p.Block(x_BTC, func(x kernels.Tensor) kernels.Tensor {
		switch b.c.Residual {
		case Parallel:
			sum := b.attend(p, i, b.norm1.apply(p, x), x, r)
			return b.mlp(p, b.norm2.apply(p, x), sum)
		case PostNorm:
			x = b.norm1.apply(p, b.attend(p, i, x, x, r))
			return b.norm2.apply(p, b.mlp(p, x, x))
		}
		x = b.attend(p, i, b.norm1.apply(p, x), x, r)
		return b.mlp(p, b.norm2.apply(p, x), x)
	})
}

// project gives queries [B,T,H,D], keys and values [B,T,Hkv,D] of x [B,T,C].
func (b *block) project(p *kernels.Pass, x kernels.Tensor) (q, k, v kernels.Tensor) {
	c, d := b.c, b.c.HeadDim()
	kv := c.KVHeads * d
	switch {
	case b.qkv.w == nil:
		return b.q.apply(p, x).Split(2, d), b.k.apply(p, x).Split(2, d), b.v.apply(p, x).Split(2, d)
	case c.Arch == NeoX: // [head][q,k,v][D]
		qkv := b.qkv.apply(p, x).Split(2, 3*d)
		return qkv.Slice(3, 0, d), qkv.Slice(3, d, 2*d), qkv.Slice(3, 2*d, 3*d)
	}
	qkv := b.qkv.apply(p, x)
	if c.ClipQKV > 0 {
		qkv = p.Clamp(qkv, -c.ClipQKV, c.ClipQKV)
	}
	q, k, v = qkv.Slice(2, 0, c.Width), qkv.Slice(2, c.Width, c.Width+kv), qkv.Slice(2, c.Width+kv, c.Width+2*kv)
	if c.QKNorm {
		q, k = b.qNorm.apply(p, q), b.kNorm.apply(p, k)
	}
	return q.Split(2, d), k.Split(2, d), v.Split(2, d)
}

// attend is residual + out(attention(x)).
func (b *block) attend(p *kernels.Pass, i int, x, residual kernels.Tensor, r *run) kernels.Tensor {
	q, k, v := b.project(p, x)
	if b.c.RotaryDims > 0 {
		p.Rotary(q, r.positions, b.c.RotaryDims, b.c.RotaryBase)
		p.Rotary(k, r.positions, b.c.RotaryDims, b.c.RotaryBase)
	}
	switch {
	case !r.keys.None():
		k, v = r.cache.putAt(p, i, k, v, r.at)
	case r.cache != nil:
		k, v = r.cache.put(p, i, k, v)
	}
	mixed := p.Attention(kernels.Attention{Q: q, K: k, V: v, Scale: b.scale, Causal: true, Slopes: r.slopes, KeyMask: r.keyMask, Keys: r.keys,
		HiddenOnce: b.c.addsMasks()})
	return b.out.add(p, mixed.Reshape(x.Shape()...), residual)
}

// mlp is residual + down(act(up x)).
func (b *block) mlp(p *kernels.Pass, x, residual kernels.Tensor) kernels.Tensor {
	var hidden kernels.Tensor
	if b.gate.w != nil {
		hidden = p.GatedAct(b.gate.apply(p, x), b.up.apply(p, x), b.c.Act)
	} else {
		hidden = b.up.activated(p, x, b.c.Act)
	}
	return b.down.add(p, hidden, residual)
}
