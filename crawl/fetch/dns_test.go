package fetch

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counted is a resolver that counts look-ups and waits for release.
type counted struct {
	names
	calls, now, most atomic.Int64
	release          chan struct{}
}

func (c *counted) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	c.calls.Add(1)
	c.most.Store(max(c.most.Load(), c.now.Add(1)))
	defer c.now.Add(-1)
	select {
	case <-c.release:
		return c.names.LookupNetIP(ctx, network, host)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestDNSCache(t *testing.T) {
	r := &counted{names: names{"a.example": "8.8.8.8", "busy.example": "busy"}, release: make(chan struct{})}
	c := newDNSCache(r, time.Minute, 4)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			addrs, err := c.lookup(t.Context(), "a.example")
			if err != nil || len(addrs) != 1 {
				t.Error(addrs, err)
			}
		})
		wg.Go(func() {
			if _, err := c.lookup(t.Context(), fmt.Sprintf("none%d.example", i)); !noSuchHost(err) {
				t.Error(err)
			}
		})
	}
	close(r.release)
	wg.Wait()
	if r.calls.Load() != 101 || r.most.Load() > 4 {
		t.Errorf("%d look-ups, %d at a time", r.calls.Load(), r.most.Load())
	}
	if _, err := c.lookup(t.Context(), "none1.example"); !noSuchHost(err) || r.calls.Load() != 101 {
		t.Error("no such host is not remembered")
	}
	if _, err := c.lookup(t.Context(), "busy.example"); err == nil || noSuchHost(err) {
		t.Error(err)
	}
	time.Sleep(dnsKeepFail + 50*time.Millisecond)
	if _, err := c.lookup(t.Context(), "busy.example"); err == nil || r.calls.Load() != 103 {
		t.Errorf("a failure is remembered for too long: %d look-ups", r.calls.Load())
	}
}

func TestDNSTimeAndCancel(t *testing.T) {
	r := &counted{release: make(chan struct{})}
	c := newDNSCache(r, 30*time.Millisecond, 4)
	if _, err := c.lookup(t.Context(), "hangs.example"); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	c = newDNSCache(r, time.Hour, 4)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(30*time.Millisecond, cancel)
	if _, err := c.lookup(ctx, "hangs.example"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	for i := 0; r.now.Load() != 0; i++ { // nobody waits for it: it ends
		if i == 100 {
			t.Fatal("the look-up goes on")
		}
		time.Sleep(10 * time.Millisecond)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.entries) != 0 || c.order.Len() != 0 {
		t.Error("an entry is left")
	}
}
