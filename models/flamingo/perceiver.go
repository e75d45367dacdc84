package flamingo

import (
	"fmt"

	"mmc4/kernels"
	"mmc4/models/lm/params"
)

// Perceiver is the resampler: latents that look at an image's tokens and at themselves, layer by layer.
type Perceiver struct {
	c       PerceiverConfig
	width   int
	latents *kernels.Param // [N,E]
	frames  *kernels.Param // [MaxFrames,E], or nil
	media   *kernels.Param // [MaxMedia,E], or nil
	layers  []*resampling
	last    norm
}

type resampling struct {
	c                       PerceiverConfig
	normMedia, normLatents  norm
	toQ, toKV, toK, toV, to *kernels.Param // toKV, or toK and toV
	ff                      feedForward
}

// NewPerceiver makes the resampler of a loader's weights, which follow the style's names.
func NewPerceiver(l *params.Loader, style Style, width int, c PerceiverConfig) *Perceiver {
	r := &Perceiver{c: c, width: width}
	r.latents = l.Table("latents", c.Latents, width, params.Normal(1))
	if c.MaxFrames > 0 {
		name, stored := "frame_embs", []int{c.MaxFrames, width}
		if style == FlamingoMini {
			name, stored = "time_pos_emb", []int{c.MaxFrames, 1, width}
		}
		r.frames = l.Shaped(name, stored, []int{c.MaxFrames, width}, params.Normal(1))
	}
	if c.MaxMedia > 0 {
		name := "media_time_embs"
		if style == FlamingoPytorch {
			name = "media_pos_emb"
		}
		r.media = l.Shaped(name, []int{c.MaxMedia, 1, width}, []int{c.MaxMedia, width}, params.Normal(1))
	}
	inner := c.Heads * c.HeadDim
	for i := range c.Depth {
		at := fmt.Sprintf("layers.%d.0.", i)
		b := &resampling{c: c, normMedia: newNorm(l, at+"norm_media", width), normLatents: newNorm(l, at+"norm_latents", width)}
		b.toQ = linear(l, at+"to_q", inner, width)
		if style == FlamingoMini {
			b.toK, b.toV = linear(l, at+"to_k", inner, width), linear(l, at+"to_v", inner, width)
		} else {
			b.toKV = linear(l, at+"to_kv", 2*inner, width)
		}
		b.to = linear(l, at+"to_out", width, inner)
		b.ff = newFeedForward(l, fmt.Sprintf("layers.%d.1", i), width, c.FFMult, c.Act)
		r.layers = append(r.layers, b)
	}
	r.last = newNorm(l, "norm", width)
	return r
}

// Matrices are what can be packed when it is not trained.
func (r *Perceiver) Matrices() []*kernels.Param {
	var ms []*kernels.Param
	for _, b := range r.layers {
		for _, m := range append([]*kernels.Param{b.toQ, b.toKV, b.toK, b.toV, b.to}, b.ff.matrices()...) {
			if m != nil {
				ms = append(ms, m)
			}
		}
	}
	return ms
}

// BySlot says whether an image's latents depend on the slot that it stands in.
func (r *Perceiver) BySlot() bool { return r.media != nil }

// Apply gives the latents [I,N,E] of images whose frames' tokens are x [I,F*P,E]. slots are the places of the images in
// their rows, which only a resampler with slot embeddings reads.
func (r *Perceiver) Apply(p *kernels.Pass, x kernels.Tensor, frames int, slots []int32) kernels.Tensor {
	images, tokens := x.Dims[0], x.Dims[1]
	if frames <= 0 || tokens%frames != 0 || x.Dim(-1) != r.width {
		p.Fail(fmt.Errorf("resampler: %v are not the tokens of %d frames of width %d", x, frames, r.width))
		return p.Alloc(p.DType, images, r.c.Latents, r.width)
	}
	if r.frames != nil {
		if frames > r.c.MaxFrames {
			p.Fail(fmt.Errorf("resampler: %d frames, but the model has embeddings for %d", frames, r.c.MaxFrames))
			return p.Alloc(p.DType, images, r.c.Latents, r.width)
		}
		ids := make([]int32, tokens)
		for i := range ids {
			ids[i] = int32(i / (tokens / frames))
		}
		x = p.Add(x, p.Embed(r.frames, p.FromInt32(ids, tokens)), 1)
	}
	if r.media != nil {
		ids := make([]int32, images*tokens)
		for i := range ids {
			slot := slots[i/tokens]
			if slot < 0 || int(slot) >= r.c.MaxMedia {
				p.Fail(fmt.Errorf("resampler: image slot %d, but the model has embeddings for %d", slot, r.c.MaxMedia))
				return p.Alloc(p.DType, images, r.c.Latents, r.width)
			}
			ids[i] = slot
		}
		x = p.Add(x, p.Embed(r.media, p.FromInt32(ids, images, tokens)), 1)
	}
	x = p.Contiguous(x)
	latents := p.Repeat(p.Use(r.latents), images)
	for _, b := range r.layers {
		latents = p.Block(latents, func(latents kernels.Tensor) kernels.Tensor { return b.apply(p, x, latents) }, x)
	}
	return r.last.apply(p, latents)
}

// apply is one layer: latents + attention, then + feed forward.
func (b *resampling) apply(p *kernels.Pass, x, latents kernels.Tensor) kernels.Tensor {
	d := b.c.HeadDim
	own := b.normLatents.apply(p, latents)
	k, v := b.keysValues(p, b.normMedia.apply(p, x))
	k2, v2 := b.keysValues(p, own)
	mixed := p.Attention(kernels.Attention{Q: p.Linear(own, b.toQ, nil).Split(2, d), K: k, V: v, K2: k2, V2: v2, Scale: scale(d)})
	latents = p.LinearAdd(mixed.Reshape(latents.Dims[0], latents.Dims[1], b.c.Heads*d), b.to, nil, latents)
	return b.ff.apply(p, latents, latents)
}

func (b *resampling) keysValues(p *kernels.Pass, x kernels.Tensor) (k, v kernels.Tensor) {
	d := b.c.HeadDim
	if b.toKV == nil {
		return p.Linear(x, b.toK, nil).Split(2, d), p.Linear(x, b.toV, nil).Split(2, d)
	}
	inner := b.c.Heads * d
	kv := p.Linear(x, b.toKV, nil)
	return kv.Slice(2, 0, inner).Split(2, d), kv.Slice(2, inner, 2*inner).Split(2, d)
}
