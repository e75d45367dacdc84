package fetch

// One step of a job: an exchange, and what its answer means for the job.

import (
	"fmt"
	"time"
)

// step is what a step came to.
type step struct {
	answer
	end    bool // the job has its result; else it goes on at another host or time
	robots bool
	bytes  int64
}

func (e *engine) step(h *host, j *job) step {
	a := e.exchange(h, j)
	if a.at.IsZero() {
		a.at = time.Now()
	}
	s := step{answer: a, robots: j.robots != nil, bytes: int64(len(j.result.Body))}
	j.result.viaProxy = e.viaProxy(j.target)
	switch {
	case a.location != "":
		s.end = !j.follow(a.location, e.opt.Redirects)
		return s
	case a.again && j.result.Attempts < e.opt.Attempts && a.retryAfter <= e.opt.MaxRetryAfter:
		wait := backoff(e.opt.Backoff, j.result.Attempts)
		if a.retryAfter > 0 {
			wait = jitter(a.retryAfter)
		}
		j.body.release()
		j.begin(e.opt.TotalTimeout)
		j.fresh = a.outcome == Reset
		j.ready = time.Now().Add(wait)
		return s
	case a.again && a.retryAfter > e.opt.MaxRetryAfter:
		a.detail += fmt.Sprintf("; Retry-After %s is too long to wait", a.retryAfter)
	}
	j.end(a.outcome, a.detail)
	if j.result.Body == nil {
		j.body.release()
	}
	s.end = true
	return s
}
