package train

// AdamW over the groups of a task: torch.optim.AdamW's arithmetic, on the device.

import (
	"fmt"
	"math"

	"mmc4/kernels"
)

// AdamW says how weights follow gradients. Clip bounds the global norm; 0: no bound.
type AdamW struct {
	LR    float64 `yaml:"lr" json:"lr"`
	Beta1 float64 `yaml:"beta1" json:"beta1"`
	Beta2 float64 `yaml:"beta2" json:"beta2"`
	Eps   float64 `yaml:"eps" json:"eps"`
	Decay float64 `yaml:"weight_decay" json:"weight_decay"`
	Clip  float64 `yaml:"clip" json:"clip"`
}

func (a AdamW) check() error {
	switch {
	case !(a.LR > 0):
		return fmt.Errorf("optimizer.lr is %v", a.LR)
	case !(a.Beta1 >= 0 && a.Beta1 < 1 && a.Beta2 >= 0 && a.Beta2 < 1):
		return fmt.Errorf("optimizer.beta1 and beta2 are %v and %v; both must be in [0,1)", a.Beta1, a.Beta2)
	case !(a.Eps > 0) || a.Decay < 0 || a.Clip < 0:
		return fmt.Errorf("optimizer.eps is %v, weight_decay %v, clip %v", a.Eps, a.Decay, a.Clip)
	}
	return nil
}

// Optimizer is AdamW with its state.
type Optimizer struct {
	AdamW
	Groups []Group
	Step   int // updates made

	moments map[*kernels.Param][2]kernels.Tensor // first and second
	params  []kernels.AdamWParam                 // of all groups
}

// NewOptimizer makes the state of a task's weights, all zero.
func NewOptimizer(dev kernels.Device, queue kernels.Queue, o AdamW, groups []Group) (*Optimizer, error) {
	opt := &Optimizer{AdamW: o, Groups: groups, moments: map[*kernels.Param][2]kernels.Tensor{}}
	for _, g := range groups {
		for _, w := range g.Weights {
			var pair [2]kernels.Tensor
			for i := range pair {
				buf, err := dev.Alloc(4 * w.Len())
				if err != nil {
					return nil, fmt.Errorf("optimizer state of %s: %w", w.Name, err)
				}
				pair[i] = kernels.View(buf, 0, kernels.F32, w.Param.Value.Shape()...)
				queue.Do(&kernels.Fill{Dst: pair[i]})
			}
			opt.moments[w.Param] = pair
			opt.params = append(opt.params, kernels.AdamWParam{W: w.Param.Value, M: pair[0], V: pair[1], Grad: w.Param.Grad, Copy: w.Param.Compute, Decay: float32(g.Decay)})
		}
	}
	return opt, nil
}

// Free gives the state back to the device. The optimizer is of no use after it.
func (o *Optimizer) Free() {
	for _, pair := range o.moments {
		pair[0].Mem.Free()
		pair[1].Mem.Free()
	}
	o.moments, o.params = nil, nil
}

func (o *Optimizer) grads() []kernels.Tensor {
	ts := make([]kernels.Tensor, len(o.params))
	for i := range ts {
		ts[i] = o.params[i].Grad
	}
	return ts
}

// Zero clears all gradients.
func (o *Optimizer) Zero(queue kernels.Queue) {
	for _, g := range o.grads() {
		queue.Do(&kernels.Fill{Dst: g})
	}
}

// Norm is the global norm of the gradients, and the factor that brings it down to Clip as a tensor of the step. It waits.
func (o *Optimizer) Norm(p *kernels.Pass) (norm float32, scale kernels.Tensor, err error) {
	sum := p.Alloc(kernels.F32, 1)
	p.Do(&kernels.SumSquares{Xs: o.grads(), Out: sum})
	scale = p.Upload(kernels.F32, kernels.EncodeFloats(kernels.F32, []float32{1}), 1)
	if o.Clip > 0 {
		p.Do(&kernels.ClipScale{SumSq: sum, Max: float32(o.Clip), Out: scale})
	}
	v, err := p.Float32(sum)
	if err != nil {
		return 0, scale, err
	}
	return float32(math.Sqrt(float64(v[0]))), scale, nil
}

// Scale multiplies the gradients.
func (o *Optimizer) Scale(p *kernels.Pass, scale kernels.Tensor) {
	for _, g := range o.grads() {
		p.Do(&kernels.ScaleBy{X: g, Out: g, S: scale})
	}
}

// Update takes a step with the learning rate; gradients are multiplied by scale on their way (none: 1).
func (o *Optimizer) Update(p *kernels.Pass, lr float64, scale kernels.Tensor) {
	hyper := p.Upload(kernels.F32, kernels.EncodeFloats(kernels.F32, o.hyper(lr, o.Step)), kernels.HyperLen)
	p.Do(&kernels.AdamW{Params: o.params, Scale: scale, Hyper: hyper})
	o.Step++
}

// guarded takes a step if all of found are finite, of which the first becomes the square of the gradients' norm.
func (o *Optimizer) guarded(p *kernels.Pass, m *stepMemory, found kernels.Tensor) {
	square, scale := m.number(0), kernels.Tensor{}
	p.Do(&kernels.SumSquares{Xs: o.grads(), Out: square})
	if o.Clip > 0 {
		scale = p.Alloc(kernels.F32, 1)
		p.Do(&kernels.ClipScale{SumSq: square, Max: float32(o.Clip), Out: scale})
	}
	p.Do(&kernels.StepGuard{Found: found, Table: m.table, First: m.first, Count: m.updates, Hyper: m.hyper, Go: m.run})
	p.Do(&kernels.AdamW{Params: o.params, Scale: scale, Hyper: m.hyper, Go: m.run})
}

// hyper is what AdamW is told when so many updates were made before.
func (o *Optimizer) hyper(lr float64, updates int) []float32 {
	k := float64(updates + 1)
	return []float32{float32(lr), float32(o.Beta1), float32(o.Beta2), float32(o.Eps), float32(1 - math.Pow(o.Beta1, k)), float32(1 - math.Pow(o.Beta2, k))}
}
