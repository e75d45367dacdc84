package train

// A CLIP as a task: each picture is to find its text among those of the batch, and the other way round (open_clip's
// ClipLoss); with Contrast, pairs that fit as well are no negatives, and cosines themselves have bounds.

import (
	"math"
	"strings"

	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/lm/params"
	"mmc4/train/data"
)

// Contrastive teaches both towers and the logit scale.
type Contrastive struct {
	plain
	Vision     *clip.Vision
	Text       *clip.Text
	LogitScale *kernels.Param // [1], the logarithm
	Preprocess clip.Preprocess
	Decay      float64
	Contrast   *Contrast // or nil

	weights []*params.Weight
}

// NewContrastive makes both towers trainable.
func NewContrastive(dev kernels.Device, queue kernels.Queue, v *clip.Vision, t *clip.Text, logScale float32, bf16 bool, decay float64) (*Contrastive, error) {
	scale, err := kernels.NewParam(dev, queue, "logit_scale", kernels.F32, []float32{logScale}, 1)
	if err != nil {
		return nil, err
	}
	c := &Contrastive{Vision: v, Text: t, LogitScale: scale, Decay: decay}
	for _, p := range v.Params {
		c.weights = append(c.weights, &params.Weight{Name: p.Name, Shape: v.Shape(p.Name), Param: p})
	}
	for _, p := range t.Params {
		c.weights = append(c.weights, &params.Weight{Name: p.Name, Shape: p.Shape(), Param: p})
	}
	c.weights = append(c.weights, &params.Weight{Name: scale.Name, Shape: []int{}, Param: scale})
	return c, params.Train(dev, queue, bf16, c.weights...)
}

// Groups are open_clip's: no decay of what has fewer than two dimensions, or bn, ln, bias or logit_scale in its name.
func (c *Contrastive) Groups() []Group {
	free, decayed := Group{Name: "gains and biases"}, Group{Name: "rest", Decay: c.Decay}
	for _, w := range c.weights {
		if len(w.Shape) < 2 || strings.Contains(w.Name, "ln") || strings.Contains(w.Name, "bn") || strings.Contains(w.Name, "bias") || strings.Contains(w.Name, "logit_scale") {
			free.Weights = append(free.Weights, w)
		} else {
			decayed.Weights = append(decayed.Weights, w)
		}
	}
	return []Group{free, decayed}
}

// Free frees both towers.
func (c *Contrastive) Free() {
	c.Vision.Free()
	c.Text.Free()
	params.Free(c.weights...)
}

// Share counts pairs.
func (c *Contrastive) Share(b *data.Batch) int {
	n := 0
	for i := range b.Rows {
		if seen, said := halves(b, i); seen && said {
			n++
		}
	}
	return n
}

// Updated keeps the scale between 1 and 100, or Contrast's.
func (c *Contrastive) Updated(queue kernels.Queue) {
	v := c.LogitScale.Value
	queue.Do(&kernels.Clamp{X: v, Out: v, Min: 0, Max: c.Contrast.most()})
}

// Loss is the mean over both directions, and the hinges of Contrast.
func (c *Contrastive) Loss(p *kernels.Pass, _ int, b *data.Batch) kernels.Tensor {
	q := pair(b)
	if len(q.textOf) == 0 || len(q.texts) == 0 {
		return p.FromFloat32([]float32{float32(math.NaN())}, 1) // no pair, as CrossEntropy has it
	}
	loss, _, _ := c.lossOf(p, squares(p, b, c.Preprocess), q)
	return loss
}

// LossOf is the loss of pairs: normalised pixels [B,3,H,W] and rows of ids, with the normalised features [B,embed].
func (c *Contrastive) LossOf(p *kernels.Pass, pixels kernels.Tensor, rows [][]int64) (loss, images, texts kernels.Tensor) {
	q := pairing{texts: rows}
	for i := range rows {
		q.textOf, q.pictureOf = append(q.textOf, int32(i)), append(q.pictureOf, int32(i))
	}
	q.relate(q.textOf, q.pictureOf, make([]data.Likeness, len(rows)))
	return c.lossOf(p, pixels, q)
}

func (c *Contrastive) lossOf(p *kernels.Pass, pixels kernels.Tensor, q pairing) (loss, images, texts kernels.Tensor) {
	images = p.L2Norm(c.Vision.Features(p, pixels))
	texts = p.L2Norm(c.Text.Features(p, q.texts))
	scale := p.Use(c.LogitScale)
	side := func(cosines kernels.Tensor, own []int32, ofTexts bool) kernels.Tensor {
		logits := p.ScaleBy(cosines, scale, true)
		if c.Contrast != nil {
			if hidden := q.hidden(p, ofTexts); !hidden.None() {
				logits = p.Add(logits, hidden, 1)
			}
		}
		loss, _ := p.CrossEntropyInPlace(logits, p.FromInt32(own, len(own)))
		return loss
	}
	cosines := p.MatMul(images, texts, false, true, 1, kernels.F32)
	byImage := side(cosines, q.textOf, false)
	byText := side(p.MatMul(texts, images, false, true, 1, kernels.F32), q.pictureOf, true)
	half := p.Upload(kernels.F32, kernels.EncodeFloats(kernels.F32, []float32{0.5}), 1)
	loss = p.ScaleBy(p.Add(byImage, byText, 1), half, false)
	if c.Contrast != nil {
		loss = p.Add(loss, c.Contrast.hinges(p, cosines, &q), 1)
	}
	return loss, images, texts
}
