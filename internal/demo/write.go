package demo

// Writing the web: crawl, indexes, C4, pictures, server rules and truth.

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"mmc4/crawl/weburl"
)

// Write makes the drawn web below dir and tells its truth:
//
//	dir/crawl-data/CC-MAIN-2099-19/...        WARC, WAT, *.paths.gz
//	dir/cc-index/collections, cc-index/table  CDXJ and Parquet index
//	dir/c4/c4-train.0000K-of-00004.json.gz    documents, with a bad line a file
//	dir/www/HOST/PATH                         what the hosts serve
//	dir/server.json                           how they answer where they do more than serve
//	dir/truth.json                            Truth
func Write(dir string, o Options) (*Truth, error) {
	if o.Pages <= 0 {
		o.Pages = DefaultPages
	}
	w := newWeb(o.Seed, o.Pages)
	captures, archives := w.crawl()
	steps := []struct {
		what string
		do   func() error
	}{
		{"pictures", func() error { return w.paintAll(dir) }},
		{"crawl", func() error { return writeArchives(dir, archives) }},
		{"indexes", func() error { return writeIndexes(dir, captures) }},
		{"C4 documents", func() error { return w.writeC4(dir) }},
		{"server rules", func() error { return w.writeAnswers(dir) }},
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			return nil, fmt.Errorf("writing the drawn web's %s below %s: %w", s.what, dir, err)
		}
	}
	t := w.truth()
	data, err := json.MarshalIndent(t, "", " ")
	if err != nil {
		return nil, fmt.Errorf("writing the truth: %w", err)
	}
	if err := writeFile(filepath.Join(dir, "truth.json"), append(data, '\n')); err != nil {
		return nil, fmt.Errorf("writing the truth: %w", err)
	}
	return t, nil
}

// segments of the crawl; each has two WARC files of pages and one of other answers.
var segments = []string{"4081471200000.12", "4081471200000.77"}

// crawl lays the captures out over the WARC files, in the order in which they were made.
func (w *web) crawl() ([]*capture, []*archive) {
	var captures []*capture
	for _, p := range w.pages {
		if p.match == "none" {
			c := &capture{url: p.url, when: p.captured, status: p.status, mime: "text/html", body: "<!doctype html><title>Gone</title><p>There is nothing here.</p>\n"}
			if p.status == 301 {
				c.location = strings.Replace(p.url, "/notes/", "/moved/", 1) + "?moved"
			}
			captures = append(captures, c)
			continue
		}
		now := p.markup(false)
		captures = append(captures, &capture{url: p.url, when: p.captured, status: 200, mime: "text/html; charset=utf-8", page: &now})
		if !p.older.IsZero() {
			before := p.markup(true)
			captures = append(captures, &capture{url: p.url, when: p.older, status: 200, mime: "text/html; charset=utf-8", page: &before})
		}
	}
	sort.SliceStable(captures, func(i, j int) bool {
		return captures[i].when.Before(captures[j].when) || captures[i].when.Equal(captures[j].when) && captures[i].url < captures[j].url
	})
	var archives []*archive
	byPath := map[string]*archive{}
	for i, c := range captures {
		folder, file := "warc", i%4/2
		if c.status != 200 && i%3 != 0 {
			folder, file = "crawldiagnostics", 0
		}
		path := fmt.Sprintf("crawl-data/%s/segments/%s/%s/CC-MAIN-20990504060000-20990504090000-%05d.warc.gz", crawlName, segments[i%2], folder, file)
		if byPath[path] == nil {
			byPath[path] = newArchive(path)
			archives = append(archives, byPath[path])
		}
		byPath[path].add(c)
	}
	sort.Slice(archives, func(i, j int) bool { return archives[i].path < archives[j].path })
	return captures, archives
}

func writeArchives(dir string, archives []*archive) error {
	var warcs, wats, others []string
	for _, a := range archives {
		if err := writeFile(filepath.Join(dir, a.path), a.warc.Bytes()); err != nil {
			return err
		}
		if strings.Contains(a.path, "/crawldiagnostics/") {
			others = append(others, a.path)
			continue
		}
		wat := strings.Replace(strings.TrimSuffix(a.path, ".gz"), "/warc/", "/wat/", 1) + ".wat.gz"
		if err := writeFile(filepath.Join(dir, wat), a.wat.Bytes()); err != nil {
			return err
		}
		warcs, wats = append(warcs, a.path), append(wats, wat)
	}
	for name, paths := range map[string][]string{"warc": warcs, "wat": wats, "non200responses": others} {
		if err := writeFile(filepath.Join(dir, "crawl-data", crawlName, name+".paths.gz"), gzipped(lines(paths))); err != nil {
			return err
		}
	}
	return nil
}

func lines(of []string) []byte {
	if len(of) == 0 {
		return nil
	}
	return []byte(strings.Join(of, "\n") + "\n")
}

func gzipped(data []byte) []byte {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	z.Write(data) // to memory: cannot fail
	z.Close()
	return out.Bytes()
}

// C4Files is the number of C4 files.
const C4Files = 4

// writeC4 writes the documents, dealt out over the files, each with one line that is no document.
func (w *web) writeC4(dir string) error {
	files := make([][]byte, C4Files)
	add := func(n int, d any) error {
		var line bytes.Buffer
		e := json.NewEncoder(&line)
		e.SetEscapeHTML(false)
		if err := e.Encode(d); err != nil {
			return err
		}
		files[n%C4Files] = append(files[n%C4Files], line.Bytes()...)
		return nil
	}
	type record struct {
		Text      string `json:"text"`
		Timestamp string `json:"timestamp"`
		URL       string `json:"url"`
	}
	for i, p := range w.pages {
		d := record{strings.Join(p.paragraphs(), "\n"), zulu(p.c4Time), p.c4URL}
		if err := add(i, d); err != nil {
			return err
		}
		if p.twice {
			d.Timestamp = zulu(p.c4Time.Add(26 * 60 * 60 * 1e9))
			if err := add(i+1, d); err != nil {
				return err
			}
		}
	}
	bad := []string{`{"text":"The line stops here`, `{"text":"No address.","timestamp":"2099-05-04T06:00:00Z"}`,
		`{"text":"","timestamp":"2099-05-04T06:00:00Z","url":"http://www.greenbeds.test/empty.html"}`, `["not","a","document"]`}
	for i := range files {
		files[i] = append(files[i], bad[i%len(bad)]+"\n"...)
		name := fmt.Sprintf("c4-train.%05d-of-%05d.json.gz", i, C4Files)
		if err := writeFile(filepath.Join(dir, "c4", name), gzipped(files[i])); err != nil {
			return err
		}
	}
	return nil
}

// surt is the key that the indexes are sorted by.
func surt(url string) string { return weburl.SURT(url) }
