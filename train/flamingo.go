package train

// A Flamingo as a task: text that sees its pictures (open_flamingo's forward and its choice of what is trained).

import (
	"fmt"

	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/lm"
	"mmc4/train/data"
)

// Flamingo teaches the resampler, the gated blocks and two rows of the embedding.
type Flamingo struct {
	plain
	Model      *flamingo.Model
	Preprocess clip.Preprocess
	Decay      float64 // of the gated blocks
	// EmptySlots encodes an image of zeros for every slot without a picture, as open_flamingo does.
	EmptySlots bool
	// Visual keeps what the tower made of pictures; nil: the tower looks at every batch. Not with EmptySlots.
	Visual *Visual
}

// Groups are upstream's: weight decay on the gated blocks alone, gates and norms included; then adapters.
func (f *Flamingo) Groups() []Group {
	rest := Group{Name: "resampler, embedding"}
	rest.Weights = append(append(rest.Weights, f.Model.Resampler...), f.Model.Embedding...)
	groups := []Group{{Name: "gated blocks", Decay: f.Decay, Weights: f.Model.Gated}, rest}
	if len(f.Model.Adapters) > 0 {
		groups = append(groups, Group{Name: "adapters", Weights: f.Model.Adapters})
	}
	return groups
}

// Masked leaves the gradients of the embedding's rows of <image> and <|endofchunk|> alone.
func (f *Flamingo) Masked(queue kernels.Queue) { f.Model.MaskEmbedding(queue) }

// Updated shows the rows to lookups.
func (f *Flamingo) Updated(queue kernels.Queue) { f.Model.Updated(queue) }

// Free frees the model.
func (f *Flamingo) Free() { f.Model.Free() }

// Loss is the language model's on the batch's labels.
func (f *Flamingo) Loss(p *kernels.Pass, _ int, b *data.Batch) kernels.Tensor {
	var pixels kernels.Tensor
	images := len(b.Pictures)
	slots := make([]int32, len(b.Slot))
	empty := false
	for i, at := range b.Slot {
		slots[i] = int32(at)
		if at < 0 && f.EmptySlots {
			slots[i], empty = int32(images), true
		}
	}
	switch {
	case f.Visual != nil && images > 0:
		tokens := f.Visual.Tokens(p, b, func(some *data.Batch) kernels.Tensor { return squares(p, some, f.Preprocess) })
		return f.lossOn(p, f.Model.Resample(p, tokens, 1, b.Rows, slots), b)
	case images > 0 || empty:
		pixels = f.pixels(p, b, empty)
	}
	return f.LossOf(p, pixels, slots, b)
}

// pixels are the pictures [I,3,H,W], with one of zeros behind them when a slot is empty.
func (f *Flamingo) pixels(p *kernels.Pass, b *data.Batch, empty bool) kernels.Tensor {
	x := squares(p, b, f.Preprocess)
	if !empty {
		return x
	}
	size := f.Preprocess.Size
	zero := p.FromFloat32(make([]float32, 3*size*size), 1, 3, size, size)
	if len(b.Pictures) == 0 {
		return zero
	}
	return p.Concat(0, x, zero)
}

// LossOf is Loss with pixels [I,3,H,W] that were made before; slots [B*S] name them.
func (f *Flamingo) LossOf(p *kernels.Pass, pixels kernels.Tensor, slots []int32, b *data.Batch) kernels.Tensor {
	return f.lossOn(p, f.Model.See(p, pixels, 1, b.Rows, slots), b)
}

func (f *Flamingo) lossOn(p *kernels.Pass, media *flamingo.Media, b *data.Batch) kernels.Tensor {
	hidden := f.Model.Hidden(p, lm.Input{IDs: b.IDs, Rows: b.Rows, Mask: b.Mask}, media, nil)
	loss, _ := f.Model.Loss(p, hidden, b.Labels)
	return loss
}

// squares uploads a batch's pictures and normalises them on the device.
func squares(p *kernels.Pass, b *data.Batch, t clip.Preprocess) kernels.Tensor {
	size := t.Size
	bytes := make([]byte, 0, len(b.Pictures)*3*size*size)
	for i, m := range b.Pictures {
		if m.Width != size || m.Height != size {
			p.Fail(fmt.Errorf("picture %d of the batch has %d x %d pixels, the tower wants %d", i, m.Width, m.Height, size))
		}
		bytes = append(bytes, m.Pix...)
	}
	if len(b.Pictures) == 0 || p.Err() != nil {
		return kernels.Tensor{}
	}
	return p.NormalizePixels(p.FromUint8(bytes, len(b.Pictures), size, size, 3), t.Mean, t.Std)
}
