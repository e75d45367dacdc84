package hub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

var testRef = Ref{ID: "org/name", Revision: "main"}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * i >> 7)
	}
	return b
}

func clipFiles() map[string][]byte {
	return map[string][]byte{
		"README.md": []byte("no"), ".gitattributes": []byte("no"), "flax_model.msgpack": []byte("no"),
		"config.json": []byte("{}\n"), "tokenizer.json": []byte(`{"a":1}`), "vocab.json": []byte("{}"), "merges.txt": []byte("#version\n"),
		"model.safetensors": noise(300_000), "pytorch_model.bin": noise(300_001), "onnx/model.bin": noise(10),
	}
}

// same holds a folder against the wanted files of the hub.
func same(t *testing.T, dir string, h *fakeHub, names ...string) {
	t.Helper()
	var got []string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(dir, path)
			got = append(got, filepath.ToSlash(name))
			if want, ok := h.files[filepath.ToSlash(name)]; ok {
				if b, _ := os.ReadFile(path); !bytes.Equal(b, want) {
					t.Errorf("%s has other bytes than the hub's", name)
				}
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := append(names, ManifestName)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the folder holds %v, want %v", got, want)
	}
}

func TestFetch(t *testing.T) {
	for _, bare := range []bool{false, true} {
		h := newHub(t, clipFiles())
		h.bare, h.token = bare, "hf_secret"
		o := h.options()
		o.Token = "hf_secret"
		states := map[string]int{}
		o.Report = func(e Event) { states[e.State]++ }
		dir := filepath.Join(t.TempDir(), "deep", "er")
		m, err := Fetch(context.Background(), testRef, dir, o)
		if err != nil {
			t.Fatal(err)
		}
		same(t, dir, h, "config.json", "tokenizer.json", "vocab.json", "merges.txt", "model.safetensors")
		if h.leaked {
			t.Error("the token went to the host of the redirect")
		}
		if m.Commit != testCommit || len(m.Files) != 5 || states[Fetched] != 5 {
			t.Errorf("manifest %+v, states %v", m, states)
		}
		for _, f := range m.Files {
			want := "git-sha1"
			if large(f.Name) {
				want = "sha256"
			}
			if f.Checked != want || f.SHA256 != sha(h.files[f.Name]) {
				t.Errorf("%+v: want it checked by %s", f, want)
			}
		}
		read, err := ReadManifest(dir)
		if err != nil || len(read.Files) != 5 {
			t.Errorf("read back: %+v, %v", read, err)
		}
		text, _ := os.ReadFile(filepath.Join(dir, ManifestName))
		if bytes.Contains(text, []byte("secret")) {
			t.Error("the manifest holds the token")
		}
		// Again: nothing is fetched.
		clear(states)
		gets := h.asked("GET /org/name/resolve")
		if _, err := Fetch(context.Background(), testRef, dir, o); err != nil {
			t.Fatal(err)
		}
		if h.asked("GET /org/name/resolve") != gets || states[Present] != 5 {
			t.Errorf("a second fetch took files again: %v", states)
		}
	}
}

func TestRevisionIsOnePart(t *testing.T) {
	h := newHub(t, clipFiles())
	if _, err := Fetch(context.Background(), Ref{"org/name", "v1/a"}, t.TempDir(), h.options()); err != nil {
		t.Fatal(err)
	}
}

// TestCutShort: the CDN sends a part of what it is asked for, again and again; each request goes on where the last ended.
func TestCutShort(t *testing.T) {
	h := newHub(t, clipFiles())
	var calls atomic.Int32
	h.onCDN = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		n := calls.Add(1)
		if n > 2 {
			return false
		}
		from := 0
		fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &from)
		w.Header().Set("Content-Length", fmt.Sprint(len(body)-from))
		if from > 0 {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(body)-1, len(body)))
			w.WriteHeader(206)
		}
		w.Write(body[from : from+100_000])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	dir := t.TempDir()
	if _, err := Fetch(context.Background(), testRef, dir, h.options()); err != nil {
		t.Fatal(err)
	}
	same(t, dir, h, "config.json", "tokenizer.json", "vocab.json", "merges.txt", "model.safetensors")
	if h.asked("/blobs/model.safetensors bytes=") != 2 {
		t.Errorf("requests: %v", h.requests)
	}
}

// TestGoesOn: a fetch that gave up leaves its part, and the next one asks for the rest alone.
func TestGoesOn(t *testing.T) {
	h := newHub(t, clipFiles())
	h.onCDN = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		if r.Header.Get("Range") != "" {
			w.WriteHeader(503)
			return true
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:123_456])
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	dir := t.TempDir()
	_, err := Fetch(context.Background(), testRef, dir, h.options())
	if err == nil || !strings.Contains(err.Error(), "goes on") || strings.Contains(err.Error(), "SECRET") {
		t.Fatalf("error: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "model.safetensors")); !errors.Is(err, os.ErrNotExist) {
		t.Fatal("an unfinished file has its name already")
	}
	h.onCDN = nil
	if _, err := Fetch(context.Background(), testRef, dir, h.options()); err != nil {
		t.Fatal(err)
	}
	same(t, dir, h, "config.json", "tokenizer.json", "vocab.json", "merges.txt", "model.safetensors")
	if h.asked("/blobs/model.safetensors bytes=123456-") == 0 {
		t.Errorf("requests: %v", h.requests)
	}
}

func TestPartsThatDoNotFit(t *testing.T) {
	body := clipFiles()["model.safetensors"]
	for name, part := range map[string][]byte{
		"longer than the file": noise(300_500),
		"other bytes":          bytes.Repeat([]byte{7}, 1000),
		"whole":                body,
		"whole, other bytes":   bytes.Repeat([]byte{7}, len(body)),
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, clipFiles())
			dir := t.TempDir()
			os.WriteFile(filepath.Join(dir, "model.safetensors."+sha(body)[:16]+".partial"), part, 0o644)
			if _, err := Fetch(context.Background(), testRef, dir, h.options()); err != nil {
				t.Fatal(err)
			}
			same(t, dir, h, "config.json", "tokenizer.json", "vocab.json", "merges.txt", "model.safetensors")
		})
	}
}

// TestServersWithoutRanges: one ignores the range, one lies about it, one refuses it.
func TestServersWithoutRanges(t *testing.T) {
	for name, answer := range map[string]func(w http.ResponseWriter, body []byte){
		"whole": func(w http.ResponseWriter, body []byte) { w.Write(body) },
		"wrong range": func(w http.ResponseWriter, body []byte) {
			w.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%d", len(body)-1, len(body)))
			w.WriteHeader(206)
			w.Write(body)
		},
		"416": func(w http.ResponseWriter, _ []byte) { w.WriteHeader(416) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, clipFiles())
			h.onCDN = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
				if r.Header.Get("Range") == "" {
					return false
				}
				answer(w, body)
				return true
			}
			body := h.files["model.safetensors"]
			dir := t.TempDir()
			os.WriteFile(filepath.Join(dir, "model.safetensors."+sha(body)[:16]+".partial"), body[:1000], 0o644)
			if _, err := Fetch(context.Background(), testRef, dir, h.options()); err != nil {
				t.Fatal(err)
			}
			same(t, dir, h, "config.json", "tokenizer.json", "vocab.json", "merges.txt", "model.safetensors")
		})
	}
}

func TestWrongBytes(t *testing.T) {
	h := newHub(t, clipFiles())
	h.onCDN = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		bad := slices.Clone(body)
		bad[5] ^= 1
		w.Write(bad)
		return true
	}
	dir := t.TempDir()
	_, err := Fetch(context.Background(), testRef, dir, h.options())
	if !errors.Is(err, ErrHash) {
		t.Fatalf("error: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "model*")); len(left) > 0 {
		t.Errorf("wrong bytes were kept: %v", left)
	}
	// More bytes than promised are as wrong.
	h.onCDN = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		w.Write(append(slices.Clone(body), 'x'))
		return true
	}
	if _, err := Fetch(context.Background(), testRef, dir, h.options()); !errors.Is(err, ErrHash) {
		t.Fatalf("error: %v", err)
	}
}

func TestStall(t *testing.T) {
	h := newHub(t, clipFiles())
	done := make(chan struct{})
	defer close(done)
	h.onCDN = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		if r.Header.Get("Range") != "" {
			return false
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:1000])
		w.(http.Flusher).Flush()
		select {
		case <-done:
		case <-r.Context().Done():
		}
		return true
	}
	o := h.options()
	o.Stall = 300 * time.Millisecond
	dir := t.TempDir()
	if _, err := Fetch(context.Background(), testRef, dir, o); err != nil {
		t.Fatal(err)
	}
	same(t, dir, h, "config.json", "tokenizer.json", "vocab.json", "merges.txt", "model.safetensors")
}

func TestBusyServer(t *testing.T) {
	h := newHub(t, clipFiles())
	var n atomic.Int32
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		if n.Add(1)%2 == 1 {
			w.WriteHeader([]int{503, 429, 502, 500}[n.Load()/2%4])
			return true
		}
		return false
	}
	if _, err := Fetch(context.Background(), testRef, t.TempDir(), h.options()); err != nil {
		t.Fatal(err)
	}
	h.before = func(w http.ResponseWriter, r *http.Request) bool { w.WriteHeader(503); return true }
	before := h.asked("/api/")
	_, err := Fetch(context.Background(), testRef, t.TempDir(), h.options())
	if err == nil || h.asked("/api/")-before != 3 {
		t.Errorf("%d requests, error %v", h.asked("/api/")-before, err)
	}
}

func TestRefusals(t *testing.T) {
	gated := func(h *fakeHub, o *Options) { h.gated, h.token, o.Token = true, "t", "t" }
	for _, c := range []struct {
		name string
		set  func(h *fakeHub, o *Options)
		ref  Ref
		is   error
		says []string
	}{
		{"no token", func(h *fakeHub, o *Options) { h.token = "t" }, testRef, ErrAccess, []string{"HF_TOKEN", "/settings/tokens", "/org/name"}},
		{"bad token", func(h *fakeHub, o *Options) { h.token, o.Token = "t", "x" }, testRef, ErrAccess, []string{"not valid"}},
		{"gated", gated, testRef, ErrAccess, []string{"accept the terms", "restricted"}},
		{"no such model", nil, Ref{"org/other", "main"}, ErrNotFound, []string{"org/other"}},
		{"no such revision", nil, Ref{"org/name", "v9"}, ErrNotFound, []string{"v9", "tree/main"}},
		{"no weights", func(h *fakeHub, _ *Options) {
			maps.DeleteFunc(h.files, func(name string, _ []byte) bool { return large(name) })
		}, testRef, errNoWeights, []string{"config.json"}},
		{"no match", func(_ *fakeHub, o *Options) { o.Include = []string{"*.gguf"} }, testRef, ErrUsage, []string{"*.gguf"}},
		{"bad endpoint", func(_ *fakeHub, o *Options) { o.Endpoint = "ftp://x" }, testRef, ErrUsage, []string{"ftp://x"}},
		{"bad proxy", func(_ *fakeHub, o *Options) { o.Proxy = "::" }, testRef, ErrUsage, []string{"proxy"}},
		{"no hub", func(h *fakeHub, _ *Options) {
			h.before = func(w http.ResponseWriter, _ *http.Request) bool { w.Write([]byte("<html>")); return true }
		}, testRef, nil, []string{"no list"}},
		{"redirects", func(h *fakeHub, _ *Options) {
			h.before = func(w http.ResponseWriter, r *http.Request) bool {
				http.Redirect(w, r, r.URL.Path, http.StatusFound)
				return true
			}
		}, testRef, errRedirects, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHub(t, clipFiles())
			o := h.options()
			if c.set != nil {
				c.set(h, &o)
			}
			_, err := Fetch(context.Background(), c.ref, t.TempDir(), o)
			if err == nil || c.is != nil && !errors.Is(err, c.is) {
				t.Fatalf("error: %v", err)
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%q does not say %q", err, says)
				}
			}
			if c.name != "redirects" && len(h.requests) > 4 {
				t.Errorf("it was tried again: %v", h.requests)
			}
		})
	}
}

func TestFullDisk(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	h := newHub(t, clipFiles())
	dir := t.TempDir()
	if err := os.Symlink("/dev/full", filepath.Join(dir, "model.safetensors."+sha(h.files["model.safetensors"])[:16]+".partial")); err != nil {
		t.Skip(err)
	}
	_, err := Fetch(context.Background(), testRef, dir, h.options())
	if err == nil || !strings.Contains(err.Error(), "is full") || h.asked("/blobs/") != 1 {
		t.Errorf("error: %v", err)
	}
}

func TestOthersFilesStay(t *testing.T) {
	h := newHub(t, clipFiles())
	dir := t.TempDir()
	own := filepath.Join(dir, "config.json")
	os.WriteFile(own, []byte("mine"), 0o644)
	_, err := Fetch(context.Background(), testRef, dir, h.options())
	if err == nil || !strings.Contains(err.Error(), "config.json") {
		t.Fatalf("error: %v", err)
	}
	if b, _ := os.ReadFile(own); string(b) != "mine" {
		t.Fatal("a file of the user was overwritten")
	}
	os.Remove(own)
	if _, err := Fetch(context.Background(), testRef, dir, h.options()); err != nil {
		t.Fatal(err)
	}
	// The branch moves on: what an earlier fetch brought is replaced.
	h.files["config.json"] = []byte("{ }")
	h.files["model.safetensors"] = noise(1000)
	os.WriteFile(filepath.Join(dir, "model.safetensors.0123456789abcdef.partial"), noise(10), 0o644) // of a third revision
	if _, err := Fetch(context.Background(), testRef, dir, h.options()); err != nil {
		t.Fatal(err)
	}
	same(t, dir, h, "config.json", "tokenizer.json", "vocab.json", "merges.txt", "model.safetensors")
	if _, err := Fetch(context.Background(), Ref{"org/other", "main"}, dir, h.options()); err == nil || !strings.Contains(err.Error(), "another folder") {
		t.Errorf("another model into the same folder: %v", err)
	}
}

func TestShards(t *testing.T) {
	files := map[string][]byte{
		"config.json": []byte("{}"), "tokenizer.model": noise(9),
		"model.safetensors.index.json":     []byte(`{"weight_map":{"a":"model-00001-of-00002.safetensors","b":"model-00002-of-00002.safetensors"}}`),
		"model-00001-of-00002.safetensors": noise(5000), "model-00002-of-00002.safetensors": noise(6000), "consolidated.safetensors": noise(11000),
	}
	h := newHub(t, files)
	dir := t.TempDir()
	if _, err := Fetch(context.Background(), testRef, dir, h.options()); err != nil {
		t.Fatal(err)
	}
	same(t, dir, h, "config.json", "tokenizer.model", "model.safetensors.index.json", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")
	for _, index := range []string{`{"weight_map":{"a":"../../x.safetensors"}}`, `{"weight_map":{"a":"/etc/passwd"}}`, `{"weight_map":{}}`, `{"weight_map":{"a":"gone.safetensors"}}`, `[`} {
		files["model.safetensors.index.json"] = []byte(index)
		if _, err := Fetch(context.Background(), testRef, t.TempDir(), h.options()); err == nil {
			t.Errorf("the index %s was taken", index)
		}
	}
}

func TestProxyAndRenamedModel(t *testing.T) {
	h := newHub(t, clipFiles())
	h.before = func(w http.ResponseWriter, r *http.Request) bool {
		to := strings.Replace(r.URL.Path, "/old", "/org/name", 1)
		if to == r.URL.Path {
			return false
		}
		http.Redirect(w, r, to+"?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
		return true
	}
	var through atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		through.Add(1)
		r.RequestURI = ""
		answer, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			w.WriteHeader(502)
			return
		}
		defer answer.Body.Close()
		maps.Copy(w.Header(), answer.Header)
		w.WriteHeader(answer.StatusCode)
		b := new(bytes.Buffer)
		b.ReadFrom(answer.Body)
		w.Write(b.Bytes())
	}))
	defer proxy.Close()
	o := h.options()
	o.Proxy = proxy.URL
	dir := t.TempDir()
	if _, err := Fetch(context.Background(), Ref{"old", "main"}, dir, o); err != nil {
		t.Fatal(err)
	}
	same(t, dir, h, "config.json", "tokenizer.json", "vocab.json", "merges.txt", "model.safetensors")
	if through.Load() < 6 {
		t.Errorf("only %d requests went through the proxy", through.Load())
	}
}

func TestInterrupted(t *testing.T) {
	h := newHub(t, clipFiles())
	ctx, cancel := context.WithCancel(context.Background())
	h.onCDN = func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		w.Header().Set("Content-Length", fmt.Sprint(len(body)))
		w.Write(body[:50_000])
		w.(http.Flusher).Flush()
		cancel()
		<-r.Context().Done()
		return true
	}
	dir := t.TempDir()
	if _, err := Fetch(ctx, testRef, dir, h.options()); !errors.Is(err, context.Canceled) {
		t.Fatalf("error: %v", err)
	}
	h.onCDN = nil
	if _, err := Fetch(context.Background(), testRef, dir, h.options()); err != nil {
		t.Fatal(err)
	}
	same(t, dir, h, "config.json", "tokenizer.json", "vocab.json", "merges.txt", "model.safetensors")
}

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		names, include, small []string
		weights               string
		fails                 bool
		notes                 int
	}{
		{names: []string{"config.json", "pytorch_model.bin", "model.safetensors", "tokenizer.json"}, small: []string{"config.json", "tokenizer.json"}, weights: "model.safetensors"},
		{names: []string{"open_clip_config.json", "open_clip_pytorch_model.bin", "vocab.json", "merges.txt"}, small: []string{"open_clip_config.json", "vocab.json", "merges.txt"}, weights: "open_clip_pytorch_model.bin"},
		{names: []string{"pytorch_model.bin", "open_clip_model.safetensors"}, weights: "open_clip_model.safetensors", notes: 2},
		{names: []string{"checkpoint.pt", "README.md"}, weights: "checkpoint.pt", notes: 2},
		{names: []string{"a.pt", "b.pt"}, fails: true, notes: 2},
		{names: []string{"a.pt", "b.pt"}, include: []string{"b.pt"}, small: []string{"b.pt"}, notes: 2},
		{names: []string{"config.json", "model.gguf"}, fails: true, notes: 1},
		{names: []string{"config.json", "sub/x.json", "model.safetensors"}, include: []string{"sub/*"}, small: []string{"config.json", "sub/x.json"}, weights: "model.safetensors", notes: 1},
		{names: []string{"config.json", "m.safetensors"}, include: []string{"["}, small: []string{"config.json"}, fails: true},
	} {
		got, err := choose(c.names, c.include)
		if (err != nil) != c.fails || !slices.Equal(got.small, c.small) && !c.fails || got.weights != c.weights || len(got.notes) != c.notes {
			t.Errorf("%v: %+v, %v", c.names, got, err)
		}
	}
}

func TestIsID(t *testing.T) {
	long := strings.Repeat("a", 96)
	for id, want := range map[string]bool{"gpt2": true, "org/Name-1.0_x": true, "0/1": true, long + "/" + long: true, "": false, "a/": false, "/a": false,
		"a/b/c": false, "a/-b": false, ".a": false, "a/b c": false, "a/\u00e9": false, long + "a": false, "a\n": false} {
		if isID(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{"hf://org/name", "hf://gpt2@v1", "hf://a/b@refs/pr/1", "hf://../x", "hf://a@", "x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRef(s)
		if err != nil {
			return
		}
		if again, err := ParseRef(r.String()); err != nil || again != r || strings.ContainsAny(r.Folder(), "/\\") || r.Folder() == ".." {
			t.Errorf("%q: %+v, again %+v, %v", s, r, again, err)
		}
	})
}

func FuzzShards(f *testing.F) {
	f.Add([]byte(`{"weight_map":{"a":"b.safetensors"}}`))
	f.Add([]byte(`{"weight_map":{"a":"../b"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		shards, err := shardsOf(b, "index.json")
		for _, s := range shards {
			if err == nil && !filepath.IsLocal(s) {
				t.Errorf("%q", s)
			}
		}
	})
}
