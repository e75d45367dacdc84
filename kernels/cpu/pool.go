//go:build cgo

package cpu

import (
	"sync"
	"sync/atomic"
)

// pool runs units of work on a fixed set of goroutines. A worker without work is parked on a channel: a pool that spun
// instead lost a factor of ten when something else wanted the second core.
type pool struct {
	size int
	jobs chan *job
	wg   sync.WaitGroup
}

type job struct {
	units int
	next  atomic.Int64
	done  sync.WaitGroup
	run   func(worker, unit int)
}

// newPool makes a pool of n workers, the caller of run being one of them.
func newPool(n int) *pool {
	p := &pool{size: max(n, 1), jobs: make(chan *job)}
	for w := 1; w < p.size; w++ {
		p.wg.Add(1)
		go func() {
			defer p.wg.Done()
			for j := range p.jobs {
				j.work(w)
				j.done.Done()
			}
		}()
	}
	return p
}

func (j *job) work(worker int) {
	for {
		unit := int(j.next.Add(1)) - 1
		if unit >= j.units {
			return
		}
		j.run(worker, unit)
	}
}

// run calls f for every unit in [0, units) and returns when all are done. worker numbers are below size, and no two
// calls with one number overlap. Several goroutines may run work at once only with different pools.
func (p *pool) run(units int, f func(worker, unit int)) {
	if units == 1 || p.size == 1 {
		for u := range units {
			f(0, u)
		}
		return
	}
	j := &job{units: units, run: f}
	for range min(p.size, units) - 1 {
		j.done.Add(1)
		p.jobs <- j
	}
	j.work(0)
	j.done.Wait()
}

// spans cuts n things into runs of at most `each` and calls f for each run.
func (p *pool) spans(n, each int, f func(worker, from, to int)) {
	if n <= 0 {
		return
	}
	p.run((n+each-1)/each, func(worker, unit int) { f(worker, unit*each, min(n, (unit+1)*each)) })
}

func (p *pool) close() {
	close(p.jobs)
	p.wg.Wait()
}
