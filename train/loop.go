package train

// The loop: batches of all streams, a step, a line of the log, now and then a checkpoint.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"mmc4/kernels"
	"mmc4/train/data"
)

// ahead is how many steps the host may queue while the device is still taking the one before: it reads and decodes batches
// meanwhile, and never waits for the step that it has just queued.
const ahead = 1

// stepping is a step that has begun, and what is known of it already.
type stepping struct {
	step  int
	taken taken
	parts []Part
	began time.Time
	work  float64 // operations
	line  LogLine
}

// taken is what became of a step's parts; results are asked for in the order of the steps.
type taken interface {
	Done() bool
	Result() (StepResult, error)
}

func (r *run) loop(ctx context.Context) error {
	c := r.config
	take := r.taker()
	var steps []stepping // that have begun, oldest first
	settle := func(but int) error {
		for len(steps) > 0 && (len(steps) > but || steps[0].taken.Done()) {
			if err := r.settle(ctx, steps[0]); err != nil {
				return err
			}
			steps = steps[1:]
		}
		return nil
	}
	for r.step < c.Steps {
		began := time.Now()
		parts, micros, err := r.batches(ctx)
		if ctx.Err() != nil {
			break // what was read for this step will be read again
		}
		if err != nil {
			return cmp.Or(settle(0), err)
		}
		waited := time.Since(began)
		looked := r.visual().looked()
		begun, err := take(parts, micros)
		if err != nil {
			return cmp.Or(settle(0), fmt.Errorf("step %d: %w", r.step+1, err)) // what went wrong first
		}
		r.step++
		r.at = r.positions()
		steps = append(steps, stepping{step: r.step, taken: begun, parts: parts, began: began, work: r.workOf(parts, r.visual().looked()-looked), line: LogLine{Step: r.step, WaitSeconds: waited.Seconds(), Rejects: r.rejects()}})
		if v := r.visual(); v != nil && v.Store.Full() {
			if err := v.keep(ctx); err != nil {
				return err
			}
		}
		but := ahead
		if r.validates(r.step) || r.saves(r.step) || r.due {
			but = 0
		}
		if err := settle(but); err != nil {
			return err
		}
	}
	if err := settle(0); err != nil {
		return err
	}
	if r.step < c.Steps {
		return errors.Join(r.checkpoint(context.WithoutCancel(ctx)), ctx.Err())
	}
	return r.checkpoint(ctx)
}

// validates and saves say whether a step ends with a validation, or a checkpoint: no other has begun by then.
func (r *run) validates(step int) bool {
	v := r.config.Validation
	return v.Every > 0 && (step%v.Every == 0 || step == r.config.Steps)
}

func (r *run) saves(step int) bool {
	every := r.config.Save.Every
	return step == r.config.Steps || every > 0 && step%every == 0
}

// settle waits for a step and books it.
func (r *run) settle(ctx context.Context, s stepping) error {
	result, err := s.taken.Result()
	if err != nil {
		return fmt.Errorf("step %d: %w", s.step, err)
	}
	line := r.line(s, result)
	for _, part := range s.parts {
		part.Batch.Release()
	}
	if r.validates(s.step) {
		if line.Validation, err = r.validate(ctx); err != nil && ctx.Err() == nil {
			return err
		}
	}
	if err := r.book.step(line, s.parts, r.config.Streams, result); err != nil {
		return err
	}
	if r.o.Progress != nil {
		r.o.Progress(line)
	}
	if r.barren == mostBarren {
		return r.diverged(result.Skipped)
	}
	r.due = r.due || r.saves(s.step)
	if r.improved(line.Validation) || r.due && (r.barren == 0 || s.step == r.config.Steps) { // no checkpoint of weights that may have diverged takes the place of a good one
		r.due, err = false, r.checkpoint(context.WithoutCancel(ctx))
	}
	r.settled = time.Now()
	return err
}

// mostBarren is after how many skipped steps in a row a run ends: what comes after them would be skipped too.
const mostBarren = 100

// diverged is the error of a run in which nothing is learnt any more.
func (r *run) diverged(why string) error {
	good := "there is no checkpoint yet: begin anew"
	if r.saved > 0 {
		good = "the newest checkpoint is " + r.store.Location(checkpointName(r.saved)) + ": begin from it in another folder (weights.start)"
	}
	return fmt.Errorf("%d steps in a row were skipped, the last because %s: the weights have diverged, were not finite when they were given (--check of mmc4 embed and generate names those), or the data are at fault (skipped.jsonl names the documents); %s, with a lower optimizer.lr, other weights or other data", mostBarren, why, good)
}

// batches reads a step's batches: micros of each stream, in the order in which they are learnt from.
func (r *run) batches(ctx context.Context) (parts []Part, micros int, err error) {
	for range r.config.Accumulate {
		for i, in := range r.inputs {
			b, err := in.batch(ctx)
			if err != nil {
				return nil, 0, err
			}
			parts = append(parts, Part{Stream: i, Weight: in.Weight, Batch: b})
		}
	}
	return parts, r.config.Accumulate, nil
}

// taker is how a step is taken: ours, or open_flamingo's, which looks at every loss.
func (r *run) taker() func(parts []Part, micros int) (taken, error) {
	c := r.config
	if !c.Compat {
		r.stepper = &Stepper{Task: r.task, Optimizer: r.opt, Schedule: c.Schedule, Pass: r.pass, Streams: len(r.inputs), Watch: r.gates()}
		return func(parts []Part, _ int) (taken, error) { return r.stepper.Begin(parts) }
	}
	schedule := c.Schedule
	schedule.Total *= c.Accumulate
	u := &Upstream{Task: r.task, Optimizer: r.opt, Schedule: schedule, Pass: r.pass, Accumulate: c.Accumulate}
	return func(parts []Part, micros int) (taken, error) {
		result := StepResult{Losses: make([]float64, len(r.inputs)), LR: r.opt.LR * schedule.At(r.opt.Step)}
		n := len(r.inputs)
		for k := range micros {
			m, err := u.Micro(parts[k*n:(k+1)*n], k == micros-1)
			if err != nil {
				return nil, err
			}
			for i, loss := range m.Losses {
				result.Losses[i] += loss / float64(micros)
			}
			result.Norm = m.Norm
			if m.Skipped {
				result.Skipped = fmt.Sprintf("a loss of micro-step %d is not finite", k+1)
			}
		}
		for _, gate := range r.gates() {
			v, err := r.pass.Float32(gate)
			if err != nil {
				return nil, err
			}
			result.Watched = append(result.Watched, float64(v[0]))
		}
		return finished(result), nil
	}
}

// finished is the result of a step that was waited for.
type finished StepResult

func (f finished) Done() bool                  { return true }
func (f finished) Result() (StepResult, error) { return StepResult(f), nil }

// line completes a step's line of the log.
func (r *run) line(s stepping, result StepResult) LogLine {
	line := s.line
	line.Loss, line.LR, line.GradNorm, line.Skipped, line.MemoryBytes = map[string]*float64{}, result.LR, number(result.Norm), result.Skipped, residentBytes()
	samples, tokens := 0, 0
	for _, part := range s.parts {
		samples += part.Batch.Rows
		tokens += part.Batch.Rows * part.Batch.Len
	}
	since := s.began
	if r.settled.After(since) { // it was queued while the device took the one before
		since = r.settled
	}
	took := time.Since(since).Seconds()
	line.SamplesPerSecond, line.TokensPerSecond = float64(samples)/took, float64(tokens)/took
	if r.rate > 0 {
		line.MFU = s.work / took / r.rate
	}
	for i, in := range r.inputs {
		line.Loss[in.Name] = number(result.Losses[i])
	}
	if r.barren++; result.Skipped == "" {
		r.barren = 0
	} else {
		r.skipped++
	}
	for _, gate := range result.Watched {
		line.Gates = append(line.Gates, math.Tanh(gate))
	}
	r.lastLoss = line.Loss
	return line
}

// gates are what says how far a Flamingo's are open.
func (r *run) gates() []kernels.Tensor {
	f, ok := r.task.(*Flamingo)
	if !ok {
		return nil
	}
	var gates []kernels.Tensor
	for _, w := range f.Model.Gated {
		if w.Len() == 1 && strings.HasSuffix(w.Name, "gate") {
			gates = append(gates, w.Param.Value)
		}
	}
	return gates
}

// validate is the mean loss on the first batches of held-out data, the same ones every time.
func (r *run) validate(ctx context.Context) (map[string]*float64, error) {
	if r.evaluator == nil {
		r.evaluator = kernels.NewPass(r.dev, r.pass.Queue(), kernels.NewArena(r.dev, 0), kernels.PassOptions{DType: r.pass.DType})
	}
	out := map[string]*float64{}
	for i, stream := range r.config.Validation.Streams {
		in, err := r.read.open(ctx, stream, 1000+i, data.Position{}, nil)
		if err != nil {
			return nil, err
		}
		var sum, n float64
		for range r.config.Validation.Batches {
			b, err := in.batch(ctx)
			if err != nil {
				in.Close()
				return nil, err
			}
			r.evaluator.Reset()
			v, err := r.evaluator.Float32(r.task.Loss(r.evaluator, i, b))
			if err != nil {
				in.Close()
				return nil, err
			}
			share := float64(r.task.Share(b))
			b.Release()
			if share > 0 {
				sum, n = sum+float64(v[0])*share, n+share
			}
		}
		in.Close()
		out[stream.Name] = number(sum / n)
	}
	return out, nil
}
