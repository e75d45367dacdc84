package gpu

// The phases, within a budget of time.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"time"
)

// Options say what Run does.
type Options struct {
	Phase    string
	Budget   time.Duration // no check begins after it; a child that runs on is ended
	Device   string        // cuda, cuda:1; cpu to try the kit
	Size     string        // true, or tiny: small models and few instances, to prove that a phase works
	Goldens  []string      // folders with case.json files below
	Program  string        // this program
	Python   string        // with torch and numpy; "" or one without: the sides of torch are skipped
	Dir      string        // for what the phases write, gigabytes at true size
	Sanitize string        // compute-sanitizer, or "" where there is none
	Seed     uint64
}

// Phases in their order.
var Phases = []string{"ops", "sanitizer", "models", "speed", "build", "train"}

// run is a phase in progress.
type run struct {
	Options
	ctx    context.Context
	record *Record
	phase  string
	failed int
	err    error // of writing the record

	torchIs  string
	hasTorch bool
}

// ErrFailed means that the record has failed checks.
var ErrFailed = errors.New("checks failed")

// Run runs a phase, or all of them in order.
func Run(ctx context.Context, o Options, record *Record) error {
	phases := []string{o.Phase}
	if o.Phase == "all" {
		phases = Phases
	}
	ctx, cancel := context.WithTimeout(ctx, o.Budget)
	defer cancel()
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return err
	}
	r := &run{Options: o, ctx: ctx, record: record}
	for _, r.phase = range phases {
		r.machine()
		switch r.phase {
		case "ops":
			r.ops()
		case "sanitizer":
			r.sanitizer()
		case "models":
			r.models()
		case "speed":
			r.speed()
		case "build":
			r.build()
		case "train":
			r.train()
		default:
			return fmt.Errorf("phase %q is none of %v", r.phase, append(slices.Clone(Phases), "all"))
		}
	}
	switch {
	case r.err != nil:
		return r.err
	case r.failed > 0:
		return ErrFailed
	}
	return nil
}

func (r *run) tiny() bool { return r.Size == "tiny" }

// check runs one check, fills in what is common, and records it. Without time left it is skipped; a panic is a failure.
func (r *run) check(name string, f func(l *Line) error) {
	if r.err != nil {
		return
	}
	l := Line{Phase: r.phase, Check: name, Outcome: OK, Figures: map[string]float64{}}
	began := time.Now()
	err := r.ctx.Err()
	if err != nil {
		err = skip("no time was left")
	} else {
		err = guarded(func() error { return f(&l) })
	}
	l.Seconds = round(time.Since(began).Seconds())
	var lack skip
	switch {
	case errors.As(err, &lack):
		l.Outcome, l.Why = Skipped, lack.Error()
	case err != nil && r.ctx.Err() != nil:
		l.Outcome, l.Why = Skipped, "the time ran out: "+err.Error()
	case err != nil:
		l.Outcome, l.Why = Failed, err.Error()
		r.failed++
	}
	for k, v := range l.Figures {
		l.Figures[k] = round(v)
	}
	r.err = r.record.Add(l)
}

func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return f()
}

// skip is an error of what this machine cannot do.
type skip string

func (s skip) Error() string { return string(s) }

// round keeps four digits: what a record needs, and what JSON can hold.
func round(v float64) float64 {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*scale) / scale
}
