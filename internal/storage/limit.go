package storage

// Limits: stores that make calls wait for their turn.

import (
	"context"
	"iter"

	"golang.org/x/time/rate"
)

// gate lets a call through, or fails when the context ends first. leave is called when the call is over.
type gate interface {
	enter(ctx context.Context) error
	leave()
}

// RateLimit lets at most so many calls a second begin, reads of open objects included.
func RateLimit(s Store, perSecond float64) Store {
	return &gatedStore{s, &rateGate{rate.NewLimiter(rate.Limit(perSecond), 1)}}
}

// LimitConcurrency lets at most n calls run at a time, reads of open objects included.
func LimitConcurrency(s Store, n int) Store { return &gatedStore{s, make(slotGate, n)} }

type rateGate struct{ limiter *rate.Limiter }

func (g *rateGate) enter(ctx context.Context) error { return g.limiter.Wait(ctx) }
func (g *rateGate) leave()                          {}

type slotGate chan struct{}

func (g slotGate) enter(ctx context.Context) error {
	select {
	case g <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (g slotGate) leave() { <-g }

type gatedStore struct {
	Store
	gate gate
}

// through makes a call when the gate opens.
func through[T any](ctx context.Context, g gate, f func() (T, error)) (T, error) {
	if err := g.enter(ctx); err != nil {
		var none T
		return none, err
	}
	defer g.leave()
	return f()
}

func (s *gatedStore) Open(ctx context.Context, name string) (Object, error) {
	o, err := through(ctx, s.gate, func() (Object, error) { return s.Store.Open(ctx, name) })
	if err != nil {
		return nil, err
	}
	return &gatedObject{o, ctx, s.gate}, nil
}

func (s *gatedStore) Stat(ctx context.Context, name string) (Info, error) {
	return through(ctx, s.gate, func() (Info, error) { return s.Store.Stat(ctx, name) })
}

func (s *gatedStore) Remove(ctx context.Context, name string) error {
	_, err := through(ctx, s.gate, func() (struct{}, error) { return struct{}{}, s.Store.Remove(ctx, name) })
	return err
}

// List passes the gate once; it does not hold its place while the caller works.
func (s *gatedStore) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if err := s.gate.enter(ctx); err != nil {
			yield(Info{}, failed(s, "list", prefix, err))
			return
		}
		s.gate.leave()
		s.Store.List(ctx, prefix)(yield)
	}
}

func (s *gatedStore) Create(ctx context.Context, name string, o CreateOptions) (Writer, error) {
	w, err := s.Store.Create(ctx, name, o)
	if err != nil {
		return nil, err
	}
	return &gatedWriter{w, s.gate}, nil
}

type gatedObject struct {
	Object
	ctx  context.Context
	gate gate
}

func (o *gatedObject) ReadAt(b []byte, off int64) (int, error) {
	return through(o.ctx, o.gate, func() (int, error) { return o.Object.ReadAt(b, off) })
}

type gatedWriter struct {
	Writer
	gate gate
}

func (w *gatedWriter) Commit(ctx context.Context) error {
	_, err := through(ctx, w.gate, func() (struct{}, error) { return struct{}{}, w.Writer.Commit(ctx) })
	return err
}
