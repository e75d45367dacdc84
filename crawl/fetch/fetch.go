package fetch

// The Fetcher and its two ways in: Run for a stream of URLs, Fetch for one.

import (
	"context"
	"errors"
	"iter"
	"time"
)

// Fetcher fetches. It is safe for concurrent use; all its callers together keep the limits.
type Fetcher struct {
	e *engine
}

// New checks the options and makes a Fetcher. Close it when done.
func New(o Options) (*Fetcher, error) {
	if err := o.setDefaults(); err != nil {
		return nil, err
	}
	return &Fetcher{e: newEngine(o)}, nil
}

// Fetch brings one URL. When ctx ends first, the outcome is timeout and Detail says so.
func (f *Fetcher) Fetch(ctx context.Context, url string) Result {
	var result Result
	if err := f.Run(ctx, func(yield func(string) bool) { yield(url) }, func(r Result) { result = r }); err != nil && result.Outcome == "" {
		result = Result{URL: url, Outcome: Timeout, Attempts: 1, FetchedAt: time.Now().UTC(), Detail: err.Error()}
	}
	return result
}

// Run brings every URL of in and hands each Result to out, in the order in which they come. One goroutine at a time is
// in out, which must not call the Fetcher; while it is there, later results wait and their bodies count as memory
// (Options.Memory). The URLs may come in any order, also sorted by host: what one host cannot take yet waits in memory, then in a file.
//
// Run returns when every URL has its Result (nil), when ctx ends (its error; every URL that was read from in and has no
// Result yet gets none), or when the waiting URLs cannot be kept (the error of the file).
func (f *Fetcher) Run(ctx context.Context, in iter.Seq[string], out func(Result)) error {
	r := newRun(ctx, f.e, out)
	defer r.cancel(nil)
	stop := context.AfterFunc(r.ctx, func() {
		f.e.dropRun(r)
		r.mu.Lock()
		r.room.Broadcast()
		r.mu.Unlock()
	})
	for u := range in {
		if err := r.offer(u); err != nil {
			r.cancel(err)
			break
		}
	}
	r.wait()
	err := context.Cause(r.ctx)
	stop()
	if closed := r.spill.close(); closed != nil {
		return errors.Join(err, closed)
	}
	return err
}

// Close ends the idle connections. A Fetcher that is closed can go on being used.
func (f *Fetcher) Close() { f.e.reapIdle(true) }

// Stats are numbers for a progress line.
type Stats struct {
	Hosts    int   // hosts that have something to do
	Running  int   // exchanges and deliveries now
	Open     int   // connections, idle ones included
	Requests int64 // so far, robots.txt included
	Bytes    int64 // of bodies, so far
}

// Stats tells what the Fetcher is doing.
func (f *Fetcher) Stats() Stats {
	e := f.e
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.stats
	s.Hosts, s.Running, s.Open = len(e.hosts)-e.quiet.Len(), e.running, e.pool.open
	return s
}
