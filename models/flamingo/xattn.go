package flamingo

import (
	"mmc4/kernels"
	"mmc4/models/lm/params"
)

// GatedBlock is masked cross attention from text to media and a hidden layer, each behind a gate that begins closed.
type GatedBlock struct {
	c              XAttnConfig
	attend, feed   *kernels.Param // gates
	norm           norm
	toQ, toKV, to  *kernels.Param
	ff             feedForward
	attendPrevious bool
}

// NewGatedBlock makes a block of a loader's weights, which follow the style's names. width is the text's, visual the media's.
func NewGatedBlock(l *params.Loader, style Style, width, visual int, c XAttnConfig, attendPrevious bool) *GatedBlock {
	b := &GatedBlock{c: c, attendPrevious: attendPrevious}
	attend, feed, ff := "attn_gate", "ff_gate", "ff"
	if style == FlamingoMini {
		attend, feed, ff = "alpha_attn", "alpha_ffw", "ffw"
	}
	inner := c.Heads * c.HeadDim
	b.attend, b.feed = l.Vector(attend, 1, params.Zeros), l.Vector(feed, 1, params.Zeros)
	b.norm = newNorm(l, "attn.norm", width)
	b.toQ = linear(l, "attn.to_q", inner, width)
	b.toKV = linear(l, "attn.to_kv", 2*inner, visual)
	b.to = linear(l, "attn.to_out", width, inner)
	b.ff = newFeedForward(l, ff, width, c.FFMult, c.Act)
	return b
}

// Matrices are what can be packed when it is not trained.
func (b *GatedBlock) Matrices() []*kernels.Param {
	return append([]*kernels.Param{b.toQ, b.toKV, b.to}, b.ff.matrices()...)
}

// KeysValues are those of media [B,S*N,E]: [B,S*N,H,D] each, views of one tensor.
func (b *GatedBlock) KeysValues(p *kernels.Pass, media kernels.Tensor) (k, v kernels.Tensor) {
	return b.views(b.packed(p, media))
}

// packed is keys and values [B,S*N,2*H*D] in one tensor, of which views are the two.
func (b *GatedBlock) packed(p *kernels.Pass, media kernels.Tensor) kernels.Tensor {
	return p.Linear(media, b.toKV, nil)
}

func (b *GatedBlock) views(kv kernels.Tensor) (k, v kernels.Tensor) {
	inner := b.c.Heads * b.c.HeadDim
	return kv.Slice(2, 0, inner).Split(2, b.c.HeadDim), kv.Slice(2, inner, 2*inner).Split(2, b.c.HeadDim)
}

// look is what the text of one run sees.
type look struct {
	times   kernels.Tensor // int32 [rows,T], text times
	latents int            // keys of one image
	group   int            // rows of text that follow each other and see the same media
}

// apply is the block on text x [B*group,T,C] with keys and values of B rows; without any (no image at all) text sees nothing.
func (b *GatedBlock) apply(p *kernels.Pass, x, k, v kernels.Tensor, l look) kernels.Tensor {
	if !k.None() {
		rows, t := x.Dims[0], x.Dims[1]
		inner := b.c.Heads * b.c.HeadDim
		q := p.Linear(b.norm.apply(p, x), b.toQ, nil).Reshape(rows/l.group, l.group*t, inner).Split(2, b.c.HeadDim)
		mixed := p.Attention(kernels.Attention{Q: q, K: k, V: v, Scale: scale(b.c.HeadDim),
			Media: &kernels.MediaMask{TextTime: l.times, KeysPerMedia: l.latents, Previous: b.attendPrevious}})
		x = p.TanhGate(x, p.Linear(mixed.Reshape(rows, t, inner), b.to, nil), b.attend)
	}
	return p.TanhGate(x, b.ff.apply(p, x, kernels.Tensor{}), b.feed)
}

// Apply is the block on text x [B,T,C] and media [B,S,N,E]; times are the text times [B,T].
func (b *GatedBlock) Apply(p *kernels.Pass, x, media kernels.Tensor, times []int32) kernels.Tensor {
	rows, t := x.Dims[0], x.Dims[1]
	slots, latents, width := media.Dims[1], media.Dims[2], media.Dims[3]
	flat := p.Contiguous(media).Reshape(rows, slots*latents, width)
	l := look{times: p.FromInt32(times, rows, t), latents: latents, group: 1}
	return p.Block(x, func(x kernels.Tensor) kernels.Tensor {
		k, v := b.KeysValues(p, flat)
		return b.apply(p, x, k, v, l)
	}, flat)
}

// TextTimes counts markers: for every token of ids [B,T] how many of them stand at or before it.
func TextTimes(ids []int32, rows int, marker int) []int32 {
	t := len(ids) / max(rows, 1)
	times := make([]int32, len(ids))
	for row := range rows {
		seen := int32(0)
		for i := row * t; i < (row+1)*t; i++ {
			if int(ids[i]) == marker {
				seen++
			}
			times[i] = seen
		}
	}
	return times
}
