package page

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"mmc4/crawl/warc"
	"mmc4/crawl/wat"
	"mmc4/crawl/weburl"
)

// truthEntry is a candidate in the truth of a mini crawl. raw is cut at 300 characters there, and url has its fragment.
type truthEntry struct {
	Attr, Raw, Why string
	URL            *string
	Alt            *string
}

type truthCapture struct {
	URL      string
	File     string
	Offset   int64
	Base     *string
	WATBase  *string `json:"wat_base"`
	Encoding string
	HTML     []truthEntry
	WAT      []truthEntry
	WATFile  string `json:"wat_file"`
}

func readTruth(t testing.TB) (root string, byPlace map[string]map[int64]*truthCapture) {
	root = os.Getenv("MMC4_MINICRAWL")
	if root == "" {
		t.Skip("MMC4_MINICRAWL is not set: no mini crawl to compare with")
	}
	f, err := os.Open(filepath.Join(root, "truth", "candidates.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	byPlace = map[string]map[int64]*truthCapture{}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var c truthCapture
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if byPlace[c.File] == nil {
			byPlace[c.File] = map[int64]*truthCapture{}
		}
		byPlace[c.File][c.Offset] = &c
	}
	return root, byPlace
}

// expect turns truth entries into candidates, those whose attr counts.
func expect(entries []truthEntry, attr func(string) (string, bool)) (out []Candidate) {
	for _, e := range entries {
		name, ok := attr(e.Attr)
		if !ok {
			continue
		}
		c := Candidate{Raw: e.Raw, Attr: name, Alt: e.Alt, Why: e.Why}
		if e.URL != nil {
			c.URL = weburl.StripFragment(*e.URL)
		}
		out = append(out, c)
	}
	return out
}

func cutRaw(list []Candidate) []Candidate {
	out := append([]Candidate(nil), list...)
	for i := range out {
		if runes := []rune(out[i].Raw); len(runes) > 300 {
			out[i].Raw = string(runes[:300]) + "..."
		}
	}
	return out
}

// differences lists what differs between two lists of candidates.
func differences(t *testing.T, where string, got, want []Candidate) (n int) {
	got = cutRaw(got)
	for i := range max(len(got), len(want)) {
		var g, w Candidate
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if !reflect.DeepEqual(g, w) {
			n++
			t.Errorf("%s candidate %d:\n got  %s\n want %s", where, i, line(g), line(w))
			if len(got) != len(want) {
				t.Errorf("%s: %d candidates, want %d", where, len(got), len(want))
				return n
			}
		}
	}
	return n
}

func line(c Candidate) string {
	b, _ := json.Marshal(c)
	return string(b)
}

func TestMiniCrawlHTML(t *testing.T) {
	root, truth := readTruth(t)
	pages, fast := 0, 0
	for file, captures := range truth {
		f, err := os.Open(filepath.Join(root, file))
		if err != nil {
			t.Fatal(err)
		}
		w := warc.NewReader(f, file)
		for {
			rec, err := w.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			c := captures[rec.Offset]
			if c == nil || c.Base == nil {
				continue
			}
			pages++
			m := rec.HTTP()
			body, err := m.Content(0)
			if err != nil {
				t.Errorf("%s: %v", c.URL, err)
			}
			contentType := m.Header.Get("Content-Type")
			for _, sel := range []Selection{Src, All} {
				want := expect(c.HTML, func(attr string) (string, bool) {
					return attr, attr == AttrSrc || sel == All && (strings.HasPrefix(attr, "img@") || strings.HasPrefix(attr, "source@"))
				})
				differences(t, c.URL, FromHTML(c.URL, contentType, body, sel), want)
			}
			text := determine(body, contentType).text()
			base, list, _, ok := scan(text, All, nil)
			treeBase, tree, err := walk(text, All)
			if ok {
				fast++
				if err == nil && (base != treeBase || !reflect.DeepEqual(list, tree)) {
					t.Errorf("%s: scan and tree differ", c.URL)
				}
			}
			if got := weburl.NewBase(c.URL, treeBase).String(); got != *c.Base {
				t.Errorf("%s: base %q, want %q", c.URL, got, *c.Base)
			}
		}
		f.Close()
	}
	t.Logf("%d pages, %d of them without a tree", pages, fast)
}

func TestMiniCrawlWAT(t *testing.T) {
	root, truth := readTruth(t)
	files, err := filepath.Glob(filepath.Join(root, "crawl-data/*/segments/*/wat/*.wat.gz"))
	if err != nil || len(files) == 0 {
		t.Fatal("no WAT files", err)
	}
	pages, want := 0, 0
	for _, captures := range truth {
		for _, c := range captures {
			if c.WATBase != nil {
				want++
			}
		}
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		for rec, err := range wat.Read(f, file, wat.Options{}) {
			if err != nil || rec.Bad != "" {
				t.Fatal(err, rec.Bad)
			}
			p := rec.Page
			c := truth[p.WARCFilename][p.Offset]
			if c == nil || c.WATBase == nil {
				t.Errorf("%s at %d: not in the truth", p.WARCFilename, p.Offset)
				continue
			}
			pages++
			if p.URL != c.URL || weburl.NewBase(p.URL, p.Base).String() != *c.WATBase {
				t.Errorf("%s: base %q, want %q", c.URL, weburl.NewBase(p.URL, p.Base).String(), *c.WATBase)
			}
			differences(t, c.URL, FromWAT(&p), expect(c.WAT, func(attr string) (string, bool) { return AttrSrc, attr == wat.ImagePath }))
		}
		f.Close()
	}
	if pages != want {
		t.Errorf("%d pages, want %d", pages, want)
	}
}

// What the fast scan is measured against: gunzip, HTTP, decode, links of every page of the mini crawl.
func BenchmarkWARCToCandidates(b *testing.B) {
	root := os.Getenv("MMC4_MINICRAWL")
	if root == "" {
		b.Skip("MMC4_MINICRAWL is not set")
	}
	files, _ := filepath.Glob(filepath.Join(root, "crawl-data/CC-MAIN-2099-01/segments/*/warc/*.warc.gz"))
	var data [][]byte
	var packed, unpacked, candidates int
	for _, file := range files {
		d, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		data = append(data, d)
		packed += len(d)
	}
	each := func(visit func(url, contentType string, body []byte)) {
		for _, d := range data {
			w := warc.NewReader(strings.NewReader(string(d)), "bench")
			for {
				rec, err := w.Next()
				if err == io.EOF {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
				unpacked += len(rec.Block)
				if rec.Type != "response" {
					continue
				}
				m := rec.HTTP()
				if m.Status != 200 {
					continue
				}
				body, _ := m.Content(0)
				visit(rec.TargetURI(), m.Header.Get("Content-Type"), body)
			}
		}
	}
	type doc struct {
		url, contentType string
		body             []byte
	}
	var docs []doc
	size := 0
	each(func(url, contentType string, body []byte) {
		docs = append(docs, doc{url, contentType, append([]byte(nil), body...)})
		size += len(body)
	})
	total := unpacked
	b.Logf("%d files, %d bytes packed, %d unpacked, %d pages of %d bytes", len(files), packed, total, len(docs), size)
	b.Run("gunzip", func(b *testing.B) {
		b.SetBytes(int64(total))
		for b.Loop() {
			each(func(string, string, []byte) {})
		}
	})
	b.Run("all", func(b *testing.B) {
		b.SetBytes(int64(total))
		for b.Loop() {
			each(func(url, contentType string, body []byte) { candidates += len(FromHTML(url, contentType, body, Src)) })
		}
	})
	b.Run("html", func(b *testing.B) {
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, d := range docs {
				candidates += len(FromHTML(d.url, d.contentType, d.body, Src))
			}
		}
	})
	b.Run("tree", func(b *testing.B) {
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, d := range docs {
				_, list, _ := walk(determine(d.body, d.contentType).text(), Src)
				candidates += len(list)
			}
		}
	})
}
