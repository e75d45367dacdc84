package pipeline

// How the files of a crawl are read by ranges: index parts and WARC files. Common Crawl serves everyone from one place,
// and ranged reads suffer most under its load; so over HTTP few requests run at a time and few begin in a second, a 503 or a
// broken connection is met with a wait of a second that doubles, and nothing else is asked again.

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"time"

	"mmc4/internal/storage"
)

const (
	politeAtOnce    = 4  // requests to a host at a time
	politePerSecond = 10 // and in a second
	patienceFirst   = time.Second
	patienceLongest = time.Minute
	patienceTries   = 8 // two minutes in all
)

// crawlStores are the stores that a process reads the crawl from: one for each host or bucket, so that limits hold for it.
type crawlStores struct {
	mu     sync.Mutex
	stores map[string]storage.Store
}

// openCrawl opens a file of the crawl for ranged reads. cache is storage.Options.CacheBytes; readers of one kind give the
// same.
func (r *run) openCrawl(ctx context.Context, location string, cache int64) (*crawlFile, error) {
	store, name, err := r.crawlStore(ctx, location, cache)
	if err != nil {
		return nil, err
	}
	o, err := store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	return &crawlFile{Object: o}, nil
}

func (r *run) crawlStore(ctx context.Context, location string, cache int64) (storage.Store, string, error) {
	root, name, remote := storage.Root(location)
	o := r.cfg.Storage
	o.CacheBytes = cache
	if !remote {
		ref, err := storage.Locate(ctx, location, o)
		return ref.Store, ref.Name, err
	}
	overHTTP := strings.HasPrefix(root, "http")
	c := &r.once.crawl
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.stores[root]; s != nil {
		return s, name, nil
	}
	patience := patientStore{first: o.FirstWait, tries: o.Attempts}
	if overHTTP {
		if patience.first == 0 {
			patience.first = patienceFirst
		}
		if patience.tries == 0 {
			patience.tries = patienceTries
		}
		if o.Concurrency == 0 {
			o.Concurrency = politeAtOnce
		}
		if o.RequestsPerSecond == 0 {
			o.RequestsPerSecond = politePerSecond
		}
		o.Attempts = 1
	}
	s, err := storage.Open(ctx, root, o)
	if err != nil {
		return nil, "", err
	}
	if overHTTP {
		patience.Store = s
		s = &patience
	}
	if c.stores == nil {
		c.stores = map[string]storage.Store{}
	}
	c.stores[root] = s
	return s, name, nil
}

// forget forgets the stores, so that the next phase opens its own.
func (c *crawlStores) forget() {
	c.mu.Lock()
	c.stores = nil
	c.mu.Unlock()
}

// crawlFile remembers a failure to read that is not the bytes' fault.
type crawlFile struct {
	storage.Object
	mu  sync.Mutex
	err error
}

func (f *crawlFile) ReadAt(b []byte, off int64) (int, error) {
	n, err := f.Object.ReadAt(b, off)
	if err != nil && !errors.Is(err, io.EOF) {
		f.mu.Lock()
		f.err = err
		f.mu.Unlock()
	}
	return n, err
}

func (f *crawlFile) failed() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// patientStore asks again after failures that pass.
type patientStore struct {
	storage.Store
	first time.Duration // the wait before the second try; it doubles
	tries int
}

func (s *patientStore) Open(ctx context.Context, name string) (storage.Object, error) {
	var o storage.Object
	err := s.patiently(ctx, func() (err error) {
		o, err = s.Store.Open(ctx, name)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &patientObject{o, s, ctx}, nil
}

// patiently calls f until it succeeds, fails for good or has been tried often enough.
func (s *patientStore) patiently(ctx context.Context, f func() error) error {
	wait := s.first
	for try := 1; ; try++ {
		err := f()
		if err == nil || try >= s.tries || ctx.Err() != nil || !storage.Transient(err) {
			return err
		}
		pause := wait
		var status *storage.StatusError
		if errors.As(err, &status) {
			pause = max(pause, min(status.RetryAfter, patienceLongest))
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
		wait = min(2*wait, patienceLongest)
	}
}

type patientObject struct {
	storage.Object
	store *patientStore
	ctx   context.Context
}

func (o *patientObject) ReadAt(b []byte, off int64) (n int, err error) {
	atEnd := off+int64(len(b)) >= o.Info().Size // then io.EOF is the answer
	failed := o.store.patiently(o.ctx, func() error {
		n, err = o.Object.ReadAt(b, off)
		if atEnd && errors.Is(err, io.EOF) {
			return nil
		}
		return err
	})
	if failed != nil {
		return n, failed
	}
	return n, err
}
