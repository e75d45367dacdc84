package fetch

// The scheduler. Every host has a queue of jobs and a time at which it may be asked next; two heaps order the hosts by
// that time. pump starts a goroutine for the next exchange while there is room. What waits, waits in a queue.

import (
	"container/list"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"mmc4/crawl/weburl"
)

type engine struct {
	opt       Options
	userAgent string
	from      string
	dialer    *dialer
	direct    *http.Transport
	proxied   *http.Transport // nil without a proxy
	memory    *memory

	mu      sync.Mutex
	hosts   map[string]*host
	warm    hostHeap    // hosts that have something to ask for and an idle connection, by the time of their turn
	cold    hostHeap    // those without a connection
	quiet   list.List   // of *host: nothing to do, remembered for a while
	running int         // goroutines of exchanges and deliveries
	timer   *time.Timer // for the next turn of a host
	pool    pool
	rules   int64 // bytes of robots rules remembered
	stats   Stats
}

// maxHeader is what the header of an answer may have.
const maxHeader = 64 << 10

func newEngine(o Options) *engine {
	resolver := o.Resolver
	if resolver == nil {
		resolver = &net.Resolver{PreferGo: true}
	}
	e := &engine{
		opt: o, userAgent: o.UserAgent(), from: o.from(),
		dialer: &dialer{rules: o.ConnectTo, dns: newDNSCache(resolver, o.DNSTimeout, o.Lookups), timeout: o.ConnectTimeout},
		memory: newMemory(o.Memory, 2*o.MaxBytes+2),
		hosts:  map[string]*host{},
	}
	e.direct = &http.Transport{
		DialContext:            e.dialer.dial,
		TLSHandshakeTimeout:    o.TLSTimeout,
		TLSClientConfig:        &tls.Config{RootCAs: o.RootCAs, ClientSessionCache: tls.NewLRUClientSessionCache(4096)},
		MaxResponseHeaderBytes: maxHeader,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		ReadBufferSize:         16 << 10,
	}
	if o.Proxy != nil {
		e.dialer.proxy = proxyAddress(o.Proxy)
		e.proxied = e.direct.Clone()
		e.proxied.Proxy = http.ProxyURL(o.Proxy)
		e.proxied.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
			if resp.StatusCode != http.StatusOK {
				return &proxyStatus{resp.StatusCode}
			}
			return nil
		}
	}
	e.timer = time.AfterFunc(time.Hour, e.tick)
	e.timer.Stop()
	e.pool.reap = time.AfterFunc(time.Hour, func() { e.reapIdle(false) })
	e.pool.reap.Stop()
	return e
}

func proxyAddress(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// viaProxy tells whether u is asked through the proxy: all are but those that ConnectTo names.
func (e *engine) viaProxy(u *weburl.URL) bool {
	return e.proxied != nil && e.dialer.rule(u.Host, port(u)) == nil
}

func (e *engine) transportFor(u *weburl.URL) *http.Transport {
	if e.viaProxy(u) {
		return e.proxied
	}
	return e.direct
}

func (e *engine) tick() {
	e.mu.Lock()
	e.pump()
	e.mu.Unlock()
}

// pump starts what may be started now. The lock is held.
func (e *engine) pump() {
	now := time.Now()
	for e.running < e.opt.Connections {
		h, wait := e.choose(now)
		if h == nil {
			if wait > 0 {
				e.timer.Reset(wait)
			}
			return
		}
		j := h.take(now)
		h.inflight++
		h.next = now.Add(h.interval(e.opt.PerHostRate))
		e.running++
		e.stats.Requests++
		e.arrange(h)
		go e.work(h, j)
	}
}

// choose gives the host whose turn it is, or how long to wait for one; 0 says that something else must happen first.
// Who has a connection goes first: a connection is worth many requests. A new one is made while there is room for it.
func (e *engine) choose(now time.Time) (h *host, wait time.Duration) {
	for i, heap := range []hostHeap{e.warm, e.cold} {
		if len(heap) == 0 || i == 1 && !e.room(now) {
			continue
		}
		left := heap[0].at.Sub(now)
		if left <= 0 {
			return heap[0], 0
		}
		if wait == 0 || left < wait {
			wait = left
		}
	}
	return nil, wait
}

// work does one exchange and what follows from it.
func (e *engine) work(h *host, j *job) {
	s := e.step(h, j)
	var ended []*job
	e.mu.Lock()
	h.inflight--
	h.answeredAt(s.at, e.opt.PerHostRate)
	h.learn(s, e.opt.MaxRetryAfter)
	e.stats.Bytes += s.bytes
	over := j.ctx.Err() != nil
	if !over && !s.end {
		s.end = e.place(j)
	}
	switch {
	case j.robots != nil && (over || s.end):
		if !over {
			ended = e.settled(j.robots, j.result)
		}
		j.body.release()
	case j.robots == nil && (over || s.end):
		ended = []*job{j}
	}
	ended = append(ended, h.giveUp()...)
	e.arrange(h)
	if len(ended) == 0 {
		e.running--
	}
	e.pump()
	e.mu.Unlock()
	if len(ended) == 0 {
		return
	}
	for _, k := range ended {
		e.submit(k.deliver()...)
	}
	e.mu.Lock()
	e.running--
	e.pump()
	e.mu.Unlock()
}

// submit takes new jobs, and those that the run has in their place when some end at once.
func (e *engine) submit(jobs ...*job) {
	for len(jobs) > 0 {
		j := jobs[len(jobs)-1]
		jobs = jobs[:len(jobs)-1]
		e.mu.Lock()
		ended := e.place(j)
		e.pump()
		e.mu.Unlock()
		if ended {
			jobs = append(jobs, j.deliver()...)
		}
	}
}

// place puts j where it waits for its turn, or ends it when it is decided without a request. The lock is held.
func (e *engine) place(j *job) (ended bool) {
	if j.ctx.Err() != nil {
		return true
	}
	if e.viaProxy(j.target) && !publicName(j.target.Host) {
		j.end(RedirectRefused, j.target.Host+" is not a public address")
		return true
	}
	h := e.host(j.target.Host)
	defer e.arrange(h)
	if j.robots == nil {
		if h.rest(j) {
			return true
		}
		key := origin(j.target)
		entry := h.robots[key]
		if entry != nil && !entry.loading && time.Now().After(entry.until) {
			e.forget(entry)
			entry = nil
		}
		if entry == nil {
			entry = e.askRobots(h, j, key)
		}
		if entry.loading {
			entry.waiting = append(entry.waiting, j)
			return false
		}
		if entry.judge(j) {
			return true
		}
	}
	h.put(j)
	return false
}

// askRobots makes the entry of an origin and the job that loads it.
func (e *engine) askRobots(h *host, j *job, key string) *robotsEntry {
	u := *j.target
	u.Path, u.Query, u.HasQuery = "/robots.txt", "", false
	ctx, cancel := context.WithCancel(context.Background())
	entry := &robotsEntry{origin: key, host: h, loading: true, cancel: cancel}
	h.robots[key] = entry
	r := &job{ctx: ctx, robots: entry, start: &u, body: share{m: e.memory}}
	r.begin(e.opt.TotalTimeout)
	h.queue.pushFront(r)
	return entry
}

// settled lets those go on that waited for a robots.txt, and gives back those whom it ended. The lock is held.
func (e *engine) settled(entry *robotsEntry, r Result) (ended []*job) {
	h := entry.host
	entry.settle(r)
	e.rules += entry.size
	h.delay = max(h.delay, min(entry.rules.CrawlDelay(), maxCrawlDelay))
	waiting := entry.waiting
	entry.waiting = nil
	for _, j := range waiting {
		if entry.judge(j) {
			ended = append(ended, j)
		} else {
			h.put(j)
		}
	}
	if e.rules > maxRules && entry.size > maxRules/256 {
		e.forget(entry) // too much to remember it for the next
	}
	e.arrange(h)
	return ended
}

func (e *engine) forget(entry *robotsEntry) {
	e.rules -= entry.size
	delete(entry.host.robots, entry.origin)
}

// dropRun ends every waiting job of a run whose context has ended.
func (e *engine) dropRun(r *run) {
	var ended []*job
	mine := func(j *job) bool {
		if j.run == r {
			ended = append(ended, j)
			return true
		}
		return false
	}
	e.mu.Lock()
	for _, h := range e.hosts {
		h.queue.remove(mine)
		h.delayed.remove(mine)
		for _, entry := range h.robots {
			if entry.waiting = slices.DeleteFunc(entry.waiting, mine); entry.loading && len(entry.waiting) == 0 {
				entry.cancel()
				delete(h.robots, entry.origin)
			}
		}
	}
	for _, h := range e.hosts {
		// The robots.txt that nobody waits for now. The jobs of other runs whose contexts have ended are theirs to end.
		stale := func(j *job) bool { return j.robots != nil && j.ctx.Err() != nil }
		h.queue.remove(stale)
		h.delayed.remove(stale)
		e.arrange(h)
	}
	e.pump()
	e.mu.Unlock()
	for _, j := range ended {
		j.deliver()
	}
}
