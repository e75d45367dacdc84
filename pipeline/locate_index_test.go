package pipeline

// The index route on a tiny crawl of its own: what is lost and how it is told, how a host is asked, what flags go together.

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"mmc4/crawl/weburl"
)

const indexedPages = 40

// indexWorld writes documents, one WARC file and its CDXJ index. alter may change a record or its line of the index.
func indexWorld(t *testing.T, alter func(i int, record, line *string)) *world {
	w := &world{dir: t.TempDir()}
	var c4, warc bytes.Buffer
	var lines []string
	for i := range indexedPages {
		url := fmt.Sprintf("http://host.test/page/%02d", i)
		fmt.Fprintf(&c4, `{"url":%q,"timestamp":"2099-01-05T00:00:%02dZ","text":"A sentence of page %d."}`+"\n", url, i, i)
		html := fmt.Sprintf(`<p><img src="/%d.png" alt="one"><noscript><img data-src="/lazy-%d.png"></noscript>`, i, i)
		answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", len(html), html)
		record := fmt.Sprintf("WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: %s\r\nWARC-Date: 2099-01-05T00:00:%02dZ\r\nWARC-Payload-Digest: sha1:D%d\r\n"+
			"WARC-Record-ID: <urn:uuid:%08d-0000-0000-0000-000000000000>\r\nContent-Type: application/http\r\nContent-Length: %d\r\n\r\n%s\r\n\r\n", url, i, i, i, len(answer), answer)
		line := fmt.Sprintf(`%s 20990105000%03d {"url":%q,"mime":"text/html","status":"200","digest":"D%d","length":"LENGTH","offset":"OFFSET","filename":"crawl-data/a.warc.gz"}`,
			weburl.SURT(url), i, url, i)
		if alter != nil {
			alter(i, &record, &line)
		}
		start := warc.Len()
		z := gzip.NewWriter(&warc)
		z.Write([]byte(record))
		z.Close()
		line = strings.Replace(strings.Replace(line, "LENGTH", fmt.Sprint(warc.Len()-start), 1), "OFFSET", fmt.Sprint(start), 1)
		lines = append(lines, line)
	}
	w.save(t, "c4/c4.json.gz", c4.Bytes(), true)
	w.save(t, "crawl-data/a.warc.gz", warc.Bytes(), false)
	slices.Sort(lines)
	var cluster bytes.Buffer
	var cdx [2]bytes.Buffer
	for n := 0; n < len(lines); n += 7 {
		file := n / 21
		start := cdx[file].Len()
		z := gzip.NewWriter(&cdx[file])
		fmt.Fprintln(z, strings.Join(lines[n:min(n+7, len(lines))], "\n"))
		z.Close()
		fmt.Fprintf(&cluster, "%s\tcdx-0000%d.gz\t%d\t%d\t%d\n", strings.Join(strings.Fields(lines[n])[:2], " "), file, start, cdx[file].Len()-start, n/7)
	}
	for i := range cdx {
		w.save(t, fmt.Sprintf("indexes/cdx-0000%d.gz", i), cdx[i].Bytes(), false)
	}
	w.save(t, "indexes/cluster.idx", cluster.Bytes(), false)
	w.server = httptest.NewServer(http.FileServer(http.Dir(w.dir)))
	t.Cleanup(w.server.Close)
	return w
}

func (w *world) byIndex(out string) Config {
	cfg := w.config(out)
	cfg.WAT, cfg.Index, cfg.WARCBase, cfg.Stage = nil, []string{w.dir + "/indexes/*"}, w.dir, "locate"
	return cfg
}

// TestIndexFaults: what cannot be read is named, and its documents are accounted for.
func TestIndexFaults(t *testing.T) {
	change := func(at int, old, new string) func(int, *string, *string) {
		return func(i int, record, line *string) {
			if i == at {
				*record, *line = strings.Replace(*record, old, new, 1), strings.Replace(*line, old, new, 1)
			}
		}
	}
	for _, c := range []struct {
		name   string
		alter  func(i int, record, line *string)
		spoil  func(w *world)
		lost   int64  // documents without a page
		named  string // in the error, "" for none
		reject string // in a reject
	}{
		{name: "all well"},
		{name: "not captured", alter: change(3, `"status":"200"`, `"status":"404"`), lost: 1},
		{name: "not HTML", alter: change(3, `"mime":"text/html"`, `"mime":"application/pdf"`), lost: 1},
		{name: "another page", alter: change(3, "WARC-Target-URI: http://host.test/page/03", "WARC-Target-URI: http://host.test/other"), lost: 1, named: "a.warc.gz", reject: "http://host.test/other"},
		{name: "revisit", alter: change(4, "WARC-Type: response", "WARC-Type: revisit"), lost: 1, named: "a.warc.gz", reject: "revisit"},
		{name: "another digest", alter: change(4, "sha1:D4", "sha1:E4"), lost: 1, named: "a.warc.gz", reject: "E4"},
		{name: "another status", alter: change(4, "HTTP/1.1 200", "HTTP/1.1 404"), lost: 1, named: "a.warc.gz", reject: "status 200"},
		{name: "behind the end", alter: change(5, `"offset":"OFFSET"`, `"offset":"99999999"`), lost: 1, named: "a.warc.gz", reject: "ends before"},
		{name: "huge", alter: change(5, `"length":"LENGTH"`, `"length":"999999999"`), lost: 1, named: "a.warc.gz", reject: "bytes, more than"},
		{name: "outside", alter: change(5, "crawl-data/a.warc.gz", "../a.warc.gz"), lost: 1, named: "no name of a WARC file", reject: "no name"},
		{name: "no such file", alter: change(6, "crawl-data/a.warc.gz", "crawl-data/b.warc.gz"), lost: 1, named: "b.warc.gz", reject: "b.warc.gz"},
		{name: "bad row", alter: change(7, `"offset":"OFFSET"`, `"offset":"x"`), lost: 1, reject: "unreadable index row"},
		{name: "damaged block", spoil: func(w *world) {
			name := filepath.Join(w.dir, "indexes/cdx-00001.gz")
			data, _ := os.ReadFile(name)
			os.WriteFile(name, append([]byte("junk"), data[4:]...), 0o666)
		}, lost: 19, named: "cdx-00001.gz"},
		{name: "no cluster.idx", spoil: func(w *world) { os.Remove(filepath.Join(w.dir, "indexes/cluster.idx")) }, lost: 40, named: "cluster.idx"},
		{name: "damaged table", spoil: func(w *world) {
			os.WriteFile(filepath.Join(w.dir, "indexes/x.parquet"), []byte("PAR1 and no more"), 0o666)
		}, named: "x.parquet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := indexWorld(t, c.alter)
			if c.spoil != nil {
				c.spoil(w)
			}
			cfg := w.byIndex(t.TempDir())
			s, err := Build(context.Background(), cfg, nil)
			if c.named == "" && err != nil || c.named != "" && (!errors.Is(err, ErrPartial) || !strings.Contains(err.Error(), c.named)) {
				t.Error(err)
			}
			if lost, found := s.Counts["rejects.no_page"], s.Counts["documents.located_exact"]; lost != c.lost || found != indexedPages-c.lost {
				t.Errorf("%d documents have no page, %d have one", lost, found)
			}
			if s.Counts["candidates.found"] != indexedPages-c.lost {
				t.Errorf("%d candidates", s.Counts["candidates.found"])
			}
			said := c.reject == ""
			eachWork(t, cfg, []from{{locateIndex.name, "rejects"}, {locateRecords.name, "rejects"}}, func(_ int, _, value []byte) {
				r, err := decodeReject(value)
				said = said || err == nil && strings.Contains(show(r.Detail), c.reject)
			})
			if !said {
				t.Errorf("no reject says %q", c.reject)
			}
		})
	}
}

// TestIndexAll: --candidates all sees what a WAT does not list.
func TestIndexAll(t *testing.T) {
	cfg := indexWorld(t, nil).byIndex(t.TempDir())
	cfg.Settings.Candidates = "all"
	if s, l := build(t, cfg); s.Counts["candidates.found"] != 2*indexedPages || len(l.notes) > 0 {
		t.Error(s.Counts, l.notes)
	}
}

// TestIndexManners: few requests, a wait after each 503, an honest name; and an outage fails the build, which goes on later.
func TestIndexManners(t *testing.T) {
	w := indexWorld(t, nil)
	var asked, busy, records atomic.Int64
	down := atomic.Bool{}
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case down.Load(), asked.Add(1)%3 == 0:
			busy.Add(1)
			rw.WriteHeader(http.StatusServiceUnavailable)
			return
		case !strings.HasPrefix(r.UserAgent(), "mmc4/test (+me@example.org)"):
			t.Errorf("%s %s by %q", r.Method, r.URL, r.UserAgent())
		case strings.HasSuffix(r.URL.Path, "a.warc.gz") && r.Method == http.MethodGet:
			records.Add(1)
		}
		http.FileServer(http.Dir(w.dir)).ServeHTTP(rw, r)
	}))
	defer server.Close()
	cfg := w.byIndex(t.TempDir())
	cfg.WARCBase, cfg.Fetch.Contact, cfg.Version = server.URL+"/", "me@example.org", "test"
	cfg.Storage.FirstWait = time.Millisecond
	w.save(t, "cdx.paths.gz", []byte("indexes/cdx-00000.gz\nindexes/cdx-00001.gz\nindexes/cluster.idx\nmetadata.yaml\n"), true)
	cfg.Index = []string{w.dir + "/cdx.paths.gz"}
	down.Store(true)
	if _, err := Build(context.Background(), cfg, nil); err == nil || errors.Is(err, ErrPartial) {
		t.Error("an outage:", err)
	}
	down.Store(false)
	s, _ := build(t, cfg)
	if s.Counts["documents.located_exact"] != indexedPages || busy.Load() == 0 {
		t.Error(s.Counts, busy.Load())
	}
	if records.Load() > 1 {
		t.Errorf("%d requests for the records of one small file", records.Load())
	}
}

// TestIndexUsage: flags that do not go together.
func TestIndexUsage(t *testing.T) {
	w := indexWorld(t, nil)
	for says, set := range map[string]func(*Config){
		"exclude each other": func(c *Config) { c.WAT = []string{"x"} },
		"--warc-base":        func(c *Config) { c.WARCBase = "" },
		"part of an index":   func(c *Config) { c.Index = []string{w.dir + "/c4/../indexes/cluster.idx"} },
		"no file matches":    func(c *Config) { c.Index = []string{w.dir + "/none/*"} },
	} {
		cfg := w.byIndex(t.TempDir())
		set(&cfg)
		if _, err := Build(context.Background(), cfg, nil); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

// eachWork hands over the records of some outputs of a run, merged, by partition.
func eachWork(t *testing.T, cfg Config, outputs []from, f func(partition int, key, value []byte)) {
	t.Helper()
	ctx := context.Background()
	cfg.setDefaults()
	r := &run{cfg: &cfg, phases: cfg.phases(), budget: newBudget(cfg.Memory), scratch: t.TempDir()}
	err := error(nil)
	if r.store, err = openRun(ctx, &cfg); err == nil {
		if r.plan, err = makePlan(ctx, &cfg); err == nil {
			r.journal, err = openJournal(ctx, r.store)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for partition := range max(r.plan.Parts, cfg.Settings.Partitions) {
		m, err := r.newTask(locateJoin, 0, nil).merged(ctx, partition, outputs...)
		if err != nil {
			t.Fatal(err)
		}
		for {
			more, err := m.next()
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			f(partition, m.key, m.value)
		}
		m.close()
	}
}
