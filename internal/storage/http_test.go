package storage_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mmc4/internal/storage"
)

func someBytes(n int) []byte {
	b := make([]byte, n)
	rand.New(rand.NewSource(1)).Read(b)
	return b
}

// servers answer GET and HEAD of one blob in the ways servers do.
var servers = map[string]func(data []byte) http.HandlerFunc{
	"ranges": func(data []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("ETag", `"tag"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		}
	},
	"ranges without HEAD": func(data []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodHead {
				w.WriteHeader(http.StatusMethodNotAllowed)
				return
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		}
	},
	"no ranges": func(data []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { w.Write(data) }
	},
	"no ranges, no length": func(data []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.(http.Flusher).Flush()
			w.Write(data)
		}
	},
}

func TestHTTP(t *testing.T) {
	ctx := context.Background()
	for name, server := range servers {
		for _, size := range []int{0, 1, 5000, 3 << 20} {
			for _, cache := range []int64{-1, 0} {
				t.Run(name, func(t *testing.T) {
					data := someBytes(size)
					h := httptest.NewServer(server(data))
					defer h.Close()
					store, err := storage.Open(ctx, h.URL+"/dir", storage.Options{CacheBytes: cache, UserAgent: "test"})
					if err != nil {
						t.Fatal(err)
					}
					got, err := storage.ReadFile(ctx, store, "blob")
					if err != nil || !bytes.Equal(got, data) {
						t.Fatalf("ReadFile gives %d bytes, %v", len(got), err)
					}
					o, err := store.Open(ctx, "blob")
					if err != nil {
						t.Fatal(err)
					}
					defer o.Close()
					got, err = io.ReadAll(storage.Reader(ctx, o))
					if err != nil || !bytes.Equal(got, data) {
						t.Fatalf("Reader gives %d bytes, %v", len(got), err)
					}
					part := make([]byte, 100)
					off := max(0, size-50)
					n, err := o.ReadAt(part, int64(off))
					if err != io.EOF || !bytes.Equal(part[:n], data[off:]) {
						t.Fatalf("ReadAt over the end gives %d bytes, %v", n, err)
					}
				})
			}
		}
	}
}

func TestHTTPRefuses(t *testing.T) {
	ctx := context.Background()
	var status atomic.Int64
	var requests atomic.Int64
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		w.WriteHeader(int(status.Load()))
	}))
	defer h.Close()
	store, err := storage.Open(ctx, h.URL, storage.Options{FirstWait: time.Millisecond, Attempts: 3})
	if err != nil {
		t.Fatal(err)
	}
	for code, tries := range map[int64]int64{404: 1, 410: 1, 401: 1, 503: 3, 429: 3} {
		status.Store(code)
		requests.Store(0)
		_, err := store.Stat(ctx, "blob")
		if missing := code == 404 || code == 410; err == nil || errors.Is(err, storage.ErrNotExist) != missing {
			t.Errorf("%d gives %v", code, err)
		}
		if requests.Load() != tries {
			t.Errorf("%d: %d requests, want %d", code, requests.Load(), tries)
		}
	}
	if _, err := store.Create(ctx, "blob", storage.CreateOptions{}); !errors.Is(err, storage.ErrReadOnly) {
		t.Errorf("Create gives %v", err)
	}
	if err := store.Remove(ctx, "blob"); !errors.Is(err, storage.ErrReadOnly) {
		t.Errorf("Remove gives %v", err)
	}
	for _, err := range store.List(ctx, "") {
		if !errors.Is(err, storage.ErrNoList) {
			t.Errorf("List gives %v", err)
		}
	}
}

func TestHTTPChanged(t *testing.T) {
	ctx := context.Background()
	for _, tagged := range []bool{true, false} {
		var version atomic.Value
		version.Store("first version")
		h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			text := version.Load().(string)
			if tagged {
				w.Header().Set("ETag", `"`+text+`"`)
			}
			http.ServeContent(w, r, "", time.Time{}, strings.NewReader(text))
		}))
		defer h.Close()
		store, err := storage.Open(ctx, h.URL, storage.Options{FirstWait: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		o, err := store.Open(ctx, "blob")
		if err != nil {
			t.Fatal(err)
		}
		version.Store("a second version")
		b := make([]byte, 13)
		if n, err := o.ReadAt(b, 0); err == nil || err == io.EOF {
			t.Errorf("tagged %v: a read of a changed blob gives %q, %v", tagged, b[:n], err)
		}
	}
}

// TestHTTPBroken breaks off every other answer.
func TestHTTPBroken(t *testing.T) {
	ctx := context.Background()
	data := someBytes(100_000)
	var n atomic.Int64
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) % 4 {
		case 1:
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			panic(http.ErrAbortHandler)
		default:
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
		}
	}))
	defer h.Close()
	store, err := storage.Open(ctx, h.URL, storage.Options{CacheBytes: -1, FirstWait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	o, err := store.Open(ctx, "blob")
	if err != nil {
		t.Fatal(err)
	}
	for off := 0; off < len(data); off += 9999 {
		b := make([]byte, min(9999, len(data)-off))
		if _, err := o.ReadAt(b, int64(off)); err != nil || !bytes.Equal(b, data[off:off+len(b)]) {
			t.Fatalf("at %d: %v", off, err)
		}
	}
}
