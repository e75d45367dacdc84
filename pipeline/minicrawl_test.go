package pipeline

// The mini crawl: `mmc4 build` on real pages, its server misbehaving, against its independent truth. Runs where
// MMC4_MINICRAWL names a made crawl and MMC4_SHARED the tree with its server.

import (
	"bufio"
	"crypto/sha256"
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

// serveMiniCrawl starts the server with its delays halved, and gives where to connect; data is the
// address of its data host.
func serveMiniCrawl(t *testing.T, more ...string) (root string, rules []fetch.ConnectRule, data string) {
	root, shared := os.Getenv("MMC4_MINICRAWL"), os.Getenv("MMC4_SHARED")
	if root == "" || shared == "" {
		t.Skip("MMC4_MINICRAWL and MMC4_SHARED are not set: no mini crawl")
	}
	server := exec.Command(filepath.Join(root, ".venv/bin/python"), append([]string{filepath.Join(shared, "minicrawl", "serve.py"), root, "--port", "0",
		"--tls-port", "0", "--slow", "0.5", "--log", filepath.Join(t.TempDir(), "log")}, more...)...)
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
	return root, rules, fmt.Sprintf("http://127.0.0.1:%d/", said.Port)
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
	WAT    []trueCandidate
	HTML   []trueCandidate
}

type trueCandidate struct {
	Attr, Why string
	URL, Alt  *string
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

// TestMiniCrawl builds by both routes, and holds what comes out to the truth of the route.
func TestMiniCrawl(t *testing.T) {
	root, rules, _ := serveMiniCrawl(t)
	outs := t.TempDir()
	earlier := ""
	for _, kind := range []string{"wat", "html_src", "html"} {
		t.Run(kind, func(t *testing.T) {
			cfg := miniConfig(root, filepath.Join(outs, kind), kind)
			cfg.Fetch.ConnectTo = rules
			cfg.From = earlier // what the network said is not asked again
			summary, l := build(t, cfg)
			for _, u := range l.updates {
				if u.Ended {
					t.Logf("%-16s %6d %-10s %8.0f/s %v", u.Phase, u.Items, u.Unit, u.Rate, u.Elapsed)
				}
			}
			docs := readTable[schemas.Document](t, cfg.Out, "docs")
			rejects := readTable[schemas.Reject](t, cfg.Out, "rejects")
			images := readTable[schemas.ImageRow](t, cfg.Out, "images")
			checkImages(t, root, images)
			checkPairs(t, root, kind, docs, rejects, checkJoin(t, root, docs, rejects))
			checkFunnel(t, root, kind, summary.Counts)
			earlier = cfg.Out
		})
	}
}

// miniConfig is that of a build of the mini crawl with the candidates of one of the truth's funnels.
func miniConfig(root, out, kind string) Config {
	s := DefaultSettings()
	s.Network.Total, s.Network.FirstByte = 40, 30 // the server's 90 s are 45; it packs 600 MB before it answers at all
	cfg := Config{C4: []string{root + "/c4/en/*.json.gz"}, Out: out, Settings: s, Embedder: fakeEmbedder{"a", "cpu"}}
	switch kind {
	case "wat":
		cfg.WAT = []string{root + "/crawl-data/" + miniCrawl + "/segments/*/wat/*.wat.gz"}
		return cfg
	case "html":
		cfg.Settings.Candidates = "all"
	}
	cfg.Index, cfg.WARCBase = []string{root + "/cc-index/table/cc-main/warc/crawl=" + miniCrawl + "/**/*.parquet"}, root
	return cfg
}

// TestMiniCrawlIndexes: the same pages and candidates by the columnar and by the CDXJ index, from disk and over HTTP from
// a host that answers every fourth request with 503.
func TestMiniCrawlIndexes(t *testing.T) {
	root, _, data := serveMiniCrawl(t, "--busy-every", "4")
	var want string
	for _, c := range []struct{ name, index, base string }{
		{"table", "", root},
		{"cdx", root + "/cc-index/collections/" + miniCrawl + "/indexes/*", root},
		{"table over HTTP", root + "/crawl-data/" + miniCrawl + "/cc-index-table.paths.gz", data},
		{"cdx over HTTP", data + "crawl-data/" + miniCrawl + "/cc-index.paths.gz", data},
	} {
		cfg := miniConfig(root, t.TempDir(), "html")
		cfg.Stage, cfg.WARCBase = "locate", c.base
		if c.index != "" {
			cfg.Index = []string{c.index}
		}
		cfg.Storage.FirstWait = 20 * time.Millisecond // after a 503
		started := time.Now()
		build(t, cfg)
		got := locatedStreams(t, cfg)
		t.Logf("%s: %v", c.name, time.Since(started))
		if want == "" {
			want = got
		}
		if got != want {
			t.Errorf("%s: other pages or candidates than from disk", c.name)
		}
	}
}

// locatedStreams is a hash of all that stage locate hands on.
func locatedStreams(t *testing.T, cfg Config) string {
	h := sha256.New()
	records := 0
	for _, outputs := range [][]from{locating(), using(), {{locateDocuments.name, "rejects"}, {locateJoin.name, "rejects"}, {locateRecords.name, "rejects"}}} {
		eachWork(t, cfg, outputs, func(partition int, key, value []byte) {
			fmt.Fprintf(h, "%d %q %q\n", partition, key, value)
			records++
		})
	}
	return fmt.Sprintf("%d %x", records, h.Sum(nil))
}

// checkFunnel compares the counts up to the network with the truth's totals. Behind it the totals depend on which of
// several right outcomes a URL got; checkPairs holds every pair to those.
func checkFunnel(t *testing.T, root, kind string, counts map[string]int64) {
	data, err := os.ReadFile(filepath.Join(root, "truth", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Funnel map[string]map[string]map[string]int64
	}
	if err := json.Unmarshal(data, &truth); err != nil {
		t.Fatal(err)
	}
	want := truth.Funnel[miniCrawl][kind]
	for name, count := range map[string]string{"documents": "documents.read", "documents_exact": "documents.located_exact", "documents_surt": "documents.located_surt",
		"documents_none": "rejects.no_page", "documents_with_candidates": "documents.with_candidates", "candidates": "candidates.found",
		"candidate_repeated": "candidates.repeated", "fail_extension": "rejects.extension", "fail_deny": "rejects.url_token"} {
		if counts[count] != want[name] {
			t.Errorf("%s is %d, the truth's %s is %d", count, counts[count], name, want[name])
		}
	}
	t.Logf("truth: download %d, size %d, aspect %d; here: %d, %d, %d", want["fail_download"], want["fail_size"], want["fail_aspect"],
		counts["rejects.fetch"], counts["rejects.min_side"], counts["rejects.aspect"])
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
	others := map[string][]string{} // right outcomes that are not the truth's first choice
	for _, r := range rows {
		want, ok := truth[r.ImageURL]
		if !ok || !slices.Contains(want.Accept, r.Outcome) {
			t.Errorf("%s: %s (%v), truth %s, accepted %v", r.ImageURL, r.Outcome, show(r.Detail), want.Outcome, want.Accept)
			continue
		}
		if r.Outcome != want.Outcome {
			what := fmt.Sprintf("%s (%s), truth's first choice %s, accepted %v:", r.Outcome, show(r.Detail), want.Outcome, want.Accept)
			others[what] = append(others[what], r.ImageURL)
		}
		if r.Outcome == schemas.OutcomeOK && want.Outcome == "ok" {
			if *r.SHA256 != want.SHA256 || *r.Width != want.Width || *r.Height != want.Height || *r.MediaType != want.MediaType {
				t.Errorf("%s: %s %d x %d %s, truth %+v", r.ImageURL, *r.SHA256, *r.Width, *r.Height, *r.MediaType, want)
			}
		}
	}
	for what, urls := range others {
		t.Log(what, urls)
	}
}

// candidates are those that count in a funnel.
func (c trueCapture) candidates(kind string) (out []trueCandidate) {
	list := c.HTML
	if kind == "wat" {
		list = c.WAT
	}
	for _, one := range list {
		counts := map[string]bool{"wat": one.Attr == "IMG@/src", "html_src": one.Attr == "img@src",
			"html": strings.HasPrefix(one.Attr, "img@") || strings.HasPrefix(one.Attr, "source@")}
		if counts[kind] {
			out = append(out, one)
		}
	}
	return out
}

// checkPairs compares what became of every candidate of every document.
func checkPairs(t *testing.T, root, kind string, docs []schemas.Document, rejects []schemas.Reject, joins map[string]trueJoin) {
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
		for _, c := range captures[fmt.Sprint(j.Capture.File, j.Capture.Offset)].candidates(kind) {
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
