package train

// What a step costs: multiplications and additions of matrix products and attention, counted from the shape alone.

import (
	"slices"
	"time"

	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/lm"
	"mmc4/models/lm/params"
)

// work is floating point operations: of the pass forward, and back with and without gradients of weights.
type work struct{ forward, backward float64 }

func (w *work) add(forward float64, through, weights bool) {
	w.forward += forward
	if through {
		w.backward += forward
	}
	if weights {
		w.backward += forward
	}
}

func (w work) total() float64 { return w.forward + w.backward }

// matrices is the elements of all that is multiplied with each row: weights with two dimensions, tables left out.
func matrices(ws []*params.Weight, without ...string) float64 {
	var n float64
next:
	for _, w := range ws {
		if len(w.Shape) < 2 {
			continue
		}
		for _, name := range without {
			if w.Name == name {
				continue next
			}
		}
		n += float64(w.Len())
	}
	return n
}

// lmWork is a language model over rows of t tokens, the head on share of them.
func lmWork(c lm.Config, rows, t, share float64, through, train bool) (w work) {
	tokens := rows * t
	plan := lm.Plan(c)
	w.add(2*tokens*matrices(plan, c.EmbedName(), c.HeadName(), "model.decoder.embed_positions.weight", "transformer.wpe.weight"), through, train)
	w.add(2*tokens*share*float64(c.Vocab*c.EmbedWidth), through, train)
	w.add(2*tokens*t*float64(c.Width*c.Layers), through, through && !train || train) // causal: half of 4 t C, and twice that back
	return w
}

func towerWork(width, layers, mlp int, rows, t float64, train bool) (w work) {
	per := float64(layers) * (4*float64(width)*float64(width) + 2*float64(width)*float64(mlp))
	w.add(2*rows*t*per, train, train)
	w.add(4*rows*t*t*float64(width*layers), train, train)
	return w
}

// visionWork is the tower on images.
func visionWork(c clip.VisionConfig, images float64, train bool) work {
	w := towerWork(c.Width, c.Layers, c.MLP, images, float64(c.Patches()+1), train)
	w.add(2*images*float64(c.Patches()*3*c.PatchSize*c.PatchSize*c.Width), false, train)
	return w
}

// flamingoWork is a batch of rows of t tokens with images, of which the tower looks at `looked`: none where their tokens are kept.
func flamingoWork(c flamingo.Config, rows, t, images, looked, share float64) (w work) {
	sum := func(x work) { w.forward += x.forward; w.backward += x.backward }
	sum(visionWork(c.Vision, looked, false))
	p := c.Perceiver
	inner, width := float64(p.Heads*p.HeadDim), float64(c.Vision.Width)
	latents, keys := float64(p.Latents), float64(c.Tokens()+p.Latents)
	for range p.Depth {
		w.add(2*images*(latents*2*inner*width+keys*2*inner*width), true, true)
		w.add(4*images*latents*keys*inner, true, true)
		w.add(4*images*latents*width*width*float64(p.FFMult), true, true)
	}
	x := c.XAttn
	inner = float64(x.Heads * x.HeadDim)
	for i := range c.LM.Layers {
		if !c.HasBlock(i) {
			continue
		}
		d := float64(c.LM.Width)
		w.add(2*rows*t*2*d*inner+2*images*latents*2*width*inner, true, true)
		w.add(4*rows*t*latents*inner, true, true)
		w.add(4*rows*t*d*d*float64(x.FFMult), true, true)
	}
	sum(lmWork(c.LM, rows, t, share, true, false))
	return w
}

// FlamingoFLOPs counts the operations of matrix products and attention of a step on rows of t tokens, a share of which is
// predicted, with so many pictures in all: forward, and back to what open_flamingo trains.
func FlamingoFLOPs(c flamingo.Config, rows, t, pictures, share float64) float64 {
	return flamingoWork(c, rows, t, pictures, pictures, share).total()
}

// batchWork is a batch of a config: rows of t tokens, a share of which is predicted, with images of which the tower looks at `looked`.
func (c *Config) batchWork(s *shapes, rows, t, images, looked, share float64) (w work) {
	switch c.Kind {
	case KindFlamingo:
		return flamingoWork(s.flamingo, rows, t, images, looked, share)
	case KindLM:
		return lmWork(s.lm, rows, t, share, true, c.LoRA == nil)
	case KindCLIP:
		w = visionWork(s.clip.Vision, images, true)
		text := towerWork(s.clip.Text.Width, s.clip.Text.Layers, s.clip.Text.MLP, rows, t, true)
		w.forward, w.backward = w.forward+text.forward, w.backward+text.backward
	}
	return w // a probe multiplies next to nothing
}

// stepWork estimates a step of a config. Images and tokens are the limits of a row, all of them looked at and predicted: an upper bound.
func (c *Config) stepWork(s *shapes) (total work) {
	for _, stream := range c.Streams {
		rows, t, images := float64(stream.Batch*c.Accumulate), float64(stream.MaxTokens), 1.0
		switch {
		case c.Kind == KindCLIP:
			t = float64(s.clip.Text.Context)
		case stream.Sequences != "pairs":
			images = float64(stream.MaxImages)
		}
		w := c.batchWork(s, rows, t, rows*images, rows*images, 1)
		total.forward, total.backward = total.forward+w.forward, total.backward+w.backward
	}
	return total
}

// workOf is the operations of the batches that a step learnt from. computed is how many pictures had no visual tokens kept, where
// those are kept at all.
func (r *run) workOf(parts []Part, computed int) (total float64) {
	for _, part := range parts {
		b := part.Batch
		if r.task.Share(b) == 0 {
			continue // Stepper leaves it out
		}
		rows, t, images, looked := b.Rows, b.Len, len(b.Pictures), len(b.Pictures)
		share := float64(b.LossTokens) / float64(rows*t)
		switch f, _ := r.task.(*Flamingo); {
		case r.config.Kind == KindCLIP:
			q := pair(b)
			rows, t = len(q.texts), len(q.texts[0])
		case f == nil:
		case f.Visual != nil:
			looked, computed = computed, 0 // of all batches: counted once
		case f.EmptySlots && slices.Contains(b.Slot, -1):
			images, looked = images+1, looked+1
		}
		total += r.config.batchWork(r.shapes, float64(rows), float64(t), float64(images), float64(looked), share).total()
	}
	return total
}

// Rate measures how many operations of matrix products a device does a second, in a quarter of a second.
func Rate(dev kernels.Device, dtype kernels.DType) (float64, error) {
	queue, err := dev.NewQueue()
	if err != nil {
		return 0, err
	}
	arena := kernels.NewArena(dev, 0)
	defer arena.Free()
	p := kernels.NewPass(dev, queue, arena, kernels.PassOptions{DType: dtype})
	const n = 512
	if dev.Name() == "ref" {
		return 0, nil
	}
	a, b := p.FromFloat32(make([]float32, n*n), n, n), p.FromFloat32(make([]float32, n*n), n, n)
	out := p.Alloc(dtype, n, n)
	run := func(k int) (float64, error) {
		began := time.Now()
		for range k {
			p.Do(&kernels.MatMul{A: a, B: b, Out: out, TransB: true})
		}
		err := p.Wait()
		return time.Since(began).Seconds(), err
	}
	if _, err := run(2); err != nil {
		return 0, err
	}
	k, took := 4, 0.0
	for took < 0.1 && k < 1<<20 {
		k *= 2
		if took, err = run(k); err != nil {
			return 0, err
		}
	}
	return 2 * n * n * n * float64(k) / took, nil
}
