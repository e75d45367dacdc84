package storage

// Retry: a store whose calls are tried again after failures that pass: 429, 500, 502, 503 (S3's SlowDown), 504, resets,
// time-outs, bodies that end early.

import (
	"context"
	"errors"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"syscall"
	"time"
)

// RetryPolicy says how often and how soon. The zero value means 5 attempts, 0.2 s to 20 s apart.
type RetryPolicy struct {
	Attempts  int
	First     time.Duration // the longest wait before the second attempt; each further one doubles it
	Longest   time.Duration
	Transient func(error) bool // default Transient
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.Attempts == 0 {
		p.Attempts = 5
	}
	if p.First == 0 {
		p.First = 200 * time.Millisecond
	}
	if p.Longest == 0 {
		p.Longest = 20 * time.Second
	}
	if p.Transient == nil {
		p.Transient = Transient
	}
	return p
}

// wait is how long to wait after so many failed attempts: a random part of a limit that doubles.
func (p RetryPolicy) wait(attempts int) time.Duration {
	limit := p.Longest
	if doublings := attempts - 1; doublings < 30 {
		limit = min(limit, p.First<<doublings)
	}
	return time.Duration(rand.Int64N(int64(limit))) + time.Microsecond
}

// do calls f until it succeeds, fails for good, or has had its attempts. What a server asks for (Retry-After) is
// waited for, as far as Longest allows.
func (p RetryPolicy) do(ctx context.Context, f func() error) error {
	for attempt := 1; ; attempt++ {
		err := f()
		if err == nil || attempt >= p.Attempts || ctx.Err() != nil || !p.Transient(err) {
			return err
		}
		wait := p.wait(attempt)
		var status *StatusError
		if errors.As(err, &status) {
			wait = max(wait, min(status.RetryAfter, p.Longest))
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

// Transient says whether a call that failed so may succeed when it is tried again.
func Transient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, ErrNotExist) || errors.Is(err, ErrExist) {
		return false
	}
	var status *StatusError
	if errors.As(err, &status) {
		switch status.Code {
		case 408, 429, 500, 502, 503, 504:
			return true
		}
		return false
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return !name.IsNotFound
	}
	var call *net.OpError
	var network net.Error // of *url.Error too, which also wraps what no second try helps
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, net.ErrClosed) || errors.As(err, &call) || errors.As(err, &network) && network.Timeout()
}

type retryStore struct {
	Store
	policy RetryPolicy
}

// Retry wraps a store. Writes are not repeated here: a store whose writes can fail in passing repeats them itself,
// part by part.
func Retry(s Store, p RetryPolicy) Store { return &retryStore{s, p.withDefaults()} }

func (s *retryStore) Open(ctx context.Context, name string) (o Object, err error) {
	err = s.policy.do(ctx, func() error {
		o, err = s.Store.Open(ctx, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &retryObject{o, ctx, s.policy}, nil
}

func (s *retryStore) Stat(ctx context.Context, name string) (info Info, err error) {
	err = s.policy.do(ctx, func() error {
		info, err = s.Store.Stat(ctx, name)
		return err
	})
	return info, err
}

func (s *retryStore) Remove(ctx context.Context, name string) error {
	return s.policy.do(ctx, func() error { return s.Store.Remove(ctx, name) })
}

// List begins again after the last name that was yielded.
func (s *retryStore) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		last, enough := "", false
		err := s.policy.do(ctx, func() error {
			for info, err := range s.Store.List(ctx, prefix) {
				if err != nil {
					return err
				}
				if info.Name <= last {
					continue
				}
				if last = info.Name; !yield(info, nil) {
					enough = true
					return nil
				}
			}
			return nil
		})
		if err != nil && !enough {
			yield(Info{}, err)
		}
	}
}

type retryObject struct {
	Object
	ctx    context.Context
	policy RetryPolicy
}

func (o *retryObject) ReadAt(b []byte, off int64) (n int, err error) {
	if off >= o.Info().Size {
		return 0, io.EOF
	}
	atEnd := off+int64(len(b)) > o.Info().Size // then io.EOF is the answer, not a failure
	err = o.policy.do(o.ctx, func() error {
		n, err = o.Object.ReadAt(b, off)
		if atEnd && errors.Is(err, io.EOF) && off+int64(n) == o.Info().Size {
			return nil
		}
		return err
	})
	if err == nil && atEnd {
		err = io.EOF
	}
	return n, err
}
