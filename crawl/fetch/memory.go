package fetch

// The bound on bodies in memory. Bodies grow as they come, so each could be told to wait while all others wait too; a
// lane that is kept apart lets one of them finish in any case, and then the next.

import (
	"container/list"
	"context"
	"sync"
)

type memory struct {
	mu      sync.Mutex
	free    int64
	waiting list.List     // of *waiter, oldest first
	lane    chan struct{} // holds a token while nobody is in the lane
}

type waiter struct {
	need    int64
	granted chan struct{}
}

// share is what one body holds.
type share struct {
	m    *memory
	held int64 // from the pool
	lane bool  // in the lane: growing further is free
}

// newMemory keeps lane bytes of total apart.
func newMemory(total, lane int64) *memory {
	m := &memory{free: total - lane, lane: make(chan struct{}, 1)}
	m.lane <- struct{}{}
	return m
}

// grow adds n bytes to the share, waiting for others to give theirs back. wait is told when the waiting begins and ends.
func (s *share) grow(ctx context.Context, n int64, wait func(bool)) error {
	m := s.m
	if s.lane {
		return nil
	}
	m.mu.Lock()
	if m.waiting.Len() == 0 && m.free >= n {
		m.free -= n
		s.held += n
		m.mu.Unlock()
		return nil
	}
	w := &waiter{need: n, granted: make(chan struct{})}
	el := m.waiting.PushBack(w)
	m.mu.Unlock()

	wait(true)
	defer wait(false)
	var err error
	select {
	case <-w.granted:
		s.held += n
		return nil
	case <-m.lane:
		s.lane = true
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-w.granted:
		s.held += n
	default:
		m.waiting.Remove(el)
		m.serve()
	}
	return err
}

// shrink gives n bytes back.
func (s *share) shrink(n int64) {
	n = min(n, s.held)
	if n <= 0 {
		return
	}
	s.held -= n
	s.m.mu.Lock()
	s.m.free += n
	s.m.serve()
	s.m.mu.Unlock()
}

// release gives all back.
func (s *share) release() {
	s.shrink(s.held)
	if s.lane {
		s.lane = false
		s.m.lane <- struct{}{}
	}
}

func (m *memory) serve() {
	for el := m.waiting.Front(); el != nil; el = m.waiting.Front() {
		w := el.Value.(*waiter)
		if w.need > m.free {
			return
		}
		m.free -= w.need
		m.waiting.Remove(el)
		close(w.granted)
	}
}
