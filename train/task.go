package train

// What the loop asks of a model.

import (
	"mmc4/kernels"
	"mmc4/models/lm/params"
	"mmc4/train/data"
)

// Group is weights with one decay.
type Group struct {
	Name    string
	Decay   float64
	Weights []*params.Weight
}

// Task is a model that can be taught.
type Task interface {
	// Groups are the weights that are trained, in the order of the optimizer's state.
	Groups() []Group
	// Loss is the mean loss of a batch of a stream, fp32 [1].
	Loss(p *kernels.Pass, stream int, b *data.Batch) kernels.Tensor
	// Share is what a batch counts for among those of its stream in a step: its loss tokens, or rows.
	Share(b *data.Batch) int
	// Masked clears gradients that are not to be followed: between the backward pass and the norm.
	Masked(queue kernels.Queue)
	// Updated follows the optimizer: limits on weights. It also follows a step that was skipped, and must change nothing then.
	Updated(queue kernels.Queue)
	// Free gives the model's memory back to the device.
	Free()
}

// plain is what most tasks do.
type plain struct{}

func (plain) Share(b *data.Batch) int     { return b.LossTokens }
func (plain) Masked(queue kernels.Queue)  {}
func (plain) Updated(queue kernels.Queue) {}

// Params are all trained parameters of a task.
func Params(t Task) []*kernels.Param {
	var ps []*kernels.Param
	for _, g := range t.Groups() {
		for _, w := range g.Weights {
			ps = append(ps, w.Param)
		}
	}
	return ps
}
