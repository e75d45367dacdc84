package demo

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mmc4/crawl/c4"
	"mmc4/match"
)

// small is one web that the tests share.
var small = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "demo")
	if err != nil {
		return "", err
	}
	_, err = Write(dir, Options{Seed: 3, Pages: 40})
	return dir, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if dir, err := small(); err == nil {
		os.RemoveAll(dir)
	}
	os.Exit(code)
}

func smallWeb(t *testing.T) (string, *Truth) {
	t.Helper()
	dir, err := small()
	if err != nil {
		t.Fatal(err)
	}
	truth, err := ReadTruth(dir)
	if err != nil {
		t.Fatal(err)
	}
	return dir, truth
}

func hashTree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		sum := sha256.Sum256(data)
		name, _ := filepath.Rel(dir, path)
		out[name] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSameSeedSameBytes(t *testing.T) {
	a, b := t.TempDir(), t.TempDir()
	for _, dir := range []string{a, b} {
		if _, err := Write(dir, Options{Seed: 11, Pages: 8}); err != nil {
			t.Fatal(err)
		}
	}
	one, two := hashTree(t, a), hashTree(t, b)
	if len(one) != len(two) || len(one) < 30 {
		t.Fatalf("%d and %d files", len(one), len(two))
	}
	for name, sum := range one {
		if two[name] != sum {
			t.Errorf("%s differs", name)
		}
	}
	c := t.TempDir()
	if _, err := Write(c, Options{Seed: 12, Pages: 8}); err != nil {
		t.Fatal(err)
	}
	if hashTree(t, c)["truth.json"] == one["truth.json"] {
		t.Error("another seed gives the same truth")
	}
}

func TestTruthAgreesWithItself(t *testing.T) {
	dir, truth := smallWeb(t)
	if len(truth.Documents) < 40 {
		t.Fatalf("%d documents", len(truth.Documents))
	}
	for _, d := range truth.Documents {
		if len(d.Sentences) < 6 || len(d.Sentences) > 32 {
			t.Errorf("%s has %d sentences", d.URL, len(d.Sentences))
		}
		seen := map[string]bool{}
		for _, pic := range d.Images {
			if pic.Rule != "bad_candidate" && seen[pic.URL] {
				t.Errorf("%s lists %s twice", d.URL, pic.URL)
			}
			seen[pic.URL] = true
			for _, k := range pic.Shows {
				if k < 0 || k >= len(d.Sentences) {
					t.Errorf("%s: %s shows sentence %d of %d", d.URL, pic.URL, k, len(d.Sentences))
				}
			}
			if pic.Rule == "" && len(pic.Shows) == 0 {
				t.Errorf("%s: %s is kept and shown by no sentence", d.URL, pic.URL)
			}
			path, err := servedPath(dir, pic.URL)
			if _, statErr := os.Stat(path); pic.Rule == "" && (err != nil || statErr != nil) {
				t.Errorf("%s is not served: %v %v", pic.URL, err, statErr)
			}
		}
	}
}

func TestC4DocumentsHaveTheirSentences(t *testing.T) {
	dir, truth := smallWeb(t)
	want := map[string]DocumentTruth{}
	for _, d := range truth.Documents {
		want[d.URL+" "+d.Timestamp] = d
	}
	bad, good := 0, 0
	for n := range C4Files {
		name := filepath.Join(dir, "c4", "c4-train.0000"+string(rune('0'+n))+"-of-00004.json.gz")
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for record, err := range c4.Read(f, name) {
			if err != nil {
				t.Fatal(err)
			}
			if record.Bad != "" || record.Doc.Text == "" {
				bad++
				continue
			}
			good++
			d, ok := want[record.Doc.URL+" "+record.Doc.Timestamp.UTC().Format(time.RFC3339)]
			if !ok {
				t.Errorf("%s is not in the truth", record.Doc.URL)
				continue
			}
			got := match.Sentences(record.Doc.Text)
			if strings.Join(got, "\n") != strings.Join(d.Sentences, "\n") {
				t.Errorf("%s: %d sentences, planned %d", record.Doc.URL, len(got), len(d.Sentences))
				for i := range min(len(got), len(d.Sentences)) {
					if got[i] != d.Sentences[i] {
						t.Logf("first difference: %q, planned %q", got[i], d.Sentences[i])
						break
					}
				}
			}
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if good != len(truth.Documents) || bad != C4Files {
		t.Errorf("%d good and %d bad lines, want %d and %d", good, bad, len(truth.Documents), C4Files)
	}
}

func TestServeAnswersAsPlanned(t *testing.T) {
	dir, truth := smallWeb(t)
	server, err := Serve(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	get := func(url string) (*http.Response, []byte) {
		t.Helper()
		rest := strings.TrimPrefix(url, "http://")
		host, path, _ := strings.Cut(rest, "/")
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.Addr+"/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = host
		response, err := http.DefaultTransport.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		return response, body
	}
	status := map[string]int{"http_404": 404, "http_410": 410, "http_403": 403, "redirect_loop": 302, "not_image": 200, "empty": 200, "opt_out": 200, "truncated": 200}
	done := map[string]int{}
	for _, d := range truth.Documents {
		for _, pic := range d.Images {
			if pic.Rule == "fetch" && pic.Detail != "connect" && pic.Detail != "robots" && done[pic.Detail] < 2 {
				if response, _ := get(pic.URL); response.StatusCode != status[pic.Detail] {
					t.Errorf("%s: status %d, planned %s", pic.URL, response.StatusCode, pic.Detail)
				}
				done[pic.Detail]++
			}
			if pic.Rule == "" && done["ok"] < 5 {
				if response, body := get(pic.URL); response.StatusCode != 200 || len(body) < 1000 || !strings.HasPrefix(response.Header.Get("Content-Type"), "image/") {
					t.Errorf("%s: status %d, %d bytes", pic.URL, response.StatusCode, len(body))
				}
				done["ok"]++
			}
		}
	}
	if _, body := get("http://" + closedHost + "/robots.txt"); !strings.Contains(string(body), "Disallow: /") {
		t.Error("the closed host's robots.txt does not close it")
	}
	if response, _ := get("http://" + DataHost + "/crawl-data/" + crawlName + "/wat.paths.gz"); response.StatusCode != 200 {
		t.Errorf("the data host answers %d for the listing", response.StatusCode)
	}
	if response, _ := get("http://" + DataHost + "/truth.json"); response.StatusCode != 404 {
		t.Errorf("the data host gives the truth away: %d", response.StatusCode)
	}
	if response, _ := get("http://../secret"); response.StatusCode != 404 && response.StatusCode != 400 {
		t.Errorf("a host of dots is answered with %d", response.StatusCode)
	}
	if err := server.Close(); err != nil {
		t.Error(err)
	}
}
