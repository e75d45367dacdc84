package storage_test

import (
	"context"
	"errors"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"mmc4/internal/storage"
	"mmc4/internal/storage/storagetest"
)

// fakeS3 is a server in this process. fault may answer a request itself, or break it off, by returning true.
type fakeS3 struct {
	*httptest.Server
	requests atomic.Int64
	ranges   atomic.Int64
	fault    func(w http.ResponseWriter, r *http.Request) bool
	mu       sync.Mutex // makes the check and the completion of an exclusive multipart upload one
}

func startS3(t *testing.T) *fakeS3 {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	inner := gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server()
	f := &fakeS3{}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.requests.Add(1)
		if r.Header.Get("Range") != "" {
			f.ranges.Add(1)
		}
		if f.fault != nil && f.fault(w, r) {
			return
		}
		if r.Method == http.MethodPost && r.URL.Query().Has("uploadId") && r.Header.Get("If-None-Match") == "*" {
			f.mu.Lock() // the fake completes without looking at the condition
			defer f.mu.Unlock()
			if _, err := backend.HeadObject("bucket", strings.TrimPrefix(r.URL.Path, "/bucket/")); err == nil {
				w.WriteHeader(http.StatusPreconditionFailed)
				return
			}
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	awsEnvironment(t)
	return f
}

// awsEnvironment gives the SDK credentials and keeps it from looking for others on this machine.
func awsEnvironment(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "key")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	t.Setenv("AWS_CONFIG_FILE", "/dev/null")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ENDPOINT_URL", "")
}

func (f *fakeS3) store(t *testing.T, o storage.Options) storage.Store {
	t.Helper()
	o.Endpoint = f.URL
	s, err := storage.Open(context.Background(), "s3://bucket/some/run", o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestS3(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store { return startS3(t).store(t, storage.Options{}) })
}

func TestS3EndpointFromEnvironment(t *testing.T) {
	f := startS3(t)
	t.Setenv("AWS_ENDPOINT_URL", f.URL)
	s, err := storage.Open(context.Background(), "s3://bucket/x", storage.Options{Anonymous: true})
	if err != nil {
		t.Fatal(err)
	}
	signed := false
	f.fault = func(_ http.ResponseWriter, r *http.Request) bool {
		signed = signed || r.Header.Get("Authorization") != ""
		return false
	}
	if err := storage.WriteFile(context.Background(), s, "blob", []byte("x")); err != nil {
		t.Fatal(err)
	}
	if signed {
		t.Error("an anonymous request was signed")
	}
}

// TestS3Faults lets every third request fail, each time in another way, and the whole suite must still pass.
func TestS3Faults(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Store {
		f := startS3(t)
		var n atomic.Int64
		f.fault = func(w http.ResponseWriter, r *http.Request) bool {
			time.Sleep(time.Duration(rand.Intn(3)) * time.Millisecond)
			switch n.Add(1) % 12 {
			case 2:
				w.WriteHeader(http.StatusServiceUnavailable)
				io.WriteString(w, `<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>`)
				return true
			case 5:
				panic(http.ErrAbortHandler) // a reset
			case 8:
				w.WriteHeader(http.StatusInternalServerError)
				return true
			case 11:
				if r.Method == http.MethodGet && r.Header.Get("Range") != "" { // a body that ends early
					w.Header().Set("Content-Length", "1000000")
					w.WriteHeader(http.StatusPartialContent)
					io.WriteString(w, "short")
					panic(http.ErrAbortHandler)
				}
			}
			return false
		}
		return f.store(t, storage.Options{Attempts: 8, FirstWait: time.Millisecond})
	})
}

// TestS3LostAnswer loses the answer to an exclusive write that succeeded: the second try must find that the blob is ours.
func TestS3LostAnswer(t *testing.T) {
	f := startS3(t)
	s := f.store(t, storage.Options{FirstWait: time.Millisecond})
	var lost atomic.Bool
	inner := f.Config.Handler
	f.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && !lost.Swap(true) {
			inner.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		}
		inner.ServeHTTP(w, r)
	})
	ctx := context.Background()
	w, err := s.Create(ctx, "mine", storage.CreateOptions{Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "data")
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	w, err = s.Create(ctx, "mine", storage.CreateOptions{Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, "other")
	if err := w.Commit(ctx); !errors.Is(err, storage.ErrExist) {
		t.Errorf("a second exclusive write gives %v", err)
	}
}

func TestS3Denied(t *testing.T) {
	f := startS3(t)
	f.fault = func(w http.ResponseWriter, _ *http.Request) bool {
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>no</Message></Error>`)
		return true
	}
	s := f.store(t, storage.Options{})
	before := f.requests.Load()
	_, err := s.Stat(context.Background(), "blob")
	if err == nil || errors.Is(err, storage.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if n := f.requests.Load() - before; n != 1 {
		t.Errorf("%d requests, a refusal is not worth another", n)
	}
}
