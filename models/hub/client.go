package hub

// Talking to the hub: requests with the token, redirects without it, and what answers mean.

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// DefaultEndpoint is where hf:// names lead unless a mirror is told.
const DefaultEndpoint = "https://huggingface.co"

// Errors that callers tell apart.
var (
	ErrUsage    = errors.New("cannot be used") // what was asked for
	ErrAccess   = errors.New("access refused")
	ErrNotFound = errors.New("not found")
	ErrHash     = errors.New("the bytes are not those that the hub promises")
)

type client struct {
	http  *http.Client
	base  *url.URL
	ref   Ref
	token string
	o     Options
}

func newClient(ref Ref, o Options) (*client, error) {
	base, err := url.Parse(strings.TrimSuffix(cmp.Or(o.Endpoint, DefaultEndpoint), "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("the endpoint %q %w: it is no http(s) address", o.Endpoint, ErrUsage)
	}
	c := &client{base: base, ref: ref, token: o.Token, o: o}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DisableCompression = true // it breaks ranges
	transport.ResponseHeaderTimeout = o.Stall
	if o.Proxy != "" {
		proxy, err := url.Parse(o.Proxy)
		if err != nil || proxy.Host == "" {
			return nil, fmt.Errorf("the proxy %q %w: it is no address such as http://host:port", o.Proxy, ErrUsage)
		}
		transport.Proxy = http.ProxyURL(proxy)
	}
	c.http = &http.Client{Transport: transport, CheckRedirect: c.redirect}
	return c, nil
}

// redirect lets the token go to the endpoint alone, and shows a HEAD the redirect that leads away: it has the hashes.
func (c *client) redirect(r *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errRedirects
	}
	if c.home(r.URL) {
		return nil
	}
	if r.Method == http.MethodHead {
		return http.ErrUseLastResponse
	}
	r.Header.Del("Authorization")
	return nil
}

// home says whether an address is the endpoint's own: scheme, host and port.
func (c *client) home(u *url.URL) bool { return u.Scheme == c.base.Scheme && u.Host == c.base.Host }

// send sends one request for a path of the endpoint, parts already escaped. A from above 0 asks for the rest.
func (c *client) send(ctx context.Context, method, path string, from int64) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", cmp.Or(c.o.UserAgent, "mmc4"))
	r.Header.Set("Accept-Encoding", "identity")
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	if from > 0 {
		r.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, c.unsigned(err)
	}
	return answer, nil
}

// errCut is a connection that could not be made or did not last.
var errCut = errors.New("the connection failed")

var errRedirects = errors.New("more than 10 redirects")

// unsigned leaves the query of an address out of an error: it may hold a signature.
func (c *client) unsigned(err error) error {
	var of *url.Error
	if !errors.As(err, &of) {
		return err
	}
	host := c.base.Host
	if u, parseErr := url.Parse(of.URL); parseErr == nil && u.Host != "" {
		host = u.Host
	}
	return fmt.Errorf("%s: %w: %w", host, errCut, of.Err)
}

// statusError is an answer that is no success.
type statusError struct {
	code       int
	retryAfter time.Duration
	away       bool // another host than the endpoint's
	err        error
}

func (e *statusError) Error() string { return e.err.Error() }
func (e *statusError) Unwrap() error { return e.err }

// failure says what an answer means; what is the file that was asked for, "" for the list.
func (c *client) failure(answer *http.Response, what string) error {
	defer answer.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After"))
	e := &statusError{code: answer.StatusCode, retryAfter: time.Duration(max(0, seconds)) * time.Second, away: !c.home(answer.Request.URL)}
	code := answer.Header.Get("X-Error-Code")
	page := c.base.String() + "/" + c.ref.ID
	said := cmp.Or(answer.Header.Get("X-Error-Message"), errorIn(body))
	if said != "" {
		said = " (" + said + ")"
	}
	name := c.ref.ID
	if what != "" {
		name += ": " + what
	}
	switch {
	case e.away:
		e.err = fmt.Errorf("%s: the host %s, to which the hub redirects, answered %s", name, answer.Request.URL.Host, answer.Status)
	case answer.StatusCode == 401 && c.token == "":
		e.err = fmt.Errorf("%s: %w%s: the model does not exist under this name, or is private or gated. For a gated one: accept its terms at %s, make a token at %s/settings/tokens with leave to read it, set HF_TOKEN to it, and start again",
			name, ErrAccess, said, page, c.base)
	case answer.StatusCode == 401:
		e.err = fmt.Errorf("%s: %w%s: the token in HF_TOKEN is not valid here, or the model does not exist; make a new one at %s/settings/tokens", name, ErrAccess, said, c.base)
	case answer.StatusCode == 403 && (code == "GatedRepo" || c.token != ""):
		e.err = fmt.Errorf("%s: %w%s: the token's owner has no leave to read this model, or the token has none for gated ones; accept the terms at %s and wait until they are granted", name, ErrAccess, said, page)
	case answer.StatusCode == 403:
		e.err = fmt.Errorf("%s: %w%s: the server forbids it; set HF_TOKEN if the model at %s needs one", name, ErrAccess, said, page)
	case answer.StatusCode == 404 && code == "RevisionNotFound":
		e.err = fmt.Errorf("%s: the revision %q: %w; %s/tree/main shows those there are", name, c.ref.Revision, ErrNotFound, page)
	case answer.StatusCode == 404:
		e.err = fmt.Errorf("%s@%s: %w%s: check the name at %s", name, c.ref.Revision, ErrNotFound, said, page)
	case answer.StatusCode == 429:
		e.err = fmt.Errorf("%s: the server asks for patience (429); set HF_TOKEN for a higher limit, or start again later", name)
	default:
		e.err = fmt.Errorf("%s: the server answered %s%s", name, answer.Status, said)
	}
	return e
}

// errorIn reads {"error": "..."}.
func errorIn(body []byte) string {
	var in struct{ Error string }
	_ = json.Unmarshal(body, &in)
	return in.Error
}

// transient says whether the same request may succeed later.
func transient(err error) bool {
	var status *statusError
	if errors.As(err, &status) {
		switch status.code {
		case 408, 429, 500, 502, 503, 504:
			return true
		}
		return status.away && status.code == 403 // a signed address that has run out: the hub signs a new one
	}
	var certificate *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var name *net.DNSError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, errRedirects), errors.As(err, &certificate), errors.As(err, &record):
		return false
	case errors.As(err, &name):
		return !name.IsNotFound
	}
	return errors.Is(err, errStall) || errors.Is(err, errCut) || errors.Is(err, io.ErrUnexpectedEOF)
}

// pause waits before another try after so many failures; what a server asks for counts, up to two minutes.
func (c *client) pause(ctx context.Context, failures int, err error) error {
	wait := time.Duration(rand.Int64N(int64(min(c.o.FirstWait<<min(failures-1, 20), 30*time.Second)) + 1))
	var status *statusError
	if errors.As(err, &status) {
		wait = max(wait, min(status.retryAfter, 2*time.Minute))
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// entry is one file of a repository.
type entry struct {
	name   string
	size   int64  // -1: not known
	sha256 string // of large files
	git    string // git blob id, SHA-1, of small ones
}

// hash is what the file's bytes are known by, "" when by nothing.
func (e entry) hash() string { return cmp.Or(e.sha256, e.git) }

const maxListBytes = 64 << 20

// list gives the commit of the revision and its files.
func (c *client) list(ctx context.Context) (commit string, files map[string]entry, err error) {
	path := "/api/models/" + c.ref.ID + "/revision/" + url.PathEscape(c.ref.Revision) + "?blobs=true"
	var body []byte
	err = c.retry(ctx, func() error {
		answer, err := c.send(ctx, http.MethodGet, path, 0)
		if err != nil {
			return err
		}
		if answer.StatusCode != http.StatusOK {
			return c.failure(answer, "")
		}
		defer answer.Body.Close()
		if body, err = io.ReadAll(io.LimitReader(answer.Body, maxListBytes)); err != nil {
			return fmt.Errorf("%s: %w: %w", c.base.Host, errCut, err)
		}
		return nil
	})
	if err != nil {
		return "", nil, err
	}
	var in struct {
		SHA      string
		Siblings []struct {
			Name   string `json:"rfilename"`
			Size   *int64
			BlobID string `json:"blobId"`
			LFS    *struct {
				SHA256, OID string
				Size        int64
			}
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return "", nil, fmt.Errorf("%s: %s is no list of a model's files, as a hub gives it: %w", c.ref.ID, c.base, err)
	}
	files = map[string]entry{}
	for _, s := range in.Siblings {
		e := entry{name: s.Name, size: -1}
		if s.Size != nil {
			e.size = *s.Size
		}
		switch {
		case s.LFS != nil:
			e.sha256, e.size = hex(cmp.Or(s.LFS.SHA256, s.LFS.OID), 64), max(s.LFS.Size, e.size)
		default:
			e.git = hex(s.BlobID, 40)
		}
		files[s.Name] = e
	}
	return cmp.Or(hex(in.SHA, 40), c.ref.Revision), files, nil
}

// hex gives s if it is n hexadecimal digits, else "".
func hex(s string, n int) string {
	if s = strings.ToLower(s); len(s) == n && strings.Trim(s, "0123456789abcdef") == "" {
		return s
	}
	return ""
}

// head fills in what the list does not tell of a file: size and hash, from the headers of its address.
func (c *client) head(ctx context.Context, commit string, e *entry) error {
	return c.retry(ctx, func() error {
		answer, err := c.send(ctx, http.MethodHead, c.resolve(commit, e.name), 0)
		if err != nil {
			return err
		}
		if answer.StatusCode >= 400 {
			return c.failure(answer, e.name)
		}
		answer.Body.Close()
		size := answer.Header.Get("X-Linked-Size")
		if size == "" && answer.StatusCode == http.StatusOK {
			size = answer.Header.Get("Content-Length")
		}
		if n, err := strconv.ParseInt(size, 10, 64); err == nil && n >= 0 {
			e.size = n
		}
		etag := cmp.Or(answer.Header.Get("X-Linked-Etag"), answer.Header.Get("ETag"))
		etag = strings.Trim(strings.TrimPrefix(etag, "W/"), `"`)
		e.sha256, e.git = hex(etag, 64), hex(etag, 40)
		return nil
	})
}

// resolve is the path of a file.
func (c *client) resolve(commit, name string) string {
	parts := strings.Split(name, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "/" + c.ref.ID + "/resolve/" + url.PathEscape(commit) + "/" + strings.Join(parts, "/")
}

// retry calls f until it succeeds, fails for good, or has had its attempts.
func (c *client) retry(ctx context.Context, f func() error) error {
	for failures := 1; ; failures++ {
		err := f()
		if err == nil || !transient(err) || ctx.Err() != nil {
			return cmp.Or(ctx.Err(), err)
		}
		if failures >= c.o.Attempts {
			return fmt.Errorf("%w; %d attempts", err, failures)
		}
		if err := c.pause(ctx, failures, err); err != nil {
			return err
		}
	}
}
