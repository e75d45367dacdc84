package fetch

// What is known of one host, and when it may be asked next.

import (
	"container/heap"
	"container/list"
	"fmt"
	"slices"
	"time"
)

const (
	maxCrawlDelay = 30 * time.Second // a longer Crawl-delay is read as this
	maxSlowdown   = 8                // how much a busy host (429, 503) is spared
	deadAfter     = 20               // URLs in a row that got no answer: the others are not asked for
	deadFor       = 10 * time.Minute
	maxWindow     = 100      // requests a second up to which the last second is watched
	quietHosts    = 8192     // hosts without work that are remembered
	maxRules      = 64 << 20 // bytes of robots rules that are remembered
)

type host struct {
	name     string
	queue    queue
	delayed  delayed // other attempts, by the time they are for
	inflight int
	next     time.Time     // not to be asked before
	answers  []time.Time   // of the last requests, as many as may be sent in a second
	delay    time.Duration // Crawl-delay
	slowdown float64       // 1, or more while it says that it is busy
	failures int           // URLs in a row without an answer
	failure  Outcome       // the last of them
	restsTo  time.Time
	robots   map[string]*robotsEntry // by origin
	idle     []*conn
	open     int // connections, idle ones included

	at    time.Time     // when something can be asked
	heap  *hostHeap     // engine.warm or engine.cold, nil if there is nothing to ask
	index int           // in heap
	quiet *list.Element // in engine.quiet
}

// host gives the record of a host, made when it is new. The lock is held, as in all that follows.
func (e *engine) host(name string) *host {
	h := e.hosts[name]
	if h == nil {
		h = &host{name: name, slowdown: 1, robots: map[string]*robotsEntry{}}
		e.hosts[name] = h
	}
	return h
}

// put queues a job for its turn.
func (h *host) put(j *job) {
	if time.Now().Before(j.ready) {
		heap.Push(&h.delayed, j)
	} else {
		h.queue.pushBack(j)
	}
}

// take gives the job whose turn it is.
func (h *host) take(now time.Time) *job {
	if len(h.delayed) > 0 && !now.Before(h.delayed[0].ready) {
		return heap.Pop(&h.delayed).(*job)
	}
	return h.queue.popFront()
}

// interval is the time between two requests.
func (h *host) interval(rate float64) time.Duration {
	return max(time.Duration(h.slowdown/rate*float64(time.Second)), h.delay)
}

// turn is the time at which one more request may be sent. What leaves evenly can arrive in a heap: a request reaches its
// host at some time before it is answered. So the requests in flight and those answered within the last second, together
// with the new one, must not be more than the rate. Then the host never sees more in any second. ok is false while too
// many are in flight.
func (h *host) turn(perHost int, rate float64) (at time.Time, ok bool) {
	if h.inflight >= perHost {
		return at, false
	}
	at = h.next
	if rate >= 1 && rate <= maxWindow {
		others := int(rate) - 1 - h.inflight
		if others < 0 {
			return at, false
		}
		if k := len(h.answers) - 1 - others; k >= 0 {
			if open := h.answers[k].Add(time.Second); open.After(at) {
				at = open
			}
		}
	}
	return at, true
}

// answeredAt notes when a request was answered, or failed.
func (h *host) answeredAt(t time.Time, rate float64) {
	if h.delay > 0 && t.Add(h.delay).After(h.next) {
		h.next = t.Add(h.delay)
	}
	if rate <= maxWindow {
		h.answers = append(h.answers, t)
		slices.SortFunc(h.answers, time.Time.Compare)
		if n := len(h.answers) - int(rate); n > 0 {
			h.answers = append(h.answers[:0], h.answers[n:]...)
		}
	}
}

// arrange moves the host to its place in the heaps, or to the quiet ones. A host is forgotten when it has been quiet for
// the longest time and there are many of them.
func (e *engine) arrange(h *host) {
	idle := h.queue.len() == 0 && len(h.delayed) == 0
	var to *hostHeap
	if at, ok := h.turn(e.opt.PerHost, e.opt.PerHostRate); ok && !idle {
		if h.queue.len() == 0 && h.delayed[0].ready.After(at) {
			at = h.delayed[0].ready
		}
		if h.at, to = at, &e.cold; len(h.idle) > 0 {
			to = &e.warm
		}
	}
	switch {
	case to != nil && to == h.heap:
		heap.Fix(to, h.index)
	default:
		if h.heap != nil {
			heap.Remove(h.heap, h.index)
		}
		if h.heap = to; to != nil {
			heap.Push(to, h)
		}
	}
	busy := !idle || h.inflight > 0
	for _, entry := range h.robots {
		busy = busy || entry.loading
	}
	switch {
	case busy && h.quiet != nil:
		e.quiet.Remove(h.quiet)
		h.quiet = nil
	case !busy && h.quiet == nil:
		h.quiet = e.quiet.PushBack(h)
		e.sweep()
	}
}

func (e *engine) sweep() {
	now := time.Now()
	for e.quiet.Len() > quietHosts || e.rules > maxRules && e.quiet.Len() > 0 {
		h := e.quiet.Front().Value.(*host)
		if h.open > 0 || now.Before(h.next) {
			return
		}
		for _, entry := range h.robots {
			e.rules -= entry.size
		}
		e.quiet.Remove(h.quiet)
		delete(e.hosts, h.name)
	}
}

// learn draws the conclusions from an exchange with the host.
func (h *host) learn(s step, maxRetryAfter time.Duration) {
	busy := s.outcome == "http_429" || s.outcome == "http_503"
	if busy || s.outcome == Timeout { // after a timeout it may still be at work on what we gave up
		h.slowdown = min(2*h.slowdown, maxSlowdown)
	}
	switch {
	case busy:
		if s.retryAfter > 0 && s.retryAfter <= maxRetryAfter {
			if to := time.Now().Add(s.retryAfter); to.After(h.next) {
				h.next = to
			}
		}
	case s.answered:
		h.failures = 0
		if s.outcome != Timeout {
			h.slowdown = max(0.9*h.slowdown, 1)
		}
		return
	case s.outcome != Connect && s.outcome != TLS && s.outcome != Reset && s.outcome != Timeout:
		return
	}
	if s.end && !s.robots {
		h.failures++
		h.failure = s.outcome
		if h.failures >= deadAfter {
			h.restsTo = time.Now().Add(deadFor)
		}
	}
}

// rest ends j without asking when the host has not answered for long.
func (h *host) rest(j *job) bool {
	if h.failures < deadAfter || time.Now().After(h.restsTo) {
		return false
	}
	if !j.asked {
		j.result.Attempts--
	}
	j.end(h.failure, fmt.Sprintf("not asked: %d URLs in a row of %s ended so", h.failures, h.name))
	return true
}

// giveUp ends all that waits for a host that has not answered for long.
func (h *host) giveUp() (ended []*job) {
	if h.failures < deadAfter {
		return nil
	}
	dead := func(j *job) bool {
		if j.robots != nil || !h.rest(j) {
			return false
		}
		ended = append(ended, j)
		return true
	}
	h.queue.remove(dead)
	h.delayed.remove(dead)
	return ended
}

// hostHeap orders hosts by the time at which they can be asked.
type hostHeap []*host

func (s hostHeap) Len() int           { return len(s) }
func (s hostHeap) Less(a, b int) bool { return s[a].at.Before(s[b].at) }
func (s hostHeap) Swap(a, b int)      { s[a], s[b] = s[b], s[a]; s[a].index, s[b].index = a, b }
func (s *hostHeap) Push(x any)        { x.(*host).index = len(*s); *s = append(*s, x.(*host)) }
func (s *hostHeap) Pop() any {
	last := len(*s) - 1
	h := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	return h
}

// delayed orders jobs by the time they are for.
type delayed []*job

func (s delayed) Len() int           { return len(s) }
func (s delayed) Less(a, b int) bool { return s[a].ready.Before(s[b].ready) }
func (s delayed) Swap(a, b int)      { s[a], s[b] = s[b], s[a] }
func (s *delayed) Push(x any)        { *s = append(*s, x.(*job)) }
func (s *delayed) Pop() any {
	last := len(*s) - 1
	j := (*s)[last]
	(*s)[last] = nil
	*s = (*s)[:last]
	return j
}

func (s *delayed) remove(which func(*job) bool) {
	*s = slices.DeleteFunc(*s, which)
	heap.Init(s)
}

// queue is first in, first out.
type queue struct{ front, back []*job } // front is reversed

func (q *queue) len() int         { return len(q.front) + len(q.back) }
func (q *queue) pushBack(j *job)  { q.back = append(q.back, j) }
func (q *queue) pushFront(j *job) { q.front = append(q.front, j) }

func (q *queue) popFront() *job {
	if len(q.front) == 0 {
		slices.Reverse(q.back)
		q.front, q.back = q.back, nil
	}
	last := len(q.front) - 1
	j := q.front[last]
	q.front[last] = nil
	q.front = q.front[:last]
	return j
}

func (q *queue) remove(which func(*job) bool) {
	q.front = slices.DeleteFunc(q.front, which)
	q.back = slices.DeleteFunc(q.back, which)
}
