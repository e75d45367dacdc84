package train

// A linear head on features as a task: logistic regression, for filters.

import (
	"fmt"

	"mmc4/kernels"
	"mmc4/models/lm/params"
	"mmc4/train/data"
)

// Probe teaches one weight a feature and a bias.
type Probe struct {
	plain
	Dim          int
	Decay        float64
	weight, bias *params.Weight
}

// NewProbe begins at zero.
func NewProbe(dev kernels.Device, queue kernels.Queue, dim int, decay float64) (*Probe, error) {
	l := &params.Loader{Device: dev, Queue: queue, DType: kernels.F32}
	l.Matrix("weight", 1, dim, params.Zeros)
	l.Vector("bias", 1, params.Zeros)
	if err := l.Err(); err != nil {
		return nil, err
	}
	return &Probe{Dim: dim, Decay: decay, weight: l.Weights[0], bias: l.Weights[1]}, params.Train(dev, queue, false, l.Weights...)
}

// Groups decays the weight.
func (t *Probe) Groups() []Group {
	return []Group{{Name: "weight", Decay: t.Decay, Weights: []*params.Weight{t.weight}}, {Name: "bias", Weights: []*params.Weight{t.bias}}}
}

// Free frees the head.
func (t *Probe) Free() { params.Free(t.weight, t.bias) }

// Share counts rows.
func (t *Probe) Share(b *data.Batch) int { return b.Rows }

// Loss is the binary cross entropy: the softmax of the score and 0.
func (t *Probe) Loss(p *kernels.Pass, _ int, b *data.Batch) kernels.Tensor {
	if len(b.Features) != b.Rows*t.Dim {
		p.Fail(fmt.Errorf("probe: %d features for %d rows of %d", len(b.Features), b.Rows, t.Dim))
		return p.Alloc(kernels.F32, 1)
	}
	score := p.LinearWith(kernels.LinearArgs{X: p.FromFloat32(b.Features, b.Rows, t.Dim), W: t.weight.Param, B: t.bias.Param, DType: kernels.F32})
	none := p.Upload(kernels.F32, make([]byte, 4*b.Rows), b.Rows, 1)
	loss, _ := p.CrossEntropy(p.Concat(1, none, score), p.FromInt32(b.Labels, b.Rows))
	return loss
}
