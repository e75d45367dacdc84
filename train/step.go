package train

// One step of the optimizer over batches of all streams.

import (
	"fmt"
	"math"

	"mmc4/kernels"
	"mmc4/train/data"
)

// Part is a batch of a stream.
type Part struct {
	Stream int
	Weight float64 // of the stream's loss
	Batch  *data.Batch
}

// StepResult is what a step found.
type StepResult struct {
	Losses  []float64 // by stream: the mean over its batches' loss tokens; NaN for a stream without any
	Norm    float64   // of the gradient before clipping
	LR      float64
	Skipped string // why nothing was learnt, or ""
}

// Stepper takes steps of a task.
type Stepper struct {
	Task      Task
	Optimizer *Optimizer
	Schedule  Schedule
	Pass      *kernels.Pass
	Streams   int
}

// Step learns from parts: each stream's gradient is the mean over all loss tokens of its parts, times its weight; the norm is
// clipped once, over the sum. A loss or gradient that is not finite leaves weights and optimizer as they are.
func (s *Stepper) Step(parts []Part) (StepResult, error) {
	p := s.Pass
	result := StepResult{Losses: make([]float64, s.Streams), LR: s.Optimizer.LR * s.Schedule.At(s.Optimizer.Step)}
	shares, all := make([]int, s.Streams), 0
	for _, part := range parts {
		n := s.Task.Share(part.Batch)
		shares[part.Stream], all = shares[part.Stream]+n, all+n
	}
	if all == 0 { // an update of zeros would still decay weights
		result.Skipped = "no token is to be predicted"
	}
	for i, n := range shares {
		if n == 0 {
			result.Losses[i] = math.NaN()
		}
	}
	s.Optimizer.Zero(p.Queue())
	for _, part := range parts {
		n := s.Task.Share(part.Batch)
		if n == 0 {
			continue
		}
		p.Reset()
		loss := s.Task.Loss(p, part.Stream, part.Batch)
		share := float64(n) / float64(shares[part.Stream])
		p.Backward(loss, float32(part.Weight*share))
		v, err := p.Float32(loss)
		if err != nil {
			return result, err
		}
		result.Losses[part.Stream] += float64(v[0]) * share
		if bad(float64(v[0])) && result.Skipped == "" {
			result.Skipped = fmt.Sprintf("the loss of stream %d is %v", part.Stream, v[0])
		}
	}
	p.Reset()
	s.Task.Masked(p.Queue())
	norm, scale, err := s.Optimizer.Norm(p)
	if err != nil {
		return result, err
	}
	result.Norm = float64(norm)
	if result.Skipped == "" && bad(result.Norm) {
		result.Skipped = fmt.Sprintf("the norm of the gradient is %v", norm)
	}
	if result.Skipped != "" {
		return result, nil
	}
	s.Optimizer.Update(p, result.LR, scale)
	s.Task.Updated(p.Queue())
	return result, p.Wait()
}

func bad(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }
