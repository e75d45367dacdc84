package train

// A run from its start or a checkpoint to its end; the loop is in loop.go.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"
	"time"

	"mmc4/internal/storage"
	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/train/data"
)

// Options say where a run goes and how it is told.
type Options struct {
	Out    string // a folder or s3://
	Device string
	Resume string // auto, no, or the path of a checkpoint
	// Progress is told of every step, Note of what a person should know; either may be nil.
	Progress func(LogLine)
	Note     func(string)
}

// Result is what a run ended with.
type Result struct {
	Out        string              `json:"out"`
	Checkpoint string              `json:"checkpoint"`
	Steps      int                 `json:"steps"`
	Loss       map[string]*float64 `json:"loss"`
	Skipped    int                 `json:"skipped"`
	Rejects    map[string]int64    `json:"rejects"`
	Seconds    float64             `json:"seconds"`
}

// run is a run in progress.
type run struct {
	*workplace
	o         Options
	store     storage.Store
	book      *book
	inputs    []*input
	step      int                      // done
	at        map[string]data.Position // after it
	saved     int                      // of the last checkpoint, -1: none
	best      *Best                    // nil: nothing was validated
	skipped   int
	due       bool    // a checkpoint whose step was skipped waits for one that is learnt from
	barren    int     // steps that were skipped one after another, up to now
	rate      float64 // operations a second that the device can do
	lastLoss  map[string]*float64
	stepper   *Stepper // nil with --compat
	evaluator *kernels.Pass
	settled   time.Time // when the result of the last step was there
}

// Run trains to the end, or until ctx ends: then a last checkpoint is written and the context's error returned.
func Run(ctx context.Context, c *Config, o Options) (*Result, error) {
	if o.Note == nil {
		o.Note = func(string) {}
	}
	dev, err := device.Open(o.Device)
	if err != nil {
		return nil, ConfigError{err}
	}
	return runOn(ctx, c, o, dev)
}

// runOn runs on a device, which it closes.
func runOn(ctx context.Context, c *Config, o Options, dev kernels.Device) (*Result, error) {
	began := time.Now()
	s, err := openModel(ctx, c, dev)
	if err != nil {
		return nil, err
	}
	defer s.close()
	r := &run{workplace: s, o: o, saved: -1}
	defer r.free()
	if r.store, err = storage.Open(ctx, o.Out, storage.Options{}); err != nil {
		return nil, ConfigError{err}
	}
	positions, err := r.resume(ctx)
	if err != nil {
		return nil, err
	}
	if r.saved < 0 { // what is said of weights is not true of a checkpoint's
		for _, note := range s.notes {
			o.Note(note)
		}
	}
	if r.book, err = openBook(ctx, r.store, o.Out, r.step); err != nil {
		return nil, err
	}
	defer r.book.close()
	if v := s.visual(); v != nil {
		v.Damaged = func(reject data.Reject) { r.book.reject(rejectLine{r.step + 1, "", reject}) }
	}
	reading, stop := context.WithCancel(context.WithoutCancel(ctx)) // a step that has begun may finish its batches
	defer stop()
	for i, stream := range c.Streams {
		in, err := s.read.open(reading, stream, i, positions[stream.Name], func(reject data.Reject) {
			r.book.reject(rejectLine{r.step + 1, stream.Name, reject})
		})
		if err != nil {
			return nil, err
		}
		defer in.Close()
		r.inputs = append(r.inputs, in)
	}
	r.at = r.positions()
	if r.rate, err = Rate(dev, s.pass.DType); err != nil {
		return nil, err
	}
	if err := r.loop(ctx); err != nil {
		return nil, err
	}
	result := &Result{Out: o.Out, Checkpoint: r.store.Location(checkpointName(r.step)), Steps: r.step, Loss: r.lastLoss, Skipped: r.skipped,
		Rejects: r.rejects(), Seconds: time.Since(began).Seconds()}
	return result, nil
}

// free gives back what the loop took; the model is the workplace's.
func (r *run) free() {
	if r.stepper != nil {
		r.stepper.Free()
	}
	if r.evaluator != nil {
		r.evaluator.Arena().Free()
	}
}

// resume restores a checkpoint and gives the streams' positions.
func (r *run) resume(ctx context.Context) (map[string]data.Position, error) {
	store, dirs := r.store, []string{}
	if r.o.Resume == "auto" || r.o.Resume == "" || r.o.Resume == "no" {
		steps, err := checkpoints(ctx, r.store)
		if err != nil {
			return nil, err
		}
		if r.o.Resume == "no" && len(steps) > 0 {
			return nil, fmt.Errorf("%w: %s holds checkpoints up to step %d; resume from them (--resume auto) or choose another folder", ErrRefused, r.o.Out, steps[len(steps)-1])
		}
		for i := len(steps) - 1; i >= 0; i-- {
			dirs = append(dirs, checkpointName(steps[i]))
		}
	} else {
		var err error
		if store, err = storage.Open(ctx, r.o.Resume, storage.Options{}); err != nil {
			return nil, ConfigError{err}
		}
		dirs = []string{""}
	}
	var last error
	for i, dir := range dirs {
		state, files, err := loadState(ctx, store, dir)
		if err != nil {
			if last = err; i < len(dirs)-1 {
				r.o.Note(fmt.Sprintf("%v; looking for an older one", err))
			}
			continue
		}
		if err := state.compare(r.config); err != nil {
			return nil, err
		}
		if err := r.restore(state, files); err != nil {
			return nil, fmt.Errorf("checkpoint %s: %w", store.Location(dir), err)
		}
		if state.Profile != r.dev.Profile() {
			r.o.Note(fmt.Sprintf("the checkpoint was made on %s, this is %s: the run goes on, but not with the same bits", state.Profile, r.dev.Profile()))
		}
		r.step, r.saved, r.best = state.Step, state.Step, state.Best
		r.o.Note(fmt.Sprintf("going on after step %d", r.step))
		return state.Positions, nil
	}
	switch {
	case last == nil:
		return nil, nil
	case dirs[0] == "":
		return nil, wrong("--resume %s is no checkpoint that can be read: %w", r.o.Resume, last)
	}
	return nil, fmt.Errorf("%s has %d checkpoints, and none can be read, the oldest because of: %w; put one back, or begin anew in another folder", r.o.Out, len(dirs), last)
}

func (r *run) positions() map[string]data.Position {
	at := map[string]data.Position{}
	for _, in := range r.inputs {
		at[in.Name] = in.Position()
	}
	return at
}

func (r *run) rejects() map[string]int64 {
	n := map[string]int64{}
	for _, in := range r.inputs {
		for rule, k := range in.Rejects() {
			n[in.Name+"."+rule] += k
		}
	}
	return n
}

// checkpoint writes one, unless it is there. A store that is away is asked again for a while; the training waits.
func (r *run) checkpoint(ctx context.Context) error {
	if r.saved == r.step {
		return nil
	}
	wait, deadline := time.Second, time.Now().Add(outage)
	for {
		err := r.writeCheckpoint(ctx)
		switch {
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
			return fmt.Errorf("%w: the disk, a quota or a limit of file sizes is full; make room, and the same command goes on from the checkpoint before", err)
		case err == nil || !storage.Transient(err) || time.Now().Add(wait).After(deadline):
			return err
		}
		r.o.Note(fmt.Sprintf("%v; trying again in %v", err, wait))
		time.Sleep(wait)
		wait = min(2*wait, 30*time.Second)
	}
}

// outage is how long a store that cannot be written to is tried.
const outage = 5 * time.Minute

func (r *run) writeCheckpoint(ctx context.Context) error {
	if err := r.visual().keep(ctx); err != nil {
		return err
	}
	if err := r.saveCheckpoint(ctx, r.store, r.step, r.at, r.best); err != nil {
		return err
	}
	if r.best != nil {
		text, err := json.Marshal(r.best)
		if err == nil {
			err = storage.WriteFile(ctx, r.store, "best.json", append(text, '\n'))
		}
		if err != nil {
			return err
		}
	}
	if err := prune(ctx, r.store, r.config.Save.Keep, r.best); err != nil {
		return err
	}
	if err := r.book.upload(ctx); err != nil {
		return err
	}
	r.saved = r.step
	return nil
}

// improved says whether a validation is the best so far, and remembers it.
func (r *run) improved(losses map[string]*float64) bool {
	var sum float64
	for _, v := range losses {
		if v == nil {
			return false
		}
		sum += *v / float64(len(losses))
	}
	if len(losses) == 0 || r.best != nil && sum >= r.best.Loss {
		return false
	}
	r.best = &Best{Step: r.step, Loss: sum}
	return true
}
