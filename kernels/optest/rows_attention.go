package optest

import (
	"math"

	"mmc4/kernels"
)

var attentionRows = []Row{{
	Op:      "attention",
	Outputs: []string{"Out", "LSE"},
	Make:    makeAttention,
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		return &kernels.AttentionBackward{Forward: f.(*kernels.Attention), DOut: dOut,
			DK: grad("K"), DV: grad("V"), DK2: grad("K2"), DV2: grad("V2"), DQ: grad("Q")}
	},
	Wrt:       []string{"K", "V", "K2", "V2", "Q"},
	Tame:      true,
	Tolerance: 5e-5,
	Rounded:   2e-2,
	Speed: []SpeedCase{
		{"vit-l, 8 images", selfAttention(8, 257, 16, 64, false)},
		{"gpt2, 4 x 256, causal", selfAttention(4, 256, 12, 64, true)},
		{"gpt2 decode, 512 cached", func(g *Gen) kernels.Op {
			return &kernels.Attention{Q: g.Act(1, 1, 12, 64), K: g.Act(1, 512, 12, 64), V: g.Act(1, 512, 12, 64), Scale: 0.125, Causal: true,
				Out: g.Out(1, 1, 12, 64), LSE: g.StatOut(1, 12, 1)}
		}},
		{"perceiver, 6 images", func(g *Gen) kernels.Op {
			return &kernels.Attention{Q: g.Act(6, 64, 8, 64), K: g.Act(6, 256, 8, 64), V: g.Act(6, 256, 8, 64), K2: g.Act(6, 64, 8, 64), V2: g.Act(6, 64, 8, 64),
				Scale: 0.125, Out: g.Out(6, 64, 8, 64), LSE: g.StatOut(6, 8, 64)}
		}},
	},
}, {
	Op:      "put",
	Outputs: []string{"Dst"},
	Make: func(g *Gen) kernels.Op {
		b, t, h, d := g.Size(3), g.Size(5), g.Size(5), g.Size(80)
		room := t + g.IntN(9)
		return &kernels.Put{Src: g.headsIn(b, t, h, d), Dst: g.fill(g.heads(b, room, h, d, g.IntN(4))), At: g.Ints(-1, room-t+2, 1)}
	},
}, {
	Op:      "advance",
	Outputs: []string{"X"},
	Make: func(g *Gen) kernels.Op {
		return &kernels.Advance{X: g.Ints(0, 1000, g.Size(600)), By: int32(g.IntN(5)) - 2}
	},
}, {
	Op:      "rotary",
	Outputs: []string{"X"},
	Make: func(g *Gen) kernels.Op {
		b, t, h, d := g.Size(3), g.Size(33), g.Size(5), 2*g.Size(64)
		dims := 2 * (1 + g.IntN(d/2))
		if g.Chance(50) {
			dims = d
		}
		return &kernels.Rotary{X: g.fill(g.heads(b, t, h, d, 0)), Positions: g.Ints(0, 2048, b, t), Dims: dims, Base: 10000, Inverse: g.Chance(50)}
	},
	Tolerance: 3e-4, // angles in fp32, as Hugging Face has them, are off by so much at 2048
	Speed: []SpeedCase{{"4 x 256 tokens, 32 heads of 128", func(g *Gen) kernels.Op {
		return &kernels.Rotary{X: g.Act(4, 256, 32, 128), Positions: g.Ints(0, 2048, 4, 256), Dims: 128, Base: 10000}
	}}},
}}

// heads is [b,t,h,d]: contiguous, a range of a packed projection, heads that alternate with others (GPT-NeoX), or the front of a
// cache. pack is which of the layouts, so that q, k and v of one instance may agree.
func (g *Gen) heads(b, t, h, d, pack int) kernels.Tensor {
	dtype := g.ActType()
	switch pack {
	case 1: // [b,t,3*h*d]
		at := g.IntN(3) * h * d
		return g.raw(dtype, b, t, 3*h*d).Slice(2, at, at+h*d).Split(2, d)
	case 2: // [b,t,h,3*d]
		at := g.IntN(3) * d
		return g.raw(dtype, b, t, h, 3*d).Slice(3, at, at+d)
	case 3: // [b,t+7,h,d]
		return g.raw(dtype, b, t+7, h, d).Slice(1, 0, t)
	}
	return g.raw(dtype, b, t, h, d)
}

func (g *Gen) headsIn(b, t, h, d int) kernels.Tensor { return g.fill(g.heads(b, t, h, d, g.IntN(4))) }

func makeAttention(g *Gen) kernels.Op {
	b, tq, hkv, d := g.Size(3), g.Size(70), g.Size(3), g.Size(80)
	h := hkv * g.Size(3)
	tk := g.Size(140)
	if g.Chance(40) {
		tk = tq
	}
	op := &kernels.Attention{Scale: float32(1 / math.Sqrt(float64(d)))}
	media := 0
	switch g.IntN(5) {
	case 0: // a language model
		op.Causal = true
		tk = tq + g.Size(40) - 1
	case 1: // a padded batch
		op.Causal = g.Chance(70)
	case 2: // cross-attention to images
		media = 1 + g.IntN(4)
		tk = media * g.Size(20)
	case 3: // the perceiver
		tk2 := g.Size(70)
		op.K2, op.V2 = g.headsIn(b, tk2, hkv, d), g.headsIn(b, tk2, hkv, d)
	}
	op.Q, op.K, op.V = g.headsIn(b, tq, h, d), g.headsIn(b, tk, hkv, d), g.headsIn(b, tk, hkv, d)
	if op.Q.Contiguous() {
		g.Poke(op.Q, NaN)
	}
	op.Out = g.raw(g.ActType(), b, tq, h, d)
	op.LSE = g.StatOut(b, h, tq)
	if !g.backward && !g.Small && media == 0 && g.Chance(30) {
		op.Keys = g.Ints(max(1, tk-70), tk+1, 1)
	}
	if op.Causal && g.Chance(40) {
		op.Slopes = g.Stat(h)
		slopes := make([]float32, h)
		for i := range slopes {
			slopes[i] = float32(math.Exp2(-8 * float64(i+1) / float64(h)))
		}
		g.set(op.Slopes, slopes)
	}
	if media == 0 && op.K2.None() && g.Chance(50) {
		op.KeyMask = g.Bytes(2, b, tk) // some queries may see no key
		op.HiddenOnce = g.Chance(50)
	}
	if media > 0 {
		op.Media = &kernels.MediaMask{TextTime: g.Ints(0, media+2, b, tq), KeysPerMedia: tk / media, Previous: g.Chance(30)}
	}
	return op
}

func selfAttention(b, t, h, d int, causal bool) func(g *Gen) kernels.Op {
	return func(g *Gen) kernels.Op {
		qkv := g.Act(b, t, 3*h*d)
		part := func(i int) kernels.Tensor { return qkv.Slice(2, i*h*d, (i+1)*h*d).Split(2, d) }
		return &kernels.Attention{Q: part(0), K: part(1), V: part(2), Scale: float32(1 / math.Sqrt(float64(d))), Causal: causal,
			Out: g.Out(b, t, h, d), LSE: g.StatOut(b, h, t)}
	}
}
