package wat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"mmc4/crawl/warc"
)

// reference reads an envelope with encoding/json into maps: slow and plain.
func reference(block []byte, allLinks bool) (kind string, page Page, ok bool) {
	var root map[string]any
	if json.Unmarshal(block, &root) != nil {
		return "", page, false
	}
	object := func(v any, path ...string) map[string]any {
		for _, name := range path {
			m, _ := v.(map[string]any)
			v = m[name]
		}
		m, _ := v.(map[string]any)
		return m
	}
	text := func(v any) string {
		if list, ok := v.([]any); ok && len(list) > 0 {
			v = list[0]
		}
		s, _ := v.(string)
		return s
	}
	number := func(v any) int64 {
		if f, ok := v.(float64); ok {
			return int64(f)
		}
		n, _ := strconv.ParseInt(text(v), 10, 64)
		return n
	}
	container, head := object(root, "Container"), object(root, "Envelope", "WARC-Header-Metadata")
	kind = strings.ToLower(text(head["WARC-Type"]))
	page.URL, page.Container, page.Offset = text(head["WARC-Target-URI"]), text(container["Filename"]), number(container["Offset"])
	page.Length = number(object(container, "Gzip-Metadata")["Deflate-Length"])
	if t, err := time.Parse(time.RFC3339, text(head["WARC-Date"])); err == nil {
		page.Date = t.UTC()
	}
	page.Digest = strings.TrimPrefix(text(head["WARC-Payload-Digest"]), "sha1:")
	response := object(root, "Envelope", "Payload-Metadata", "HTTP-Response-Metadata")
	page.Status = int(number(object(response, "Response-Message")["Status"]))
	for name, value := range object(response, "Headers") {
		if strings.EqualFold(name, "Content-Type") {
			page.ContentType = text(value)
		}
	}
	html := object(response, "HTML-Metadata")
	page.HTML = html != nil
	page.Base = text(object(html, "Head")["Base"])
	links, _ := html["Links"].([]any)
	for _, v := range links {
		m := object(v)
		optional := func(name string) *string {
			if s, ok := m[name].(string); ok {
				return &s
			}
			return nil
		}
		link := Link{Path: text(m["path"]), URL: optional("url"), Alt: optional("alt"), Title: optional("title")}
		if allLinks || link.Path == ImagePath {
			page.Links = append(page.Links, link)
		}
	}
	return kind, page, true
}

func compare(t *testing.T, block []byte) {
	t.Helper()
	for _, allLinks := range []bool{false, true} {
		p := parser{allLinks: allLinks}
		kind, page, bad := p.record(block)
		wantKind, want, ok := reference(block, allLinks)
		if !ok {
			continue
		}
		if bad != "" {
			if wantKind != "" && (wantKind != "response" || want.URL != "" && !want.Date.IsZero() && want.Offset >= 0 && want.Length >= 0) {
				t.Fatalf("%s\nis refused: %s", block, bad)
			}
			continue
		}
		if kind != wantKind || !reflect.DeepEqual(page, want) {
			t.Fatalf("%s\ngot  %s %+v\nwant %s %+v", block, kind, page, wantKind, want)
		}
	}
}

// blocks gives the JSON of every metadata record.
func blocks(t testing.TB, path string) (out [][]byte) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := warc.NewReader(f, path)
	for {
		rec, err := w.Next()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.Type == "metadata" {
			out = append(out, bytes.Clone(rec.Block))
		}
	}
}

func TestAgainstReference(t *testing.T) {
	var paths []string
	if shared := os.Getenv("MMC4_SHARED"); shared != "" {
		paths = append(paths, filepath.Join(shared, "golden/data/wat.links/synthetic/synthetic.warc.wat.gz"), filepath.Join(shared, "data/commoncrawl/whirlwind.warc.wat.gz"))
	}
	if root := os.Getenv("MMC4_MINICRAWL"); root != "" {
		more, _ := filepath.Glob(filepath.Join(root, "crawl-data/*/segments/*/wat/*.wat.gz"))
		paths = append(paths, more...)
	}
	if len(paths) == 0 {
		t.Skip("neither MMC4_SHARED nor MMC4_MINICRAWL is set")
	}
	for _, path := range paths {
		list := blocks(t, path)
		if len(list) == 0 {
			t.Errorf("%s: no records", path)
		}
		for _, block := range list {
			compare(t, block)
		}
	}
}

const sample = `{"Container":{"Filename":"X.warc.gz","Offset":"12","Gzip-Metadata":{"Deflate-Length":34}},"Envelope":{"Payload-Metadata":` +
	`{"HTTP-Response-Metadata":{"Headers":{"content-TYPE":["text/html; charset=x","b"],"X":{"a":[]}},"Response-Message":{"Status":"200"},` +
	`"HTML-Metadata":{"Head":{"Base":"/b?x=1&amp;y","Metas":[{"content":"}]"}]},"Links":[{"path":"IMG@/src","url":"a.jpg?x&amp;y&copy=1","alt":"A &quot;b&quot;"},` +
	`{"url":"late.jpg","path":"IMG@/src"},{"path":"A@/href","url":"c.html","text":"t"},{"path":"IMG@/src"},{"path":"IMG@/src","url":null},7]}}},` +
	`"WARC-Header-Metadata":{"WARC-Type":"response","WARC-Target-URI":"<http://a.test/>","WARC-Date":"2019-04-20T00:00:00Z","WARC-Payload-Digest":"sha1:ABC"}}}`

func file(records ...string) []byte {
	var out bytes.Buffer
	add := func(head, body string) {
		w := gzip.NewWriter(&out)
		fmt.Fprintf(w, "WARC/1.0\r\n%sWARC-Date: 2019-05-01T00:00:00Z\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", head, len(body), body)
		w.Close()
	}
	add("WARC-Type: warcinfo\r\n", "Software-Info: ia-web-commons.1.1.9-SNAPSHOT-20190401000000\r\n")
	for _, r := range records {
		add("WARC-Type: metadata\r\nWARC-Target-URI: http://a.test/\r\n", r)
	}
	return out.Bytes()
}

func TestRead(t *testing.T) {
	request := strings.Replace(sample, `"WARC-Type":"response"`, `"WARC-Type":"request"`, 1)
	negative := strings.Replace(sample, `"Offset":"12"`, `"Offset":"-12"`, 1)
	data := file(sample, request, negative, sample[:200], `[]`, strings.Replace(sample, "<http://a.test/>", "", 1), sample)
	read := func(name string, opt Options) (pages []Page, bad int) {
		for rec, err := range Read(bytes.NewReader(data), name, opt) {
			if err != nil {
				t.Fatal(err)
			}
			if rec.Bad != "" {
				bad++
				continue
			}
			pages = append(pages, rec.Page)
		}
		return
	}
	pages, bad := read("s3://commoncrawl/crawl-data/CC-MAIN-2024-22/segments/1/wat/X.warc.wat.gz", Options{})
	if len(pages) != 2 || bad != 4 {
		t.Fatalf("%d pages, %d bad", len(pages), bad)
	}
	p := pages[0]
	text := func(s *string) string {
		if s == nil {
			return "nil"
		}
		return *s
	}
	got := fmt.Sprint(p.URL, p.Date.Format(time.RFC3339), p.WARCFilename, p.Container, p.Offset, p.Length, p.Digest, p.Status, p.ContentType, p.HTML, p.Base)
	want := fmt.Sprint("http://a.test/", "2019-04-20T00:00:00Z", "crawl-data/CC-MAIN-2024-22/segments/1/warc/X.warc.gz", "X.warc.gz", 12, 34, "ABC", 200, "text/html; charset=x", true, "/b?x=1&amp;y")
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	var links []string
	for _, l := range p.Links {
		links = append(links, l.Path+" "+text(l.URL)+" "+text(l.Alt))
	}
	if want := []string{"IMG@/src a.jpg?x&amp;y&copy=1 A &quot;b&quot;", "IMG@/src late.jpg nil", "IMG@/src nil nil", "IMG@/src nil nil"}; !reflect.DeepEqual(links, want) {
		t.Errorf("links %q, want %q", links, want)
	}
	for name, old := range map[string]bool{
		"crawl-data/CC-MAIN-2019-18/segments/1/wat/X.warc.wat.gz":             true,
		"crawl-data/CC-MAIN-2019-22/wat/CC-MAIN-20990105000000-1.warc.wat.gz": true,
		"crawl-data/CC-MAIN-2019-26/wat/CC-MAIN-20190418000000-1.warc.wat.gz": false,
		"crawl-data/CC-MAIN-2018-51/X":                                        true,
		"CC-MAIN-20190418000000-20190418030000-00000.warc.wat.gz":             true,
		"CC-MAIN-20190620000000-20190620030000-00000.warc.wat.gz":             false,
		"x.warc.wat.gz": true, // by its warcinfo
	} {
		pages, _ := read(name, Options{AllLinks: true})
		if base := pages[0].Base; (base == "/b?x=1&y") != old {
			t.Errorf("%s: base %q", name, base)
		}
		if old && (text(pages[0].Links[0].URL) != "a.jpg?x&y&copy=1" || text(pages[0].Links[0].Alt) != `A "b"`) {
			t.Errorf("%s: %q %q", name, text(pages[0].Links[0].URL), text(pages[0].Links[0].Alt))
		}
	}
	if pages, _ := read("x", Options{AllTypes: true, Entities: EntitiesKeep}); len(pages) != 3 || pages[0].Base != "/b?x=1&amp;y" {
		t.Errorf("with all types: %d", len(pages))
	}
	damaged := bytes.Clone(data)
	for i := range 30 {
		damaged[bytes.LastIndex(data, []byte{0x1f, 0x8b, 8})+20+i] ^= 0xff // the last record, a page
	}
	var bads []string
	for rec, err := range Read(bytes.NewReader(damaged), "x", Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		if rec.Bad != "" {
			bads = append(bads, rec.Bad)
		}
	}
	if len(bads) != 5 || !strings.Contains(bads[4], warc.SkipDamaged) {
		t.Errorf("damaged file: %q", bads)
	}
	n := 0
	var last error
	for _, err := range Read(bytes.NewReader(data[:len(data)-100]), "x", Options{}) {
		if last = err; err == nil {
			n++
		}
	}
	if n < 4 || last == nil {
		t.Errorf("a cut file: %d records, then %v", n, last)
	}
}

func TestWARCName(t *testing.T) {
	for in, want := range map[string]string{
		"https://data.commoncrawl.org/crawl-data/CC-MAIN-2019-18/segments/1/wat/CC.warc.wat.gz": "crawl-data/CC-MAIN-2019-18/segments/1/warc/CC.warc.gz",
		"crawl-data/CC-MAIN-2019-18/segments/1/wat/CC.warc.wat":                                 "crawl-data/CC-MAIN-2019-18/segments/1/warc/CC.warc",
		"/home/me/crawl-data/x/crawl-data/y/wat/z.wat.gz":                                       "crawl-data/y/warc/z.gz",
		"/home/me/wat/z.warc.wat.gz":                                                            "z.warc.gz",
	} {
		if got := WARCName(in); got != want {
			t.Errorf("WARCName(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte(`{"Envelope":{"Payload-Metadata":[]}}`))
	f.Add([]byte(`{"Container":7,"Envelope":{"WARC-Header-Metadata":{"WARC-Type":"response"`))
	f.Fuzz(func(t *testing.T, block []byte) {
		p := parser{unescape: true}
		p.record(block)
	})
}

func BenchmarkRead(b *testing.B) {
	root := os.Getenv("MMC4_MINICRAWL")
	if root == "" {
		b.Skip("MMC4_MINICRAWL is not set")
	}
	paths, _ := filepath.Glob(filepath.Join(root, "crawl-data/CC-MAIN-2099-01/segments/*/wat/*.wat.gz"))
	list := blocks(b, paths[0])
	var p parser
	size := 0
	for _, block := range list {
		size += len(block)
	}
	b.Run("json", func(b *testing.B) {
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, block := range list {
				p.record(block)
			}
		}
	})
	b.Run("reference", func(b *testing.B) {
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, block := range list {
				reference(block, false)
			}
		}
	})
	data, err := os.ReadFile(paths[0])
	if err != nil {
		b.Fatal(err)
	}
	b.Run("file", func(b *testing.B) {
		b.SetBytes(int64(size))
		for b.Loop() {
			for _, err := range Read(bytes.NewReader(data), paths[0], Options{}) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
