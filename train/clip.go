package train

// A CLIP as a task: each picture is to find its text among those of the batch, and the other way round (open_clip's
// ClipLoss).

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

// Share counts rows.
func (c *Contrastive) Share(b *data.Batch) int { return b.Rows }

// Updated keeps the scale between 1 and 100.
func (c *Contrastive) Updated(queue kernels.Queue) {
	v := c.LogitScale.Value
	queue.Do(&kernels.Clamp{X: v, Out: v, Min: 0, Max: float32(math.Log(100))})
}

// Loss is the mean over both directions.
func (c *Contrastive) Loss(p *kernels.Pass, _ int, b *data.Batch) kernels.Tensor {
	rows := make([][]int64, b.Rows)
	for i := range rows {
		for _, id := range b.IDs[i*b.Len : (i+1)*b.Len] {
			rows[i] = append(rows[i], int64(id))
		}
	}
	loss, _, _ := c.LossOf(p, squares(p, b, c.Preprocess), rows)
	return loss
}

// LossOf is Loss of normalised pixels [B,3,H,W] and rows of ids, with the normalised features [B,embed].
func (c *Contrastive) LossOf(p *kernels.Pass, pixels kernels.Tensor, rows [][]int64) (loss, images, texts kernels.Tensor) {
	images = p.L2Norm(c.Vision.Features(p, pixels))
	texts = p.L2Norm(c.Text.Features(p, rows))
	labels := make([]int32, len(rows))
	for i := range labels {
		labels[i] = int32(i)
	}
	own := p.FromInt32(labels, len(labels))
	scale := p.Use(c.LogitScale)
	byImage, _ := p.CrossEntropyInPlace(p.ScaleBy(p.MatMul(images, texts, false, true, 1, kernels.F32), scale, true), own)
	byText, _ := p.CrossEntropyInPlace(p.ScaleBy(p.MatMul(texts, images, false, true, 1, kernels.F32), scale, true), own)
	half := p.Upload(kernels.F32, kernels.EncodeFloats(kernels.F32, []float32{0.5}), 1)
	return p.ScaleBy(p.Add(byImage, byText, 1), half, false), images, texts
}
