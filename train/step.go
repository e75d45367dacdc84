package train

// One step of the optimizer over batches of all streams. The host queues it and does not look: the device itself decides
// whether the step is to be learnt from (kernels.StepGuard), and what it found is read when a later step is queued already.

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
	Skipped string    // why nothing was learnt, or ""
	Watched []float64 // as the step left them
}

// Stepper takes steps of a task.
type Stepper struct {
	Task      Task
	Optimizer *Optimizer
	Schedule  Schedule
	Pass      *kernels.Pass
	Streams   int
	Watch     []kernels.Tensor // fp32 [1] each: what else is to be read after every step

	begun  int // steps whose results were not asked for yet
	memory stepMemory
}

// Begun is a step that is queued.
type Begun struct {
	stepper *Stepper
	parts   []partShare
	found   []byte        // of the step's memory, once event has passed
	event   kernels.Event // nil: there was nothing to learn from
	result  StepResult
}

// partShare says what the loss of a part counts for in its stream.
type partShare struct {
	stream int
	share  float64
}

// Free gives what steps keep on the device back to it; all results must have been asked for.
func (s *Stepper) Free() { s.memory.free() }

// Step takes a step and waits for its result.
func (s *Stepper) Step(parts []Part) (StepResult, error) {
	b, err := s.Begin(parts)
	if err != nil {
		return StepResult{Losses: make([]float64, s.Streams)}, err
	}
	return b.Result()
}

// Begin queues a step that learns from parts: each stream's gradient is the mean over all loss tokens of its parts, times its
// weight; the norm is clipped once, over the sum. A loss or gradient that is not finite leaves weights and optimizer as they
// are. Results must be asked for in the order in which steps began.
func (s *Stepper) Begin(parts []Part) (*Begun, error) {
	p := s.Pass
	b := &Begun{stepper: s, result: StepResult{Losses: make([]float64, s.Streams)}}
	shares, all := make([]int, s.Streams), 0
	for _, part := range parts {
		n := s.Task.Share(part.Batch)
		shares[part.Stream], all = shares[part.Stream]+n, all+n
	}
	for i, n := range shares {
		if n == 0 {
			b.result.Losses[i] = math.NaN()
		}
	}
	if all == 0 { // an update of zeros would still decay weights
		b.result.Skipped = "no token is to be predicted"
		return b, nil
	}
	m := &s.memory
	if err := m.prepare(s, len(parts)); err != nil {
		return nil, err
	}
	s.Optimizer.Zero(p.Queue())
	for _, part := range parts {
		n := s.Task.Share(part.Batch)
		if n == 0 {
			continue
		}
		p.Reset()
		loss := s.Task.Loss(p, part.Stream, part.Batch)
		share := partShare{part.Stream, float64(n) / float64(shares[part.Stream])}
		p.Backward(loss, float32(part.Weight*share.share))
		b.parts = append(b.parts, share)
		p.CopyInto(m.number(len(b.parts)), loss)
		if err := p.Err(); err != nil {
			return nil, err
		}
	}
	p.Reset()
	s.Task.Masked(p.Queue())
	s.Optimizer.guarded(p, m, m.found.Slice(0, 0, 1+len(b.parts)))
	s.Task.Updated(p.Queue())
	n := 1 + len(b.parts)
	for _, w := range s.Watch {
		p.CopyInto(m.number(n), w)
		n++
	}
	if err := p.Err(); err != nil {
		return nil, err
	}
	b.found = make([]byte, 4*n)
	p.Queue().Read(b.found, m.found.Slice(0, 0, n))
	b.event = p.Queue().Record()
	s.begun++
	return b, nil
}

// Done reports whether Result need not wait.
func (b *Begun) Done() bool { return b.event == nil || b.event.Done() }

// Result waits for the step and says what it found.
func (b *Begun) Result() (StepResult, error) {
	s, r := b.stepper, &b.result
	r.LR = s.Optimizer.LR * s.Schedule.At(s.Optimizer.Step)
	if b.event == nil {
		return *r, nil
	}
	s.begun--
	if err := b.event.Wait(); err != nil {
		return *r, err
	}
	found := kernels.DecodeFloats(kernels.F32, b.found)
	for i, part := range b.parts {
		loss := found[1+i]
		r.Losses[part.stream] += float64(loss) * part.share
		if bad(float64(loss)) && r.Skipped == "" {
			r.Skipped = fmt.Sprintf("the loss of stream %d is %v", part.stream, loss)
		}
	}
	norm := float32(math.Sqrt(float64(found[0])))
	r.Norm = float64(norm)
	if bad(r.Norm) && r.Skipped == "" {
		r.Skipped = fmt.Sprintf("the norm of the gradient is %v", norm)
	}
	for _, v := range found[1+len(b.parts):] {
		r.Watched = append(r.Watched, float64(v))
	}
	if r.Skipped == "" {
		s.Optimizer.Step++
		s.memory.count++
	}
	return *r, nil
}

func bad(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }
