package storage

// A store in memory, for tests and as the plainest reading of the contract.

import (
	"bytes"
	"cmp"
	"context"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
)

type memoryBlob struct {
	data []byte // never changed
	info Info
}

type memoryStore struct {
	mu    sync.Mutex
	blobs map[string]memoryBlob
}

// NewMemory is an empty store in memory.
func NewMemory() Store { return &memoryStore{blobs: map[string]memoryBlob{}} }

func (s *memoryStore) Location(name string) string { return "memory:" + name }

func (s *memoryStore) find(ctx context.Context, name string) (memoryBlob, error) {
	if err := cmp.Or(ctx.Err(), checkName(name)); err != nil {
		return memoryBlob{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	blob, found := s.blobs[name]
	if !found {
		return blob, ErrNotExist
	}
	return blob, nil
}

func (s *memoryStore) Open(ctx context.Context, name string) (Object, error) {
	blob, err := s.find(ctx, name)
	if err != nil {
		return nil, failed(s, "open", name, err)
	}
	return &memoryObject{ctx, bytes.NewReader(blob.data), blob.info}, nil
}

func (s *memoryStore) Stat(ctx context.Context, name string) (Info, error) {
	blob, err := s.find(ctx, name)
	return blob.info, failed(s, "stat", name, err)
}

func (s *memoryStore) Remove(ctx context.Context, name string) error {
	if err := cmp.Or(ctx.Err(), checkName(name)); err != nil {
		return failed(s, "remove", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.blobs, name)
	return nil
}

func (s *memoryStore) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		s.mu.Lock()
		var found []Info
		for name, blob := range s.blobs {
			if strings.HasPrefix(name, prefix) {
				found = append(found, blob.info)
			}
		}
		s.mu.Unlock()
		slices.SortFunc(found, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
		for _, info := range found {
			if err := ctx.Err(); err != nil {
				yield(Info{}, failed(s, "list", prefix, err))
				return
			}
			if !yield(info, nil) {
				return
			}
		}
	}
}

func (s *memoryStore) Create(ctx context.Context, name string, o CreateOptions) (Writer, error) {
	if err := cmp.Or(ctx.Err(), checkName(name)); err != nil {
		return nil, failed(s, "create", name, err)
	}
	return &memoryWriter{store: s, name: name, o: o}, nil
}

type memoryWriter struct {
	store *memoryStore
	name  string
	o     CreateOptions
	data  []byte
	done  bool
}

func (w *memoryWriter) Write(b []byte) (int, error) {
	if w.done {
		return 0, failed(w.store, "write", w.name, fs.ErrClosed)
	}
	w.data = append(w.data, b...)
	return len(b), nil
}

func (w *memoryWriter) Abort() error {
	w.done = true
	return nil
}

func (w *memoryWriter) Commit(ctx context.Context) error {
	if w.done {
		return failed(w.store, "commit", w.name, fs.ErrClosed)
	}
	w.done = true
	if err := ctx.Err(); err != nil {
		return failed(w.store, "commit", w.name, err)
	}
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if _, there := w.store.blobs[w.name]; there && w.o.Exclusive {
		return failed(w.store, "commit", w.name, ErrExist)
	}
	w.store.blobs[w.name] = memoryBlob{w.data, Info{Name: w.name, Size: int64(len(w.data)), ModTime: time.Now()}}
	return nil
}

type memoryObject struct {
	ctx context.Context
	*bytes.Reader
	info Info
}

func (o *memoryObject) Info() Info   { return o.info }
func (o *memoryObject) Close() error { return nil }

func (o *memoryObject) ReadAt(b []byte, off int64) (int, error) {
	if err := o.ctx.Err(); err != nil {
		return 0, err
	}
	return o.Reader.ReadAt(b, off)
}
