package flamingo

import (
	"fmt"

	"mmc4/kernels"
	"mmc4/models/lm"
)

// Memory is media that outlive a step, as the keys and values of every gated block: computed once, read by every step of
// decoding, and by all beams and candidates of a row.
type Memory struct {
	rows, slots int
	first       []int32          // as in Media
	kv          []kernels.Tensor // of each layer [B,S*N,2*H*D], none without a block
	buffers     []kernels.Buffer
}

// Keep computes a Memory of media. Free it when the work that reads it is done.
func (m *Model) Keep(p *kernels.Pass, media *Media) (*Memory, error) {
	kept := &Memory{rows: media.Rows, slots: media.Slots, first: media.First, kv: make([]kernels.Tensor, len(m.Blocks))}
	if media.Slots == 0 {
		return kept, p.Err()
	}
	n := m.Config.Perceiver.Latents
	flat := media.Latents.Reshape(media.Rows, media.Slots*n, m.Config.Vision.Width)
	for i, b := range m.Blocks {
		if b == nil {
			continue
		}
		mark := p.Arena().Mark()
		kv := b.packed(p, flat)
		buf, err := p.Device().Alloc(max(1, kv.Len()*kv.DType.Size()))
		if err != nil {
			kept.Free()
			return nil, fmt.Errorf("flamingo: keys and values of %d images: %w", media.Rows*media.Slots, err)
		}
		kept.buffers = append(kept.buffers, buf)
		kept.kv[i] = kernels.View(buf, 0, kv.DType, kv.Shape()...)
		p.CopyInto(kept.kv[i], kv)
		p.Arena().Release(mark)
	}
	return kept, p.Err()
}

// Free returns the memory; the queue's work must be done.
func (k *Memory) Free() {
	for _, b := range k.buffers {
		b.Free()
	}
	k.buffers = nil
}

// before is the hook of a step whose rows (group for each row of the memory) see at these times [rows,T].
func (m *Model) before(p *kernels.Pass, kept *Memory, times []int32, rows, group int) func(int, kernels.Tensor) kernels.Tensor {
	l := look{latents: m.Config.Perceiver.Latents, group: group}
	if kept.slots > 0 {
		l.times = p.FromInt32(times, rows, len(times)/rows)
	}
	return func(layer int, x kernels.Tensor) kernels.Tensor {
		b := m.Blocks[layer]
		if b == nil {
			return x
		}
		return p.Block(x, func(x kernels.Tensor) kernels.Tensor {
			var k, v kernels.Tensor
			if kept.slots > 0 {
				k, v = b.views(kept.kv[layer])
			}
			return b.apply(p, x, k, v, l)
		})
	}
}

// times are the text times of a prompt, counted from the image in a row's first slot.
func (k *Memory) times(prompt lm.Prompt, marker int) []int32 {
	times := TextTimes(prompt.IDs, prompt.Rows, marker)
	for row, first := range k.first {
		t := len(times) / prompt.Rows
		for i := row * t; i < (row+1)*t; i++ {
			times[i] = max(0, times[i]-first)
		}
	}
	return times
}

// counts are the numbers of <image> tokens of each row of a prompt.
func counts(times []int32, rows int) []int32 {
	t := len(times) / rows
	last := make([]int32, rows)
	for row := range last {
		last[row] = times[(row+1)*t-1]
	}
	return last
}

// checkPrompt reports a prompt that does not fit its media.
func checkPrompt(prompt lm.Prompt, rows int) error {
	if prompt.Rows != rows || rows == 0 || len(prompt.IDs) == 0 || len(prompt.IDs)%rows != 0 {
		return fmt.Errorf("flamingo: a prompt of %d ids in %d rows for media of %d rows", len(prompt.IDs), prompt.Rows, rows)
	}
	return nil
}
