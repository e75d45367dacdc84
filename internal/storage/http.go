package storage

// A read-only store below an HTTP(S) address, by HEAD and ranged GET.

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"
)

// StatusError is an answer other than success.
type StatusError struct {
	Code       int
	Text       string
	RetryAfter time.Duration // what the server asks for, else 0
}

func (e *StatusError) Error() string { return "the server answered " + e.Text }

type httpStore struct {
	base   *url.URL // without query
	query  string   // kept from the location, for signed addresses
	client *http.Client
	agent  string
}

func newHTTP(location string, o Options) (*httpStore, error) {
	base, err := url.Parse(location)
	if err != nil || base.Host == "" {
		return nil, fmt.Errorf("storage %s: not an address", location)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	tune(transport)
	s := &httpStore{base: base, query: base.RawQuery, agent: o.UserAgent, client: &http.Client{Transport: transport}}
	base.RawQuery, base.Fragment = "", ""
	return s, nil
}

// tune keeps connections alive, as many as calls may run, and does not ask for compression, which breaks ranges.
func tune(t *http.Transport) {
	t.DisableCompression = true
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 64
	t.ResponseHeaderTimeout = time.Minute
}

// splitURL cuts an address into a store's location and the name of a blob. A query stays with the location.
func splitURL(location string) (folder, name string, err error) {
	u, err := url.Parse(location)
	if err != nil || u.Host == "" {
		return "", "", fmt.Errorf("storage %s: not an address", location)
	}
	dir, name := path.Split(u.Path)
	u.Path, u.RawPath, u.Fragment = dir, "", ""
	return u.String(), name, nil
}

func (s *httpStore) Location(name string) string {
	u := *s.base
	if name != "" {
		u.Path = strings.TrimSuffix(u.Path, "/") + "/" + name
		u.RawPath = ""
	}
	return u.String()
}

// request sends one; every answer but the wanted codes becomes an error.
func (s *httpStore) request(ctx context.Context, method, name string, header http.Header, want ...int) (*http.Response, error) {
	address := s.Location(name)
	if s.query != "" {
		address += "?" + s.query
	}
	r, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return nil, err
	}
	for key, values := range header {
		r.Header[key] = values
	}
	if s.agent != "" {
		r.Header.Set("User-Agent", s.agent)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	for _, code := range want {
		if answer.StatusCode == code {
			return answer, nil
		}
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	if answer.StatusCode == http.StatusNotFound || answer.StatusCode == http.StatusGone {
		return nil, ErrNotExist
	}
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	return nil, &StatusError{answer.StatusCode, answer.Status, time.Duration(seconds) * time.Second}
}

func (s *httpStore) Stat(ctx context.Context, name string) (Info, error) {
	info, whole, err := s.stat(ctx, name)
	if whole != nil {
		whole.Close()
	}
	return info, failed(s, "stat", name, err)
}

// stat finds a blob's size by HEAD, or where that does not tell it by a GET of one byte. A server that then sends the
// whole blob because it knows no ranges has it spooled.
func (s *httpStore) stat(ctx context.Context, name string) (Info, *spool, error) {
	if err := cmp.Or(ctx.Err(), checkName(name)); err != nil {
		return Info{}, nil, err
	}
	answer, err := s.request(ctx, http.MethodHead, name, nil, 200)
	if err == nil {
		answer.Body.Close()
		if answer.ContentLength >= 0 {
			return httpInfo(name, answer, answer.ContentLength), nil, nil
		}
	} else if code := statusOf(err); code != 403 && code != 405 && code != 501 { // some forbid HEAD only
		return Info{}, nil, err
	}
	answer, err = s.request(ctx, http.MethodGet, name, http.Header{"Range": {"bytes=0-0"}}, 200, 206, 416)
	if err != nil {
		return Info{}, nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode == 200 {
		whole, err := newSpool(answer.Body, answer.ContentLength)
		if err != nil {
			return Info{}, nil, err
		}
		return httpInfo(name, answer, whole.size), whole, nil
	}
	_, total, found := strings.Cut(answer.Header.Get("Content-Range"), "/")
	size, err := strconv.ParseInt(total, 10, 64)
	if !found || err != nil || size < 0 {
		return Info{}, nil, fmt.Errorf("the server does not tell the size: Content-Range is %q", answer.Header.Get("Content-Range"))
	}
	return httpInfo(name, answer, size), nil, nil
}

func httpInfo(name string, answer *http.Response, size int64) Info {
	modified, _ := http.ParseTime(answer.Header.Get("Last-Modified"))
	return Info{Name: name, Size: size, ModTime: modified, ETag: answer.Header.Get("ETag")}
}

func (s *httpStore) Open(ctx context.Context, name string) (Object, error) {
	info, whole, err := s.stat(ctx, name)
	if err != nil {
		return nil, failed(s, "open", name, err)
	}
	return &httpObject{ctx: ctx, store: s, info: info, whole: whole}, nil
}

func (s *httpStore) Create(_ context.Context, name string, _ CreateOptions) (Writer, error) {
	return nil, failed(s, "create", name, ErrReadOnly)
}

func (s *httpStore) Remove(_ context.Context, name string) error {
	return failed(s, "remove", name, ErrReadOnly)
}

func (s *httpStore) List(_ context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) { yield(Info{}, failed(s, "list", prefix, ErrNoList)) }
}
