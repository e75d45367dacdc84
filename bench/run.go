package bench

// The alternating runner. Reads rows, writes results.

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// MinRounds is how many rounds a ratio stands on at least.
const MinRounds = 7

// Options say how long to measure.
type Options struct {
	Rounds  int           // MinRounds at least
	AtLeast time.Duration // CPU time of one side in one round; short runs are repeated until it is reached
}

// Result is what came of a row. Ratio above 1 means that this program needs less time.
type Result struct {
	Name      string    `json:"name"`
	Input     string    `json:"input"`
	Unit      string    `json:"unit,omitempty"`
	Ours      float64   `json:"ours,omitempty"` // median over the rounds
	OurBuild  string    `json:"our_build,omitempty"`
	Peer      string    `json:"peer"`
	Version   string    `json:"peer_version,omitempty"`
	Theirs    float64   `json:"theirs,omitempty"`
	Ratio     float64   `json:"ratio,omitempty"` // median of Ratios
	Bar       float64   `json:"bar,omitempty"`
	Ratios    []float64 `json:"ratios,omitempty"` // of every round
	Agreed    bool      `json:"agreed"`
	Agreement string    `json:"agreement,omitempty"` // what was compared
	Failed    string    `json:"failed,omitempty"`    // outputs differ, or a side did not work
	Skipped   string    `json:"skipped,omitempty"`   // what is missing
}

// Run measures one row.
func Run(ctx context.Context, lab *Lab, row Row, o Options) Result {
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	r := Result{Name: row.Name, Input: row.Input, Peer: row.Peer, Bar: row.Bar}
	err := r.measure(ctx, lab, row, o)
	var missing Unavailable
	switch {
	case errors.As(err, &missing):
		r.Skipped = missing.Why
	case err != nil:
		r.Failed = err.Error()
	}
	return r
}

func (r *Result) measure(ctx context.Context, lab *Lab, row Row, o Options) (err error) {
	c, err := row.Open(ctx, lab)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Ours.Close(), c.Theirs.Close()) }()
	r.Unit, r.OurBuild, r.Version = c.Unit, c.Ours.Version(), c.Theirs.Version()
	if r.Agreement, err = c.Agree(); err != nil {
		return err
	}
	r.Agreed = true
	if c.Once != nil {
		mine, peers, err := c.Once()
		r.Ours, r.Theirs, r.Ratio = c.Work/mine, c.Work/peers, peers/mine
		return err
	}
	ourTimes, err := enough(c.Ours, o.AtLeast)
	if err != nil {
		return err
	}
	theirTimes, err := enough(c.Theirs, o.AtLeast)
	if err != nil {
		return err
	}
	var ours, theirs []float64 // seconds a run
	for round := range max(o.Rounds, MinRounds) {
		if err := ctx.Err(); err != nil {
			return err
		}
		var mine, peers float64
		first := func() error { mine, err = once(c.Ours, ourTimes); return err }
		second := func() error { peers, err = once(c.Theirs, theirTimes); return err }
		if round%2 == 1 { // who goes first changes, so that neither always finds the other's caches
			first, second = second, first
		}
		if err := first(); err != nil {
			return err
		}
		if err := second(); err != nil {
			return err
		}
		ours, theirs = append(ours, mine), append(theirs, peers)
		r.Ratios = append(r.Ratios, peers/mine)
	}
	r.Ours, r.Theirs, r.Ratio = c.Work/median(ours), c.Work/median(theirs), median(r.Ratios)
	return nil
}

// enough is how many runs last at least the time. It has run the side, so that it is warm.
func enough(s Side, atLeast time.Duration) (int, error) {
	for times := 1; ; {
		took, err := s.Run(times)
		if err != nil {
			return 0, err
		}
		if took >= atLeast || times >= 1<<24 {
			return times, nil
		}
		more := 1.2 * float64(times) * float64(atLeast) / float64(max(took, time.Microsecond))
		times = min(max(times+1, int(more)), 20*times)
	}
}

// once is the seconds of a run, the mean of so many.
func once(s Side, times int) (float64, error) {
	runtime.GC() // what others left is not this round's
	took, err := s.Run(times)
	if err == nil && took <= 0 {
		err = fmt.Errorf("%s: no CPU time was measured", s.Version())
	}
	return took.Seconds() / float64(times), err
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
