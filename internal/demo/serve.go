package demo

// The web's hosts on loopback: one listener that answers by the Host header.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// DataHost serves the crawl's files, the index and the C4 documents, with Range, for `--warc-base`.
const DataHost = "data.demo.test"

// writeAnswers stores how the hosts answer where they do more than serve a file.
func (w *web) writeAnswers(dir string) error {
	answers := map[string]answer{}
	if err := store(dir, "http://"+closedHost+"/robots.txt", []byte("User-agent: *\nDisallow: /\n")); err != nil {
		return err
	}
	for _, p := range w.pages {
		for _, pic := range p.pictures {
			if pic.answer != (answer{}) {
				answers[pic.url] = pic.answer
			}
		}
	}
	data, err := json.MarshalIndent(answers, "", " ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, "server.json"), append(data, '\n'))
}

// Server answers for the hosts of a drawn web.
type Server struct {
	Addr string // 127.0.0.1:PORT
	http *http.Server
	done chan error
}

// ConnectTo gives the `--connect-to` rules that lead a build here: HOST:PORT:ADDR:PORT. The dead host leads to a port where
// nobody listens.
func (s *Server) ConnectTo() []string {
	return []string{deadHost + ":80:127.0.0.1:1", "*.test:80:" + s.Addr}
}

// Close stops the server.
func (s *Server) Close() error {
	err := s.http.Close()
	if served := <-s.done; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// Serve starts the hosts of the web in dir on a free port of 127.0.0.1; they stop at Close or when ctx ends.
func Serve(ctx context.Context, dir string) (*Server, error) {
	handler, err := newHosts(dir)
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serving the drawn web: %w", err)
	}
	s := &Server{Addr: listener.Addr().String(), done: make(chan error, 1), http: &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}}
	go func() { s.done <- s.http.Serve(listener) }()
	context.AfterFunc(ctx, func() { s.http.Close() })
	return s, nil
}

// hosts is the handler for all hosts.
type hosts struct {
	dir     string
	answers map[string]answer
}

func newHosts(dir string) (*hosts, error) {
	data, err := os.ReadFile(filepath.Join(dir, "server.json"))
	if err != nil {
		return nil, fmt.Errorf("serving the drawn web: %w; write the web first", err)
	}
	h := &hosts{dir: dir}
	if err := json.Unmarshal(data, &h.answers); err != nil {
		return nil, fmt.Errorf("serving the drawn web: server.json: %w", err)
	}
	return h, nil
}

func (h *hosts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	clean := path.Clean("/" + r.URL.Path)
	if host == DataHost || host == "127.0.0.1" {
		for _, open := range []string{"/crawl-data/", "/cc-index/", "/c4/"} {
			if strings.HasPrefix(clean, open) {
				http.ServeFile(w, r, filepath.Join(h.dir, filepath.FromSlash(clean)))
				return
			}
		}
		http.NotFound(w, r)
		return
	}
	a := h.answers["http://"+host+clean]
	if a.Tag != "" {
		w.Header().Set("X-Robots-Tag", a.Tag)
	}
	if a.Status != 0 {
		if a.Location != "" {
			w.Header().Set("Location", a.Location)
		}
		w.WriteHeader(a.Status)
		return
	}
	if !filepath.IsLocal(host) || strings.ContainsAny(host, `/\`) {
		http.NotFound(w, r)
		return
	}
	data, err := os.ReadFile(filepath.Join(h.dir, "www", host, filepath.FromSlash(clean)))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	kind := map[string]string{".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".txt": "text/plain; charset=utf-8"}[path.Ext(clean)]
	if a.Type != "" {
		kind = a.Type
	}
	sum := sha256.Sum256(data)
	w.Header().Set("Content-Type", kind)
	w.Header().Set("ETag", `"`+hex.EncodeToString(sum[:8])+`"`)
	w.Header().Set("Last-Modified", crawlStart.AddDate(-1, 0, 0).Format(http.TimeFormat))
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	w.Write(data)
}
