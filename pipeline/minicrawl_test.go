package pipeline

// The mini crawl: `mmc4 build` by WAT on real pages, its server misbehaving, against its independent truth. Runs where
// MMC4_MINICRAWL names a made crawl and MMC4_SHARED the tree with its server.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mmc4/crawl/fetch"
	"mmc4/schemas"
)

const miniCrawl = "CC-MAIN-2099-01"

// serveMiniCrawl starts the server with its delays at a fifth, and gives where to connect.
func serveMiniCrawl(t *testing.T) (root string, rules []fetch.ConnectRule) {
	root, shared := os.Getenv("MMC4_MINICRAWL"), os.Getenv("MMC4_SHARED")
	if root == "" || shared == "" {
		t.Skip("MMC4_MINICRAWL and MMC4_SHARED are not set: no mini crawl")
	}
	server := exec.Command(filepath.Join(root, ".venv/bin/python"), filepath.Join(shared, "minicrawl", "serve.py"), root, "--port", "0",
		"--tls-port", "0", "--slow", "0.2", "--log", filepath.Join(t.TempDir(), "log"))
	stdout, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Start(); err != nil {
		t.Skipf("the server cannot be started: %v", err)
	}
	t.Cleanup(func() { server.Process.Kill(); server.Wait() })
	var said struct {
		Port    int `json:"port"`
		TLSPort int `json:"tls_port"`
	}
	if err := json.NewDecoder(stdout).Decode(&said); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{fmt.Sprintf("*.test:80:127.0.0.1:%d", said.Port), fmt.Sprintf("*.test:443:127.0.0.1:%d", said.TLSPort)} {
		r, err := fetch.ParseConnectTo(s)
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	return root, rules
}

func lines[T any](t *testing.T, root, name string) (out []T) {
	t.Helper()
	f, err := os.Open(filepath.Join(root, "truth", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var v T
		if err := json.Unmarshal(s.Bytes(), &v); err != nil {
			t.Fatal(name, err)
		}
		out = append(out, v)
	}
	return out
}

type trueJoin struct {
	Crawl, URL, Timestamp, Match string
	Capture                      *struct {
		File   string
		Offset int64
		Length int64
	}
}

type trueCapture struct {
	File   string
	Offset int64
	Digest string
	WAT    []struct {
		Attr, Why string
		URL, Alt  *string
	}
}

type trueImage struct {
	URL, SHA256, Outcome string
	Accept               []string
	MediaType            string `json:"media_type"`
	Width, Height        int32
}

type trueFilter struct {
	URL       string
	FirstFail *string `json:"first_fail"`
}

func TestMiniCrawl(t *testing.T) {
	root, rules := serveMiniCrawl(t)
	out := t.TempDir()
	s := DefaultSettings()
	s.Network.Total = 20 // the server's 90 s are 18
	cfg := Config{C4: []string{root + "/c4/en/*.json.gz"}, WAT: []string{root + "/crawl-data/" + miniCrawl + "/segments/*/wat/*.wat.gz"},
		Out: out, Settings: s, Embedder: fakeEmbedder{"a", "cpu"}, Fetch: fetch.Options{ConnectTo: rules}}
	_, l := build(t, cfg)
	for _, u := range l.updates {
		if u.Ended {
			t.Logf("%-16s %6d %-10s %8.0f/s %v", u.Phase, u.Items, u.Unit, u.Rate, u.Elapsed)
		}
	}
	docs := readTable[schemas.Document](t, out, "docs")
	rejects := readTable[schemas.Reject](t, out, "rejects")
	checkImages(t, root, readTable[schemas.ImageRow](t, out, "images"))
	checkPairs(t, root, docs, rejects, checkJoin(t, root, docs, rejects))
}

// checkJoin compares every document's page; it gives the documents by id.
func checkJoin(t *testing.T, root string, docs []schemas.Document, rejects []schemas.Reject) map[string]trueJoin {
	truth := map[string]trueJoin{}
	for _, j := range lines[trueJoin](t, root, "join.jsonl") {
		if j.Crawl == miniCrawl {
			when, err := time.Parse(time.RFC3339, j.Timestamp)
			if err != nil {
				t.Fatal(err)
			}
			truth[schemas.DocID(j.URL, when)] = j
		}
	}
	settled := map[string]bool{}
	for i := range docs {
		d := &docs[i]
		if err := d.Validate(); err != nil {
			t.Error(err)
		}
		settled[d.DocID] = true
		j, ok := truth[d.DocID]
		if !ok || j.Capture == nil || j.Match != d.Page.Match || j.Capture.File != d.Page.WARCFilename || j.Capture.Offset != d.Page.WARCOffset ||
			j.Capture.Length != d.Page.WARCLength {
			t.Errorf("%s: page %+v, truth %+v", d.URL, d.Page, j.Capture)
		}
	}
	for _, r := range rejects {
		switch r.Rule {
		case schemas.RuleNoPage:
			if j := truth[*r.DocID]; j.Match != "none" {
				t.Errorf("%s has no page; truth %+v", *r.URL, j)
			}
			settled[*r.DocID] = true
		case schemas.RuleNoImage:
			settled[*r.DocID] = true
		}
	}
	if len(settled) != len(truth) {
		t.Errorf("%d documents are accounted for, there are %d", len(settled), len(truth))
	}
	return truth
}

// checkImages compares the outcome of every image URL.
func checkImages(t *testing.T, root string, rows []schemas.ImageRow) {
	truth := map[string]trueImage{}
	for _, i := range lines[trueImage](t, root, "images.jsonl") {
		truth[i.URL] = i
	}
	for _, r := range rows {
		want, ok := truth[r.ImageURL]
		if !ok || !slices.Contains(want.Accept, r.Outcome) {
			t.Errorf("%s: %s (%v), truth %s, accepted %v", r.ImageURL, r.Outcome, show(r.Detail), want.Outcome, want.Accept)
			continue
		}
		if r.Outcome == schemas.OutcomeOK && want.Outcome == "ok" {
			if *r.SHA256 != want.SHA256 || *r.Width != want.Width || *r.Height != want.Height || *r.MediaType != want.MediaType {
				t.Errorf("%s: %s %d x %d %s, truth %+v", r.ImageURL, *r.SHA256, *r.Width, *r.Height, *r.MediaType, want)
			}
		}
	}
}

// checkPairs compares what became of every candidate of every document.
func checkPairs(t *testing.T, root string, docs []schemas.Document, rejects []schemas.Reject, joins map[string]trueJoin) {
	captures := map[string]trueCapture{}
	for _, c := range lines[trueCapture](t, root, "candidates.jsonl") {
		captures[fmt.Sprint(c.File, c.Offset)] = c
	}
	firstFail := map[string]string{}
	for _, f := range lines[trueFilter](t, root, "filters.jsonl") {
		if f.FirstFail != nil {
			firstFail[f.URL] = *f.FirstFail
		}
	}
	got := map[string]string{} // doc, URL -> rule, "" for kept
	bad := map[string]int{}    // doc, why -> how often
	for _, d := range docs {
		for _, m := range d.ImageInfo {
			got[d.DocID+" "+m.RawURL] = "kept"
		}
	}
	for _, r := range rejects {
		switch {
		case r.Rule == schemas.RuleBadCandidate:
			bad[*r.DocID+" "+*r.Detail]++
		case r.ImageURL != nil:
			got[*r.DocID+" "+*r.ImageURL] = r.Rule
		}
	}
	accepted := map[string][]string{"extension": {"extension"}, "deny": {"url_token"}, "download": {"fetch"}, "size": {"min_side"}, "aspect": {"aspect"},
		"": {"kept", "duplicate_in_document", "duplicate_in_corpus", "similarity"}}
	images := map[string]trueImage{}
	for _, i := range lines[trueImage](t, root, "images.jsonl") {
		images[i.URL] = i
	}
	pairs := 0
	for id, j := range joins {
		if j.Capture == nil {
			continue
		}
		seen := map[string]bool{}
		for _, c := range captures[fmt.Sprint(j.Capture.File, j.Capture.Offset)].WAT {
			if c.Attr != "IMG@/src" {
				continue
			}
			if c.URL == nil {
				bad[id+" "+c.Why]--
				continue
			}
			url, _, _ := strings.Cut(*c.URL, "#")
			if seen[url] {
				continue
			}
			seen[url] = true
			pairs++
			key := id + " " + url
			if want := accepted[firstFail[url]]; !slices.Contains(want, got[key]) && len(images[url].Accept) < 2 {
				t.Errorf("%s on %s: %q, truth %q", url, j.URL, got[key], firstFail[url])
			}
			delete(got, key)
		}
	}
	for key, n := range bad {
		if n != 0 {
			t.Errorf("bad candidates of %s: %d too many", key, n)
		}
	}
	for key, rule := range got {
		t.Errorf("%s (%s) is no candidate by the truth", key, rule)
	}
	t.Logf("%d pairs agree with the truth", pairs)
}

func show(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
