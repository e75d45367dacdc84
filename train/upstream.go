package train

// open_flamingo 2.0.1's step (train_utils.py, train_one_epoch), for --compat: losses are divided by the number of
// micro-steps whatever they are the mean of, the running sum of gradients is clipped at every micro-step, and a loss that is
// NaN drops all gradients so far and its boundary.

import "mmc4/kernels"

// Upstream takes micro-steps as open_flamingo does.
type Upstream struct {
	Task       Task
	Optimizer  *Optimizer
	Schedule   Schedule // over optimizer steps; upstream's Total counts micro-steps
	Pass       *kernels.Pass
	Accumulate int
}

// MicroResult is what a micro-step found.
type MicroResult struct {
	Losses  []float64 // of the parts, before weights and division; 0 after one that was NaN
	Norm    float64   // before clipping
	Skipped bool
	Updated bool
	LR      float64 // where Updated
}

// Micro learns from the parts of one micro-step, in their order. boundary asks for an update at its end.
func (u *Upstream) Micro(parts []Part, boundary bool) (MicroResult, error) {
	p := u.Pass
	r := MicroResult{Losses: make([]float64, len(parts))}
	for i, part := range parts {
		p.Reset()
		loss := u.Task.Loss(p, part.Stream, part.Batch)
		v, err := p.Float32(loss)
		if err != nil {
			return r, err
		}
		if bad(float64(v[0])) {
			r.Skipped = true
			u.Optimizer.Zero(p.Queue())
			return r, p.Wait()
		}
		r.Losses[i] = float64(v[0])
		p.Backward(loss, float32(part.Weight/float64(u.Accumulate)))
		if err := p.Err(); err != nil {
			return r, err
		}
	}
	p.Reset()
	u.Task.Masked(p.Queue())
	norm, scale, err := u.Optimizer.Norm(p)
	if err != nil {
		return r, err
	}
	r.Norm = float64(norm)
	u.Optimizer.Scale(p, scale)
	if boundary {
		r.Updated, r.LR = true, u.Optimizer.LR*u.Schedule.At(u.Optimizer.Step)
		u.Optimizer.Update(p, r.LR, kernels.Tensor{})
		u.Task.Updated(p.Queue())
		u.Optimizer.Zero(p.Queue())
	}
	return r, p.Wait()
}
