package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mmc4/internal/storage"
)

// busyStore notes how many calls run at a time.
type busyStore struct {
	storage.Store
	now, most atomic.Int64
}

func (s *busyStore) Stat(ctx context.Context, name string) (storage.Info, error) {
	now := s.now.Add(1)
	defer s.now.Add(-1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
	for range 20 {
		runtime.Gosched()
	}
	return s.Store.Stat(ctx, name)
}

func TestLimitConcurrency(t *testing.T) {
	ctx := context.Background()
	busy := &busyStore{Store: storage.NewMemory()}
	s := storage.LimitConcurrency(busy, 3)
	var wg sync.WaitGroup
	for range 50 {
		wg.Go(func() { s.Stat(ctx, "blob") })
	}
	wg.Wait()
	if most := busy.most.Load(); most > 3 {
		t.Errorf("%d calls ran at a time", most)
	}
}

func TestRateLimitEndsWithContext(t *testing.T) {
	s := storage.RateLimit(storage.NewMemory(), 1e-6)
	ctx, cancel := context.WithCancel(context.Background())
	s.Stat(ctx, "blob") // takes the one call of the next days
	cancel()
	if _, err := s.Stat(ctx, "blob"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestTransient(t *testing.T) {
	for _, c := range []struct {
		err  error
		want bool
	}{
		{&storage.StatusError{Code: 503}, true},
		{fmt.Errorf("read x: %w", &storage.StatusError{Code: 429}), true},
		{&storage.StatusError{Code: 403}, false},
		{&storage.StatusError{Code: 501}, false},
		{io.ErrUnexpectedEOF, true},
		{&net.OpError{Op: "read", Err: syscall.ECONNRESET}, true},
		{&url.Error{Op: "Get", Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}, true},
		{&url.Error{Op: "Get", Err: errors.New("unsupported protocol scheme")}, false},
		{&net.DNSError{IsNotFound: true}, false},
		{&net.DNSError{IsTimeout: true}, true},
		{storage.ErrNotExist, false},
		{storage.ErrExist, false},
		{context.Canceled, false},
	} {
		if got := storage.Transient(c.err); got != c.want {
			t.Errorf("Transient(%v) = %v", c.err, got)
		}
	}
}

// failing fails a number of times before it goes on.
type failing struct {
	storage.Store
	left int
	with error
}

func (s *failing) Stat(ctx context.Context, name string) (storage.Info, error) {
	if s.left > 0 {
		s.left--
		return storage.Info{}, s.with
	}
	return s.Store.Stat(ctx, name)
}

func TestRetryGivesUp(t *testing.T) {
	ctx := context.Background()
	slow := &storage.StatusError{Code: 503, Text: "503 SlowDown", RetryAfter: time.Hour}
	policy := storage.RetryPolicy{Attempts: 4, First: time.Microsecond, Longest: time.Millisecond}
	memory := storage.NewMemory()
	if err := storage.WriteFile(ctx, memory, "blob", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := storage.Retry(&failing{memory, 3, slow}, policy).Stat(ctx, "blob"); err != nil {
		t.Errorf("three failures of four tries give %v", err)
	}
	if _, err := storage.Retry(&failing{memory, 4, slow}, policy).Stat(ctx, "blob"); !errors.Is(err, slow) {
		t.Errorf("four failures of four tries give %v", err)
	}
	refused := &failing{memory, 2, &storage.StatusError{Code: 403}}
	if _, err := storage.Retry(refused, policy).Stat(ctx, "blob"); err == nil || refused.left != 1 {
		t.Errorf("a refusal was tried again: %v, %d left", err, refused.left)
	}
}
