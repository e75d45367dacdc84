package storage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
)

// errChanged is what reads of a blob that was replaced fail with.
var errChanged = errors.New("it changed while it was open; open it again")

func statusOf(err error) int {
	var status *StatusError
	if errors.As(err, &status) {
		return status.Code
	}
	return 0
}

type httpObject struct {
	ctx   context.Context
	store *httpStore
	info  Info

	mu    sync.Mutex
	whole *spool // set once the server turned out to know no ranges
}

func (o *httpObject) Info() Info { return o.info }

func (o *httpObject) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.whole == nil {
		return nil
	}
	err := o.whole.Close()
	o.whole = nil
	return err
}

func (o *httpObject) spooled() *spool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.whole
}

func (o *httpObject) ReadAt(b []byte, off int64) (int, error) {
	if off >= o.info.Size {
		return 0, io.EOF
	}
	if len(b) == 0 {
		return 0, nil
	}
	want := b[:min(int64(len(b)), o.info.Size-off)]
	n, err := 0, error(nil)
	if whole := o.spooled(); whole != nil {
		n, err = whole.ReadAt(want, off)
	} else {
		n, err = o.get(want, off)
	}
	if err != nil {
		return n, failed(o.store, "read", o.info.Name, err)
	}
	if len(want) < len(b) {
		err = io.EOF
	}
	return n, err
}

func (o *httpObject) get(b []byte, off int64) (int, error) {
	header := http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", off, off+int64(len(b))-1)}}
	if o.info.ETag != "" && !strings.HasPrefix(o.info.ETag, "W/") {
		header.Set("If-Match", o.info.ETag)
	}
	answer, err := o.store.request(o.ctx, http.MethodGet, o.info.Name, header, 200, 206)
	if code := statusOf(err); code == 412 || code == 416 {
		return 0, errChanged
	} else if err != nil {
		return 0, err
	}
	defer answer.Body.Close()
	if tag := answer.Header.Get("ETag"); tag != o.info.ETag {
		return 0, errChanged
	}
	if answer.StatusCode == 200 {
		return o.spoolWhole(answer, b, off)
	}
	if got, want := answer.Header.Get("Content-Range"), fmt.Sprintf("bytes %d-%d/", off, off+int64(len(b))-1); !strings.HasPrefix(got, want) {
		return 0, fmt.Errorf("asked for %q, the server sent %q", want, got)
	} else if total := got[len(want):]; total != "*" && total != fmt.Sprint(o.info.Size) {
		return 0, errChanged
	}
	n, err := io.ReadFull(answer.Body, b)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// spoolWhole keeps the whole blob, which the server sent although a range was asked for.
func (o *httpObject) spoolWhole(answer *http.Response, b []byte, off int64) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.whole == nil {
		whole, err := newSpool(answer.Body, answer.ContentLength)
		if err != nil {
			return 0, err
		}
		if whole.size != o.info.Size {
			whole.Close()
			return 0, errChanged
		}
		o.whole = whole
	}
	return o.whole.ReadAt(b, off)
}

// spool is a body in a file that has no name any more.
type spool struct {
	*os.File
	size int64
}

// newSpool reads all of body; want is its length, or negative where the server does not say.
func newSpool(body io.Reader, want int64) (*spool, error) {
	f, err := os.CreateTemp("", "mmc4-http-")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	size, err := io.Copy(f, body)
	if err == nil && want >= 0 && size != want {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &spool{f, size}, nil
}
