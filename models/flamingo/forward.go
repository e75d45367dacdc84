package flamingo

import (
	"fmt"

	"mmc4/kernels"
	"mmc4/models/lm"
)

// Media is what the rows of a batch may see: the latents of their images. It lives as long as the step of its pass.
type Media struct {
	Rows, Slots int            // B, S
	Latents     kernels.Tensor // [B,S,N,E]; none when no row has an image
	// First is how many images of each row come before its first slot: behind a prefix that was read, nothing looks at them any
	// more. nil: none. Generate and Rank alone mind it.
	First []int32
}

// Patches gives the tower's tokens [n,P,E] of normalised pixels [n,3,H,W], which Resample takes and which can be kept to spare
// the tower in later epochs.
func (m *Model) Patches(p *kernels.Pass, pixels kernels.Tensor) kernels.Tensor {
	if m.Vision == nil {
		p.Fail(fmt.Errorf("flamingo: the model was made without a vision tower: give tokens instead of pixels"))
		return p.Alloc(p.DType, pixels.Dims[0], m.Config.Tokens(), m.Config.Vision.Width)
	}
	// The tower is frozen: it runs off the tape, and all its memory but the result is used again.
	out := p.Alloc(p.DType, pixels.Dims[0], m.Config.Tokens(), m.Config.Vision.Width)
	mark := p.Arena().Mark()
	off := kernels.NewPass(p.Device(), p.Queue(), p.Arena(), kernels.PassOptions{DType: p.DType})
	tokens := m.Vision.Tokens(off, pixels)
	if !m.Config.ClassToken {
		tokens = tokens.Slice(1, 1, tokens.Dims[1])
	}
	off.CopyInto(out, tokens)
	p.Arena().Release(mark)
	if err := off.Err(); err != nil {
		p.Fail(err)
	}
	return out
}

// Resample turns tokens [I,F*P,E] of I images of F frames into what rows of text see. slots [B*S] names the image in each
// slot of each row; -1 is an empty slot, which no text looks at (open_flamingo encodes an image of zeros there: to do as it
// does, give that image). An image may stand in several slots and is resampled once.
func (m *Model) Resample(p *kernels.Pass, tokens kernels.Tensor, frames, rows int, slots []int32) *Media {
	media := &Media{Rows: rows}
	if rows <= 0 || len(slots)%rows != 0 {
		p.Fail(fmt.Errorf("flamingo: %d image slots do not make %d rows", len(slots), rows))
		return media
	}
	images := 0
	if !tokens.None() {
		images = tokens.Dims[0]
	}
	used, plain := false, len(slots) == images
	for i, image := range slots {
		if image < -1 || int(image) >= images {
			p.Fail(fmt.Errorf("flamingo: slot %d names image %d of %d", i, image, images))
			return media
		}
		used = used || image >= 0
		plain = plain && int(image) == i
	}
	if !used {
		return media
	}
	media.Slots = len(slots) / rows
	n, width := m.Config.Perceiver.Latents, m.Config.Vision.Width
	places := make([]int32, len(slots)) // of a slot within its row
	filled := make([]int32, len(slots))
	for i, image := range slots {
		places[i], filled[i] = int32(i%media.Slots), max(image, 0)
	}
	pick := func(x kernels.Tensor) kernels.Tensor {
		if plain {
			return x
		}
		each := x.Dims[1] * x.Dims[2]
		return p.Rows(p.Contiguous(x).Reshape(images, each), p.FromInt32(filled, len(filled))).Reshape(len(filled), x.Dims[1], x.Dims[2])
	}
	var latents kernels.Tensor
	if m.Perceiver.BySlot() {
		latents = m.Perceiver.Apply(p, pick(tokens), frames, places)
	} else {
		latents = pick(m.Perceiver.Apply(p, tokens, frames, nil))
	}
	media.Latents = latents.Reshape(rows, media.Slots, n, width)
	return media
}

// See is Patches and Resample: pixels are [I*F,3,H,W], the frames of an image after each other.
func (m *Model) See(p *kernels.Pass, pixels kernels.Tensor, frames, rows int, slots []int32) *Media {
	if pixels.None() {
		return m.Resample(p, pixels, frames, rows, slots)
	}
	tokens := p.Contiguous(m.Patches(p, pixels))
	if frames <= 0 || tokens.Dims[0]%frames != 0 {
		p.Fail(fmt.Errorf("flamingo: %d pictures do not make images of %d frames", tokens.Dims[0], frames))
		return &Media{Rows: rows}
	}
	return m.Resample(p, tokens.Reshape(tokens.Dims[0]/frames, frames*tokens.Dims[1], tokens.Dims[2]), frames, rows, slots)
}

// Hidden runs the language model on text that sees media. times are the text times [B,T]; nil counts the <image> tokens.
func (m *Model) Hidden(p *kernels.Pass, in lm.Input, media *Media, times []int32) kernels.Tensor {
	if times == nil {
		times = TextTimes(in.IDs, in.Rows, m.Config.Media)
	}
	if media.Rows != in.Rows || len(times) != len(in.IDs) {
		p.Fail(fmt.Errorf("flamingo: media of %d rows and %d text times for %d rows of %d tokens", media.Rows, len(times), in.Rows, in.Len()))
		return p.Alloc(p.DType, max(in.Rows, 1), max(in.Len(), 1), m.Config.LM.Width)
	}
	l := look{latents: m.Config.Perceiver.Latents, group: 1}
	var flat kernels.Tensor
	if media.Slots > 0 {
		flat = media.Latents.Reshape(in.Rows, media.Slots*l.latents, m.Config.Vision.Width)
		l.times = p.FromInt32(times, in.Rows, in.Len())
	}
	in.Before = func(layer int, x kernels.Tensor) kernels.Tensor {
		b := m.Blocks[layer]
		if b == nil {
			return x
		}
		return p.Block(x, func(x kernels.Tensor) kernels.Tensor {
			var k, v kernels.Tensor
			if media.Slots > 0 {
				k, v = b.KeysValues(p, flat)
			}
			return b.apply(p, x, k, v, l)
		}, flat)
	}
	return m.LM.Hidden(p, in)
}

// Logits is fp32 [..,V] of what Hidden gave.
func (m *Model) Logits(p *kernels.Pass, x kernels.Tensor) kernels.Tensor { return m.LM.Logits(p, x) }

// Loss is the language model's loss on labels [B,T] (lm.NoLabel: none), and the number of places it is the mean of.
func (m *Model) Loss(p *kernels.Pass, x kernels.Tensor, labels []int32) (loss, count kernels.Tensor) {
	return m.LM.Loss(p, x, labels)
}
