package fetch

// Name resolution: a cache with bounded look-ups, because names are what large crawls lose most to. Everyone who asks
// for a name shares one look-up; it ends when its time is up or when nobody waits for it any more.

import (
	"container/list"
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	dnsKeep     = 5 * time.Minute        // an answer, also "no such host"
	dnsKeepFail = 500 * time.Millisecond // a server failure or timeout, shorter than the first backoff
	dnsEntries  = 1 << 16
)

type dnsCache struct {
	resolver Resolver
	timeout  time.Duration
	slots    chan struct{} // look-ups in flight

	mu      sync.Mutex
	entries map[string]*list.Element // of *dnsEntry
	order   list.List                // oldest first
}

type dnsEntry struct {
	host    string
	done    chan struct{} // closed when addrs and err are known
	addrs   []netip.Addr
	err     error
	until   time.Time
	waiting int
	cancel  context.CancelFunc
}

func newDNSCache(r Resolver, timeout time.Duration, lookups int) *dnsCache {
	return &dnsCache{resolver: r, timeout: timeout, slots: make(chan struct{}, lookups), entries: map[string]*list.Element{}}
}

// lookup gives the addresses of host, from the cache or by asking.
func (c *dnsCache) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	c.mu.Lock()
	e := c.find(host)
	if e == nil {
		work, cancel := context.WithCancel(context.WithoutCancel(ctx))
		e = &dnsEntry{host: host, done: make(chan struct{}), cancel: cancel}
		c.entries[host] = c.order.PushBack(e)
		if c.order.Len() > dnsEntries {
			c.forget(c.order.Front().Value.(*dnsEntry))
		}
		go c.ask(work, e)
	}
	e.waiting++
	c.mu.Unlock()

	select {
	case <-e.done:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e.waiting--
	select {
	case <-e.done:
		return e.addrs, e.err
	default:
	}
	if e.waiting == 0 {
		e.cancel()
		c.forget(e)
	}
	return nil, context.Cause(ctx)
}

func (c *dnsCache) find(host string) *dnsEntry {
	el := c.entries[host]
	if el == nil {
		return nil
	}
	e := el.Value.(*dnsEntry)
	select {
	case <-e.done:
		if time.Now().After(e.until) {
			c.forget(e)
			return nil
		}
	default:
	}
	return e
}

func (c *dnsCache) forget(e *dnsEntry) {
	if el := c.entries[e.host]; el != nil && el.Value == e {
		c.order.Remove(el)
		delete(c.entries, e.host)
	}
}

func (c *dnsCache) ask(ctx context.Context, e *dnsEntry) {
	defer e.cancel()
	addrs, err := c.resolve(ctx, e.host)
	c.mu.Lock()
	e.addrs, e.err, e.until = addrs, err, time.Now().Add(dnsKeep)
	if err != nil && !noSuchHost(err) {
		e.until = time.Now().Add(dnsKeepFail)
	}
	close(e.done)
	c.mu.Unlock()
}

func (c *dnsCache) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	// The dot keeps the machine's search domains out of it: a name on a page is a whole name.
	addrs, err := c.resolver.LookupNetIP(ctx, "ip", host+".")
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no addresses", Name: host, IsNotFound: true}
	}
	return addrs, err
}

func noSuchHost(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}
