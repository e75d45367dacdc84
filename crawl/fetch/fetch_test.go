package fetch

// Every outcome, from servers that misbehave one way each.

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
)

// png begins like a picture; the fetcher looks no further.
var png = append([]byte("\x89PNG\r\n\x1a\n"), bytes.Repeat([]byte("picture "), 100)...)

// site serves *.test; robots.txt is missing unless the mux has it.
func site(t testing.TB, handler http.Handler) (server *httptest.Server, options Options) {
	server = httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = nil
	server.Start()
	t.Cleanup(server.Close)
	return server, optionsFor(t, server)
}

func optionsFor(t testing.TB, server *httptest.Server) Options {
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	rule := ConnectRule{Host: "*.test", Addr: u.Hostname(), AddrPort: u.Port()}
	return Options{ConnectTo: []ConnectRule{rule}, PerHostRate: 1000, Backoff: 5 * time.Millisecond, Resolver: names{}}
}

// names resolves nothing but a few names, to addresses that nobody may connect to.
type names map[string]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	name := strings.TrimSuffix(host, ".")
	switch to, ok := n[name]; {
	case !ok:
		return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	case to == "busy":
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	default:
		var addrs []netip.Addr
		for _, a := range strings.Fields(to) {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		return addrs, nil
	}
}

func open(t testing.TB, o Options) *Fetcher {
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func picture(w http.ResponseWriter) { _, _ = w.Write(png) }

// raw answers with bytes and then ends the connection, by a reset if asked.
func raw(w http.ResponseWriter, answer string, reset bool) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(conn, answer)
	if reset {
		time.Sleep(20 * time.Millisecond) // the bytes arrive before it
		_ = conn.(*net.TCPConn).SetLinger(0)
	}
	_ = conn.Close()
}

func TestOutcomes(t *testing.T) {
	var flaky atomic.Int64
	mux := http.NewServeMux()
	on := func(path string, h func(w http.ResponseWriter, r *http.Request)) { mux.HandleFunc(path, h) }
	status := func(code int, headers ...string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				w.Header().Add(headers[i], headers[i+1])
			}
			w.WriteHeader(code)
			if code == 200 {
				picture(w)
			}
		}
	}
	hang := func(w http.ResponseWriter, r *http.Request, before string) {
		if before != "" {
			w.Header().Set("Content-Length", "100000")
			_, _ = io.WriteString(w, before)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
	on("a.test/ok.png", status(200, "Content-Type", "text/plain", "ETag", `"e"`, "Last-Modified", "Mon, 02 Feb 2099 00:00:00 GMT"))
	on("a.test/gone", status(410))
	on("a.test/always500", status(500))
	on("a.test/204", status(204))
	on("a.test/empty", func(http.ResponseWriter, *http.Request) {})
	on("a.test/noai", status(200, "X-Robots-Tag", "noai"))
	on("a.test/noai-404", status(404, "X-Robots-Tag", "noai"))
	on("a.test/noai-redirect", status(302, "X-Robots-Tag", "mmc4: noimageai", "Location", "/ok.png"))
	on("a.test/others", status(200, "X-Robots-Tag", "otherbot: noai, noindex"))
	on("a.test/tdm", status(200, "TDM-Reservation", "1"))
	on("a.test/html", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "image/png")
		_, _ = io.WriteString(w, "<!DOCTYPE html><p>Sign in</p>")
	})
	on("a.test/svg", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<svg></svg>") })
	on("a.test/short", func(w http.ResponseWriter, _ *http.Request) {
		raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"+string(png), false)
	})
	on("a.test/shortchunks", func(w http.ResponseWriter, _ *http.Request) {
		raw(w, fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", len(png), png), false)
	})
	on("a.test/badchunk", func(w http.ResponseWriter, _ *http.Request) {
		raw(w, fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\nzz\r\n", len(png), png), false)
	})
	on("a.test/noise", func(w http.ResponseWriter, _ *http.Request) { raw(w, "\x00\x01 what?\r\n\r\n", false) })
	on("a.test/closed", func(w http.ResponseWriter, _ *http.Request) { raw(w, "", false) })
	on("a.test/reset", func(w http.ResponseWriter, _ *http.Request) { raw(w, "", true) })
	on("a.test/resetinbody", func(w http.ResponseWriter, _ *http.Request) {
		raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n"+string(png), true)
	})
	on("a.test/resetonce", func(w http.ResponseWriter, _ *http.Request) {
		if flaky.Add(1) == 1 {
			raw(w, "", true)
			return
		}
		picture(w)
	})
	on("a.test/bigheader", status(200, "X-Filler", strings.Repeat("x", 200_000)))
	on("a.test/large", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "50000000")
		_, _ = w.Write(png)
	})
	on("a.test/endless", func(w http.ResponseWriter, _ *http.Request) {
		for _, err := w.Write(png); err == nil; _, err = w.Write(png) {
		}
	})
	on("a.test/zeros", func(w http.ResponseWriter, _ *http.Request) {
		block := make([]byte, 1<<16)
		for _, err := w.Write(block); err == nil; _, err = w.Write(block) {
		}
	})
	on("a.test/bomb", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(png)
		for range 3 {
			_, _ = z.Write(make([]byte, 1<<20))
		}
		_ = z.Close()
	})
	on("a.test/gzip", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(png)
		_ = z.Close()
	})
	on("a.test/notgzip", status(200, "Content-Encoding", "gzip"))
	on("a.test/brotli", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		z := brotli.NewWriter(w)
		_, _ = z.Write(png)
		_ = z.Close()
	})
	on("a.test/nested", status(200, "Content-Encoding", strings.Repeat("deflate,", 5000)))
	on("a.test/strange", status(200, "Content-Encoding", "lzma"))
	on("a.test/cutgzip", func(w http.ResponseWriter, _ *http.Request) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write(png)
		_ = z.Close()
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(b.Bytes()[:b.Len()-12])
	})
	on("a.test/hang", func(w http.ResponseWriter, r *http.Request) { hang(w, r, "") })
	on("a.test/stall", func(w http.ResponseWriter, r *http.Request) { hang(w, r, string(png)) })
	on("a.test/drip", func(w http.ResponseWriter, r *http.Request) {
		for i := 0; r.Context().Err() == nil; i++ {
			_, _ = w.Write(png[i%len(png):][:1])
			_ = http.NewResponseController(w).Flush()
			time.Sleep(20 * time.Millisecond)
		}
	})
	on("a.test/hop/", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.Path[len("/hop/"):])
		if n == 0 {
			picture(w)
			return
		}
		http.Redirect(w, r, "../hop/"+strconv.Itoa(n-1)+"#f", 301+n%2)
	})
	on("a.test/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop2", 307) })
	on("a.test/loop2", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "//a.test/loop", 308) })
	on("a.test/nolocation", status(302))
	on("a.test/notchanged", status(304))
	on("a.test/to", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", r.URL.RawQuery)
		w.WriteHeader(302)
	})
	on("closed.test/robots.txt", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "User-agent: mmc4\nDisallow: /\nAllow: /open\n")
	})
	on("closed.test/", status(200))
	on("down.test/robots.txt", status(503))
	on("busy.test/robots.txt", status(429))
	on("resetrobots.test/robots.txt", func(w http.ResponseWriter, _ *http.Request) { raw(w, "", true) })
	on("loop.test/robots.txt", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/robots.txt", 302) })
	on("loop.test/", status(200))
	on("moved.test/robots.txt", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://closed.test/robots.txt", 301)
	})
	on("moved.test/", status(200))
	on("none.test/robots.txt", status(404))
	on("none.test/", status(200))
	server, o := site(t, mux)
	o.FirstByteTimeout, o.StallTimeout, o.TotalTimeout = 1500*time.Millisecond, 1500*time.Millisecond, 3*time.Second
	o.MaxBytes = 1 << 20
	o.PerHost = 8
	o.Resolver = names{"private.example": "10.0.0.1", "mixed.example": "::ffff:127.0.0.1 192.168.1.1", "busy.example": "busy", "rebound.example": "127.0.0.1"}
	f := open(t, o)
	port := server.URL[strings.LastIndex(server.URL, ":")+1:]

	for _, c := range []struct {
		url      string
		outcome  Outcome
		attempts int
		status   int
	}{
		{"http://a.test/ok.png", OK, 1, 200},
		{"http://a.test/ok.png#part", OK, 1, 200},
		{"HTTP://A.test:80/x/../ok.png", OK, 1, 200},
		{"http://a.test/missing", "http_404", 1, 404},
		{"http://a.test/gone", "http_410", 1, 410},
		{"http://a.test/always500", "http_500", 3, 500},
		{"http://a.test/204", Empty, 1, 204},
		{"http://a.test/empty", Empty, 1, 200},
		{"http://a.test/noai", OptOut, 1, 200},
		{"http://a.test/noai-404", "http_404", 1, 404},
		{"http://a.test/noai-redirect", OptOut, 1, 302},
		{"http://a.test/others", OK, 1, 200},
		{"http://a.test/tdm", OptOut, 1, 200},
		{"http://a.test/html", NotImage, 1, 200},
		{"http://a.test/svg", NotImage, 1, 200},
		{"http://a.test/short", Truncated, 1, 200},
		{"http://a.test/shortchunks", Truncated, 1, 200},
		{"http://a.test/badchunk", ProtocolError, 1, 200},
		{"http://a.test/noise", ProtocolError, 1, 0},
		{"http://a.test/closed", Reset, 3, 0},
		{"http://a.test/reset", Reset, 3, 0},
		{"http://a.test/resetinbody", Reset, 3, 200},
		{"http://a.test/resetonce", OK, 2, 200},
		{"http://a.test/bigheader", ProtocolError, 1, 0},
		{"http://a.test/large", TooLarge, 1, 200},
		{"http://a.test/endless", TooLarge, 1, 200},
		{"http://a.test/zeros", NotImage, 1, 200},
		{"http://a.test/bomb", TooLarge, 1, 200},
		{"http://a.test/gzip", OK, 1, 200},
		{"http://a.test/notgzip", OK, 1, 200},
		{"http://a.test/strange", ProtocolError, 1, 200},
		{"http://a.test/brotli", OK, 1, 200},
		{"http://a.test/nested", ProtocolError, 1, 200},
		{"http://a.test/cutgzip", Truncated, 1, 200},
		{"http://a.test/hang", Timeout, 1, 0},
		{"http://a.test/stall", Timeout, 1, 200},
		{"http://a.test/drip", Timeout, 1, 200},
		{"http://a.test/hop/5", OK, 1, 200},
		{"http://a.test/hop/6", RedirectLoop, 1, 302},
		{"http://a.test/loop", RedirectLoop, 1, 308},
		{"http://a.test/nolocation", ProtocolError, 1, 302},
		{"http://a.test/notchanged", "http_304", 1, 304},
		{"http://a.test/to?file:///etc/hostname", RedirectRefused, 1, 302},
		{"http://a.test/to?data:image/gif;base64,R0lG", RedirectRefused, 1, 302},
		{"http://a.test/to?http://127.0.0.1:" + port + "/canary", RedirectRefused, 1, 302},
		{"http://a.test/to?http://2130706433:" + port + "/canary", RedirectRefused, 1, 302},
		{"http://a.test/to?http://0x7f.1:" + port + "/canary", RedirectRefused, 1, 302},
		{"http://a.test/to?http://0177.0.0.1:" + port + "/canary", RedirectRefused, 1, 302},
		{"http://a.test/to?http://[::1]:" + port + "/canary", RedirectRefused, 1, 302},
		{"http://a.test/to?http://[::ffff:127.0.0.1]:" + port + "/canary", RedirectRefused, 1, 302},
		{"http://a.test/to?http://localhost:" + port + "/canary", RedirectRefused, 1, 302},
		{"http://a.test/to?http://rebound.example:" + port + "/canary", RedirectRefused, 1, 302},
		{"http://a.test/to?http://[bad", ProtocolError, 1, 302},
		{"http://a.test/to?http://closed.test/x", Robots, 1, 302},
		{"http://a.test/to?http://closed.test/open", OK, 1, 200},
		{"http://a.test/to?http://no-such-host.invalid/", DNS, 1, 302},
		{"http://127.0.0.1:" + port + "/canary", RedirectRefused, 1, 0},
		{"http://private.example/", RedirectRefused, 1, 0},
		{"http://mixed.example/", RedirectRefused, 1, 0},
		{"http://unknown.example/", DNS, 1, 0},
		{"http://busy.example/", DNS, 1, 0},
		{"http://closed.test/x", Robots, 1, 0},
		{"http://closed.test/open/x", OK, 1, 200},
		{"http://down.test/x", Robots, 1, 0},
		{"http://busy.test/x", Robots, 1, 0},
		{"http://resetrobots.test/x", Robots, 1, 0},
		{"http://loop.test/x", OK, 1, 200},
		{"http://moved.test/x", Robots, 1, 0},
		{"http://none.test/x", OK, 1, 200},
		{"https://a.test/x", TLS, 1, 0},
		{"ftp://a.test/x", RedirectRefused, 1, 0},
		{"not a URL", ProtocolError, 1, 0},
	} {
		t.Run(c.url, func(t *testing.T) {
			t.Parallel()
			r := f.Fetch(t.Context(), c.url)
			if r.Outcome != c.outcome || r.Attempts != c.attempts || r.HTTPStatus != c.status {
				t.Errorf("got %s after %d attempts, status %d (%s)", r.Outcome, r.Attempts, r.HTTPStatus, r.Detail)
			}
			if (r.Outcome == OK) != (len(r.Body) > 0) || r.FetchedAt.IsZero() || r.URL != c.url || (r.Outcome == OK) != (r.Detail == "") {
				t.Errorf("%+v", r)
			}
			if r.Outcome == OK && (!bytes.Equal(r.Body, png) || r.MediaType != "image/png" || r.Size != int64(len(png))) {
				t.Errorf("%d bytes of %s", r.Size, r.MediaType)
			}
		})
	}
	t.Run("headers", func(t *testing.T) {
		r := f.Fetch(t.Context(), "http://A.test/hop/../ok.png#x")
		if r.ETag != `"e"` || r.LastModified != "Mon, 02 Feb 2099 00:00:00 GMT" || r.FinalURL != "http://a.test/ok.png" {
			t.Errorf("%+v", r)
		}
	})
}

func TestConnectRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	_ = l.Close()
	f := open(t, Options{ConnectTo: []ConnectRule{{Host: "a.test", Addr: "127.0.0.1", AddrPort: port}}})
	if r := f.Fetch(t.Context(), "http://a.test/x"); r.Outcome != Connect || r.Attempts != 1 {
		t.Errorf("%+v", r)
	}
}

// TestTLS speaks HTTP/2 with a server whose authority we know, and with one that we do not.
func TestTLS(t *testing.T) {
	var proto atomic.Value
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proto.Store(r.Proto)
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		picture(w)
	}))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	o := optionsFor(t, server)
	o.ConnectTo[0].Host = "example.com" // of httptest's certificate
	if r := open(t, o).Fetch(t.Context(), "https://example.com/x.png"); r.Outcome != TLS || !strings.Contains(r.Detail, "unknown authority") {
		t.Errorf("unknown authority: %+v", r)
	}
	o.RootCAs = x509.NewCertPool()
	o.RootCAs.AddCert(server.Certificate())
	f := open(t, o)
	for range 3 {
		if r := f.Fetch(t.Context(), "https://example.com/x.png"); r.Outcome != OK || proto.Load() != "HTTP/2.0" {
			t.Errorf("HTTP/2: %v %+v", proto.Load(), r)
		}
	}
	o.ConnectTo[0].Host = "a.test"
	if r := open(t, o).Fetch(t.Context(), "https://a.test/x.png"); r.Outcome != TLS || !strings.Contains(r.Detail, "other names") {
		t.Errorf("wrong name: %+v", r)
	}
}

// TestProxy goes through a proxy for all but what ConnectTo names, and does not ask it for private addresses.
func TestProxy(t *testing.T) {
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.Method + " " + r.RequestURI + " " + r.Header.Get("Proxy-Authorization"))
		switch {
		case r.Method == http.MethodConnect, r.Host == "dead.example":
			w.WriteHeader(http.StatusBadGateway)
		case strings.HasSuffix(r.URL.Path, "/robots.txt"):
			w.WriteHeader(http.StatusNotFound)
		default:
			picture(w)
		}
	}))
	defer proxy.Close()
	direct, o := site(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		picture(w)
	}))
	_ = direct
	o.Proxy, _ = url.Parse(proxy.URL)
	o.Proxy.User = url.UserPassword("u", "p")
	f := open(t, o)
	for _, c := range []struct {
		url     string
		outcome Outcome
		asked   string
	}{
		{"http://pictures.example/a|b//?", OK, "GET http://pictures.example/a|b//? Basic dTpw"},
		{"https://pictures.example/a", "http_502", "CONNECT pictures.example:443 Basic dTpw"},
		{"http://dead.example/a", "http_502", "GET http://dead.example/robots.txt Basic dTpw"},
		{"http://10.0.0.1/a", RedirectRefused, ""},
		{"http://0x0a000001/a", RedirectRefused, ""},
		{"http://localhost/a", RedirectRefused, ""},
		{"http://printer.local/a", RedirectRefused, ""},
		{"http://a.test/a", OK, ""},
	} {
		asked.Store("")
		if r := f.Fetch(t.Context(), c.url); r.Outcome != c.outcome || asked.Load() != c.asked {
			t.Errorf("%s: %s (%s), the proxy was asked %q, want %q", c.url, r.Outcome, r.Detail, asked.Load(), c.asked)
		}
	}
}

// TestRequest checks what a server sees of us.
func TestRequest(t *testing.T) {
	var got *http.Request
	_, o := site(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(w, r)
			return
		}
		got = r
		picture(w)
	}))
	o.Contact, o.Version = "me@example.org", "1.2"
	f := open(t, o)
	for raw, want := range map[string]string{
		"http://u:p@a.test/a?b#c":    "/a?b",
		"http://a.test":              "/",
		"http://a.test/a b|c'":       "/a%20b|c'",
		"http://a.test//a//":         "//a//",
		"http://a.test//|?x=|":       "http://a.test//|?x=|",
		"http://a.test/?":            "/?",
		"http://a.test/%C3%A9?q=%é^": "/%C3%A9?q=%%C3%A9^",
		"http://a.test:8080/x":       "/x",
	} {
		r := f.Fetch(t.Context(), raw)
		if r.Outcome != OK || got.RequestURI != want {
			t.Errorf("%s: %s, asked for %s, want %s", raw, r.Outcome, got.RequestURI, want)
		}
		if h := got.Header; h.Get("User-Agent") != "mmc4/1.2 (+me@example.org)" || h.Get("From") != "me@example.org" || h.Get("Accept-Encoding") != "identity" ||
			h.Get("Authorization") != "" || h.Get("Referer") != "" || len(h) != 4 {
			t.Errorf("headers: %v", h)
		}
	}
	if got.Host == "" {
		t.Error("no Host")
	}
}

// TestNoLeak ends a run in the middle and looks for what is left of it.
func TestNoLeak(t *testing.T) {
	before := runtime.NumGoroutine()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/robots.txt":
			http.NotFound(w, r)
		case strings.HasPrefix(r.URL.Path, "/hang"):
			<-r.Context().Done()
		default:
			picture(w)
		}
	}))
	o := optionsFor(t, server)
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var results atomic.Int64
	start := time.Now()
	err = f.Run(ctx, func(yield func(string) bool) {
		for i := 0; ; i++ {
			path := "ok"
			if i%3 == 0 {
				path = "hang"
			}
			if !yield(fmt.Sprintf("http://h%d.test/%s/%d", i%50, path, i)) {
				return
			}
			if i == 400 {
				time.AfterFunc(200*time.Millisecond, cancel)
			}
		}
	}, func(Result) { results.Add(1) })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Run: %v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("cancelled after %v", d)
	}
	if results.Load() == 0 {
		t.Error("no results before the end")
	}
	for i := 0; f.Stats().Running > 0 && i < 100; i++ {
		time.Sleep(10 * time.Millisecond) // the last goroutines are on their way out
	}
	if s := f.Stats(); s.Running != 0 || s.Hosts != 0 {
		t.Errorf("left over: %+v", s)
	}
	if r := f.Fetch(t.Context(), "http://h1.test/ok/again"); r.Outcome != OK { // the Fetcher lives on
		t.Errorf("after a cancelled run: %+v", r)
	}
	f.Close()
	server.Close()
	for i := 0; runtime.NumGoroutine() > before; i++ {
		if i == 100 {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
		}
		time.Sleep(20 * time.Millisecond)
	}
}
