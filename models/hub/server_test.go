package hub

// A hub on loopback, and the host it redirects large files to.

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const testCommit = "0123456789abcdef0123456789abcdef01234567"

// fakeHub serves one model. Its fields may be changed between fetches.
type fakeHub struct {
	*httptest.Server
	cdn *httptest.Server

	files  map[string][]byte // large ones, by name ending in .safetensors or .bin, lie on the CDN
	token  string            // needed when set
	gated  bool              // and even so refused
	bare   bool              // the list has names only, as some mirrors give it
	before func(w http.ResponseWriter, r *http.Request) bool
	onCDN  func(w http.ResponseWriter, r *http.Request, body []byte) bool

	mu       sync.Mutex
	requests []string // METHOD host path range
	leaked   bool     // the token came to the CDN
}

func newHub(t *testing.T, files map[string][]byte) *fakeHub {
	h := &fakeHub{files: files}
	h.Server = httptest.NewServer(http.HandlerFunc(h.hub))
	h.cdn = httptest.NewServer(http.HandlerFunc(h.serveCDN))
	t.Cleanup(h.Server.Close)
	t.Cleanup(h.cdn.Close)
	return h
}

func large(name string) bool {
	return strings.HasSuffix(name, ".safetensors") || strings.HasSuffix(name, ".bin")
}

func sha(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

func gitID(b []byte) string {
	return fmt.Sprintf("%x", sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(b)), b...)))
}

func (h *fakeHub) log(r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests = append(h.requests, strings.TrimSpace(r.Method+" "+r.URL.Path+" "+r.Header.Get("Range")))
}

// asked counts requests whose line holds the text.
func (h *fakeHub) asked(text string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, line := range h.requests {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

func refuse(w http.ResponseWriter, code int, kind, message string) {
	w.Header().Set("X-Error-Code", kind)
	w.Header().Set("X-Error-Message", message)
	w.WriteHeader(code)
	fmt.Fprintf(w, `{"error":%q}`, message)
}

func (h *fakeHub) hub(w http.ResponseWriter, r *http.Request) {
	h.log(r)
	if h.before != nil && h.before(w, r) {
		return
	}
	if h.token != "" && r.Header.Get("Authorization") != "Bearer "+h.token {
		refuse(w, 401, "RepoNotFound", "Invalid username or password.")
		return
	}
	rest, isList := strings.CutPrefix(r.URL.Path, "/api/models/org/name/revision/")
	switch {
	case isList && rest != "main" && rest != "v1/a" && rest != testCommit:
		refuse(w, 404, "RevisionNotFound", "Invalid rev id: "+rest)
	case isList:
		h.list(w)
	case strings.HasPrefix(r.URL.Path, "/org/name/resolve/"+testCommit+"/"):
		name := strings.TrimPrefix(r.URL.Path, "/org/name/resolve/"+testCommit+"/")
		body, ok := h.files[name]
		switch {
		case h.gated:
			refuse(w, 403, "GatedRepo", "Access to model org/name is restricted.")
		case !ok:
			refuse(w, 404, "EntryNotFound", "Entry not found")
		case large(name):
			w.Header().Set("X-Repo-Commit", testCommit)
			w.Header().Set("X-Linked-Etag", `"`+sha(body)+`"`)
			w.Header().Set("X-Linked-Size", fmt.Sprint(len(body)))
			http.Redirect(w, r, h.cdn.URL+"/blobs/"+name+"?signature=SECRET", http.StatusFound)
		default:
			w.Header().Set("X-Repo-Commit", testCommit)
			w.Header().Set("ETag", `"`+gitID(body)+`"`)
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
		}
	default:
		refuse(w, 404, "RepoNotFound", "Repository not found")
	}
}

func (h *fakeHub) list(w http.ResponseWriter) {
	type object = map[string]any
	var siblings []object
	for _, name := range slices.Sorted(maps.Keys(h.files)) {
		body := h.files[name]
		s := object{"rfilename": name}
		if !h.bare {
			s["size"], s["blobId"] = len(body), gitID(body)
			if large(name) {
				s["lfs"] = object{"sha256": sha(body), "size": len(body), "pointerSize": 134}
			}
		}
		siblings = append(siblings, s)
	}
	json.NewEncoder(w).Encode(object{"id": "org/name", "sha": testCommit, "siblings": siblings})
}

func (h *fakeHub) serveCDN(w http.ResponseWriter, r *http.Request) {
	h.log(r)
	if r.Header.Get("Authorization") != "" {
		h.mu.Lock()
		h.leaked = true
		h.mu.Unlock()
	}
	body, ok := h.files[strings.TrimPrefix(r.URL.Path, "/blobs/")]
	if !ok || r.URL.Query().Get("signature") != "SECRET" {
		w.WriteHeader(403)
		return
	}
	if h.onCDN != nil && h.onCDN(w, r, body) {
		return
	}
	w.Header().Set("ETag", `"another"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
}

func (h *fakeHub) options() Options {
	return Options{Endpoint: h.URL, FirstWait: time.Millisecond, Attempts: 3, Stall: 5 * time.Second}
}
