//go:build cuda && cgo

package cuda

import (
	"fmt"
	"runtime"
	"time"

	"gorgonia.org/cu"

	"mmc4/kernels"
)

// mark is an event in a stream.
type mark struct {
	q      *queue
	e      cu.Event
	number int   // in its queue
	err    error // of the queue, when it was made
}

// mark records an event. Events come back to the device when their marks are garbage.
func (q *queue) mark() (*mark, error) {
	if err := q.flush(); err != nil {
		return nil, err
	}
	d := q.d
	m := &mark{q: q}
	d.mu.Lock()
	if n := len(d.events); n > 0 {
		m.e, d.events = d.events[n-1], d.events[:n-1]
		d.mu.Unlock()
	} else {
		d.mu.Unlock()
		err := d.do(func() (err error) {
			m.e, err = cu.MakeEvent(cu.DisableTiming)
			return failed("make an event", err)
		})
		if err != nil {
			return nil, err
		}
	}
	runtime.AddCleanup(m, func(e cu.Event) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.events = append(d.events, e)
	}, m.e)
	m.number = q.nextMark()
	return m, d.do(func() error { return failed("record an event", m.e.Record(q.s)) })
}

// Record marks this place.
func (q *queue) Record() kernels.Event {
	if q.err != nil {
		return &mark{q: q, err: q.err}
	}
	m, err := q.mark()
	if err != nil {
		q.fail(err)
		return &mark{q: q, err: err}
	}
	return m
}

// Wait waits for the work before the mark and brings its reads to the host. It asks and sleeps, since the driver's own wait
// keeps a core busy, which others need: those who wait for a mark have queued what comes next.
func (m *mark) Wait() error {
	if m.err != nil {
		return m.err
	}
	for pause := time.Microsecond; ; pause = min(2*pause, 100*time.Microsecond) {
		switch err := m.query(); {
		case err == nil:
			m.q.settle(m.number)
			return nil
		case !notReady(err):
			return failed("wait for an event", err)
		}
		time.Sleep(pause)
	}
}

func (m *mark) query() error {
	var err error
	if lost := m.q.d.do(func() error {
		err = m.e.Query()
		return nil
	}); lost != nil {
		return lost
	}
	return err
}

// Done looks without waiting. A mark behind a failure is done.
func (m *mark) Done() bool {
	if m.err != nil {
		return true
	}
	err := m.query()
	if notReady(err) {
		return false
	}
	if err == nil {
		m.q.settle(m.number)
	}
	return true
}

// After lets the stream wait for a mark of another; the host goes on.
func (q *queue) After(e kernels.Event) {
	if q.err != nil {
		return
	}
	m, ok := e.(*mark)
	switch {
	case !ok || m.q.d != q.d:
		q.fail(fmt.Errorf("cuda: an event of another device"))
	case m.err != nil:
		q.fail(m.err)
	default:
		q.fail(q.flush())
		q.fail(q.d.do(func() error { return failed("wait for another queue", q.s.Wait(m.e, 0)) }))
	}
}
