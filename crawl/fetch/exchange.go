package fetch

// One exchange: a request to one host and its answer.

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mmc4/crawl/fetch/robots"
	"mmc4/crawl/weburl"
)

// answer is what an exchange brought.
type answer struct {
	location   string // where to go next; then there is no outcome
	outcome    Outcome
	detail     string
	again      bool          // worth another attempt
	retryAfter time.Duration // what the server asked for
	answered   bool          // the host gave a whole header
	at         time.Time     // when it did, or failed to
}

func failed(o Outcome, detail string) answer {
	return answer{outcome: o, detail: detail, again: transient(o)}
}

// exchange asks for j's target and reads the answer into j.
func (e *engine) exchange(h *host, j *job) answer {
	ctx, cancel := context.WithCancelCause(j.ctx)
	defer cancel(nil)
	d := newDeadlines(cancel, j.left)
	defer func() { j.left = d.stop() }()

	u := j.target
	c, resp, err := e.send(ctx, h, u, j, d, j.fresh)
	if c != nil && err != nil && c.used && c.lost(err) && ctx.Err() == nil {
		c, resp, err = e.send(ctx, h, u, j, d, true)
	}
	if c == nil {
		return dialFailure(ctx, u, err)
	}
	if err != nil {
		return exchangeFailure(ctx, err, false)
	}
	at := time.Now()
	j.result.HTTPStatus = resp.StatusCode
	a, whole := e.read(ctx, j, resp, d)
	_ = resp.Body.Close() // what matters of it has been read
	e.giveConn(c, whole && !resp.Close)
	a.answered, a.at = true, at
	return a
}

// send writes the request and waits for the header. Without a connection c is nil; on an error it is given back.
func (e *engine) send(ctx context.Context, h *host, u *weburl.URL, j *job, d *deadlines, fresh bool) (c *conn, resp *http.Response, err error) {
	if c, err = e.takeConn(ctx, h, u, fresh); err != nil {
		return nil, nil, err
	}
	d.begin(e.opt.FirstByteTimeout, errFirstByte)
	j.result.FinalURL = u.String()
	j.asked = true
	c.wrote.Store(false)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{WroteHeaders: func() { c.wrote.Store(true) }})
	if resp, err = c.RoundTrip(e.request(ctx, u, j.robots != nil)); err != nil {
		e.giveConn(c, false)
	}
	return c, resp, err
}

func (e *engine) request(ctx context.Context, u *weburl.URL, text bool) *http.Request {
	accept := "image/*,*/*;q=0.5"
	if text {
		accept = "text/plain,*/*;q=0.5"
	}
	header := http.Header{
		"User-Agent":      {e.userAgent},
		"Accept":          {accept},
		"Accept-Encoding": {"identity"},
	}
	if e.from != "" {
		header["From"] = []string{e.from}
	}
	r := &http.Request{Method: http.MethodGet, URL: requestURL(u, e.viaProxy(u)), Host: authority(u), Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1}
	return r.WithContext(ctx)
}

// requestURL makes net/http send the path and query exactly as they are.
func requestURL(u *weburl.URL, proxied bool) *url.URL {
	host := authority(u)
	exact := pathQuery(u)
	if p, err := url.Parse(u.Scheme + "://" + host + exact); err == nil && p.RequestURI() == exact {
		return p
	}
	path, query, has := strings.Cut(exact, "?")
	opaque := path
	if proxied || strings.HasPrefix(path, "//") {
		opaque = "//" + host + path
	}
	return &url.URL{Scheme: u.Scheme, Host: host, Opaque: opaque, RawQuery: query, ForceQuery: has && query == ""}
}

// read takes the answer apart. whole says that nothing is left on the connection.
func (e *engine) read(ctx context.Context, j *job, resp *http.Response, d *deadlines) (a answer, whole bool) {
	r := &j.result
	r.ETag, r.LastModified = header(resp, "ETag"), header(resp, "Last-Modified")
	r.MediaType, _, _ = strings.Cut(header(resp, "Content-Type"), ";")
	r.MediaType = strings.ToLower(strings.TrimSpace(r.MediaType))
	status := resp.StatusCode
	redirect := status == 301 || status == 302 || status == 303 || status == 307 || status == 308
	wanted := status == 200 || status == 203
	if !wanted {
		defer func() { // the connection is worth reading the few words of an error
			d.begin(e.opt.StallTimeout, errStall)
			whole = drained(&wire{body: resp.Body, d: d, stall: e.opt.StallTimeout, limit: drainLimit})
		}()
	}
	if j.robots == nil && (wanted || redirect) {
		if said := optOut(resp.Header); said != "" {
			return failed(OptOut, said), false
		}
	}
	switch {
	case redirect && resp.Header.Get("Location") == "":
		return failed(ProtocolError, strconv.Itoa(status)+" without Location"), false
	case redirect:
		return answer{location: resp.Header.Get("Location")}, false
	case status == 204 || status == 205:
		return failed(Empty, strconv.Itoa(status)), false
	case status < 200:
		return failed(ProtocolError, "unexpected "+strconv.Itoa(status)), false
	case !wanted:
		a = failed(HTTP(status), resp.Status)
		a.retryAfter = retryAfter(resp.Header, time.Now())
		return a, false
	}

	limit, anything := e.opt.MaxBytes, false
	if j.robots != nil {
		limit, anything = min(limit, robots.MaxBytes), true
	}
	if n := resp.ContentLength; n > limit && !anything {
		r.Size = n
		return failed(TooLarge, fmt.Sprintf("Content-Length %d, the limit is %d", n, limit)), false
	}
	b := readBody(ctx, resp, d, e.opt.StallTimeout, limit, anything, &j.body)
	r.Size = int64(len(b.data))
	switch {
	case errors.Is(b.err, errTooLarge) && anything:
		r.Body = b.data
		return failed(TooLarge, ""), false
	case errors.Is(b.err, errTooLarge):
		return failed(TooLarge, fmt.Sprintf("more than %d bytes", limit)), false
	case b.err != nil:
		return exchangeFailure(ctx, b.err, true), false
	case len(b.data) == 0:
		return failed(Empty, "no bytes"), b.whole
	case b.mediaType == "" && !anything:
		r.Size = max(resp.ContentLength, 0)
		return failed(NotImage, fmt.Sprintf("Content-Type %q, begins with %q", short(header(resp, "Content-Type"), 60), b.data[:min(len(b.data), 24)])), b.whole
	}
	r.Body = b.data
	r.MediaType = b.mediaType
	return answer{outcome: OK}, b.whole
}

func header(resp *http.Response, name string) string {
	return strings.ToValidUTF8(short(resp.Header.Get(name), 1000), "\ufffd")
}

// dialFailure says why there is no connection.
func dialFailure(ctx context.Context, u *weburl.URL, err error) answer {
	var refused *refusal
	var proxy *proxyStatus
	switch {
	case errors.As(err, &refused):
		return answer{outcome: refused.outcome, detail: refused.detail, again: refused.again}
	case errors.As(err, &proxy):
		return failed(HTTP(proxy.code), "the proxy answered CONNECT with "+strconv.Itoa(proxy.code))
	case ctx.Err() != nil:
		return failed(Timeout, context.Cause(ctx).Error())
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return failed(Reset, "the connection was reset while it was made")
	case u.Scheme == "https":
		return failed(TLS, tlsReason(err))
	}
	return failed(Connect, reason(err))
}

func tlsReason(err error) string {
	var unknown x509.UnknownAuthorityError
	var wrongName x509.HostnameError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var timeout net.Error
	switch {
	case errors.As(err, &unknown):
		return "the certificate is from an unknown authority"
	case errors.As(err, &wrongName):
		return "the certificate is for other names"
	case errors.As(err, &invalid):
		return "the certificate is not valid: " + invalid.Error()
	case errors.As(err, &record):
		return "the server does not speak TLS"
	case errors.Is(err, io.EOF):
		return "the server ended the handshake"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "the handshake timed out"
	}
	return err.Error()
}

// exchangeFailure says why an exchange broke off, before the header was whole or in the body.
func exchangeFailure(ctx context.Context, err error, inBody bool) answer {
	switch cause := context.Cause(ctx); {
	case cause != nil:
		return failed(Timeout, cause.Error())
	case errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return failed(Reset, "the connection was reset")
	case errors.Is(err, io.ErrUnexpectedEOF) && inBody:
		return failed(Truncated, "the body ends early")
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || strings.Contains(err.Error(), "server closed"):
		return failed(Reset, "the connection was closed without a whole answer")
	}
	return failed(ProtocolError, err.Error())
}

// proxyStatus is a proxy's refusal to connect.
type proxyStatus struct{ code int }

func (p *proxyStatus) Error() string { return "proxy: " + strconv.Itoa(p.code) }
