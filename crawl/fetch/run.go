package fetch

// One Run: the stream of URLs on one side, the results on the other, and what waits between them. A host has a few jobs
// at a time; its further URLs wait as text, in memory or in the spill file, and follow when it has worked some off. So a
// long row of URLs of one host does not keep those behind it waiting.

import (
	"context"
	"sync"

	"mmc4/crawl/weburl"
)

const (
	jobsPerHost = 32
	maxJobs     = 100_000 // in all: the reading of URLs pauses
	maxHosts    = 10_000  // with work in this run: likewise
)

type run struct {
	e      *engine
	ctx    context.Context
	cancel context.CancelCauseFunc
	out    func(Result)
	outMu  sync.Mutex // one is in out

	mu    sync.Mutex
	room  sync.Cond // fewer jobs, fewer hosts, or the end of ctx
	jobs  int
	hosts map[string]*runHost
	spill spill
}

// runHost is what a run keeps of a host, by the first hop of its URLs.
type runHost struct {
	jobs   int
	blocks []block  // in the file, oldest first
	tail   []string // behind the blocks
}

func newRun(ctx context.Context, e *engine, out func(Result)) *run {
	r := &run{e: e, out: out, hosts: map[string]*runHost{}, spill: spill{dir: e.opt.SpillDir}}
	r.ctx, r.cancel = context.WithCancelCause(ctx)
	r.room.L = &r.mu
	return r
}

// offer takes a URL; it waits while there is no room.
func (r *run) offer(raw string) error {
	u, bad := parseTarget(raw, nil)
	if bad != nil {
		j := &job{run: r, result: Result{URL: raw, Attempts: 1}}
		j.end(bad.outcome, bad.detail)
		r.hand(&j.result)
		return context.Cause(r.ctx)
	}
	r.mu.Lock()
	for r.ctx.Err() == nil && (r.jobs >= maxJobs || len(r.hosts) >= maxHosts && r.hosts[u.Host] == nil) {
		r.room.Wait()
	}
	if r.ctx.Err() != nil {
		r.mu.Unlock()
		return context.Cause(r.ctx)
	}
	h := r.hosts[u.Host]
	if h == nil {
		h = &runHost{}
		r.hosts[u.Host] = h
	}
	if h.jobs >= jobsPerHost || len(h.tail) > 0 || len(h.blocks) > 0 {
		err := r.later(h, raw)
		r.mu.Unlock()
		return err
	}
	h.jobs++
	r.jobs++
	r.mu.Unlock()
	r.e.submit(r.job(raw, u))
	return nil
}

func (r *run) job(raw string, u *weburl.URL) *job {
	j := &job{ctx: r.ctx, run: r, start: u, result: Result{URL: raw}, body: share{m: r.e.memory}}
	j.begin(r.e.opt.TotalTimeout)
	return j
}

// later keeps a URL for the time when its host has worked some off. The lock is held.
func (r *run) later(h *runHost, raw string) error {
	h.tail = append(h.tail, raw)
	if len(h.tail) < jobsPerHost {
		return nil
	}
	b, err := r.spill.write(h.tail)
	if err != nil {
		return err
	}
	h.blocks, h.tail = append(h.blocks, b), h.tail[:0]
	return nil
}

// deliver hands the result of a job out, and gives the jobs that can follow it.
func (j *job) deliver() []*job {
	r := j.run
	r.hand(&j.result)
	j.body.release()

	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.hosts[j.start.Host]
	h.jobs--
	r.jobs--
	var urls []string
	if r.ctx.Err() == nil && h.jobs <= jobsPerHost/2 {
		switch {
		case len(h.blocks) > 0:
			var err error
			if urls, err = r.spill.read(h.blocks[0]); err != nil {
				r.cancel(err)
			}
			h.blocks = h.blocks[1:]
		case len(h.tail) > 0:
			urls, h.tail = h.tail, nil
		}
	}
	more := make([]*job, 0, len(urls))
	for _, raw := range urls {
		if u, bad := parseTarget(raw, nil); bad == nil { // it was read once before
			more = append(more, r.job(raw, u))
		}
	}
	h.jobs += len(more)
	r.jobs += len(more)
	if h.jobs == 0 {
		delete(r.hosts, j.start.Host)
	}
	r.room.Broadcast()
	return more
}

func (r *run) hand(result *Result) {
	r.outMu.Lock()
	defer r.outMu.Unlock()
	if r.ctx.Err() == nil {
		r.out(*result)
	}
}

// wait returns when no job is left.
func (r *run) wait() {
	r.mu.Lock()
	for r.jobs > 0 {
		r.room.Wait()
	}
	r.mu.Unlock()
}
