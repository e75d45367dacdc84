package demo

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mmc4/crawl/ccindex"
	"mmc4/crawl/warc"
)

// TestIndexPointsAtRecords reads every WARC and checks that each index line leads to a response of its URL.
func TestIndexPointsAtRecords(t *testing.T) {
	w := newWeb(3, 72)
	captures, archives := w.crawl()
	if len(captures) < 72 {
		t.Fatalf("%d captures", len(captures))
	}
	byPath := map[string]*archive{}
	for _, a := range archives {
		byPath[a.path] = a
	}
	for _, c := range captures {
		data := byPath[c.filename].warc.Bytes()[c.offset : c.offset+c.length]
		record, err := warc.NewReader(bytes.NewReader(data), c.filename).Next()
		if err != nil {
			t.Fatalf("%s: %v", c.url, err)
		}
		if record.Type != "response" || record.TargetURI() != c.url {
			t.Errorf("%s: found a %s of %s", c.url, record.Type, record.TargetURI())
		}
	}
}

// TestFilesParse reads all WARC and WAT files of a written web with the crawl's own reader.
func TestFilesParse(t *testing.T) {
	dir, _ := smallWeb(t)
	files := 0
	err := filepath.WalkDir(filepath.Join(dir, "crawl-data"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, ".paths.gz") {
			return err
		}
		files++
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r := warc.NewReader(bytes.NewReader(data), path)
		for {
			_, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Errorf("%s: %v", path, err)
				break
			}
		}
		if stats := r.Stats(); stats.Records < 2 || len(stats.Skipped) != 0 {
			t.Errorf("%s: %+v", path, stats)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 8 {
		t.Errorf("%d files", files)
	}
}

// TestIndexesAgree looks every page up in both indexes.
func TestIndexesAgree(t *testing.T) {
	dir, _ := smallWeb(t)
	captures, _ := newWeb(3, 40).crawl()
	want := map[string]int{}
	var keys []string
	for _, c := range captures {
		want[surt(c.url)]++
		keys = append(keys, surt(c.url))
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)

	found := map[string]int{}
	tables, err := filepath.Glob(filepath.Join(dir, "cc-index", "table", "cc-main", "warc", "*", "*", "*.parquet"))
	if err != nil || len(tables) == 0 {
		t.Fatalf("no tables: %v", err)
	}
	for _, path := range tables {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		table, err := ccindex.OpenTable(bytes.NewReader(data), int64(len(data)), path)
		if err != nil {
			t.Fatal(err)
		}
		for c, err := range table.Lookup(t.Context(), keys) {
			if err != nil {
				t.Fatal(err)
			}
			found[c.SURT]++
		}
	}
	if !maps.Equal(found, want) {
		t.Errorf("the Parquet table knows %d keys, the crawl %d", len(found), len(want))
	}

	folder := filepath.Join(dir, "cc-index", "collections", crawlName, "indexes")
	cluster, err := os.ReadFile(filepath.Join(folder, "cluster.idx"))
	if err != nil {
		t.Fatal(err)
	}
	found = map[string]int{}
	for line := range strings.Lines(string(cluster)) {
		part := strings.Split(strings.TrimSpace(line), "\t") // first key, file, offset, length, number
		data, err := os.ReadFile(filepath.Join(folder, part[1]))
		if err != nil {
			t.Fatal(err)
		}
		offset, _ := strconv.Atoi(part[2])
		length, _ := strconv.Atoi(part[3])
		z, err := gzip.NewReader(bytes.NewReader(data[offset : offset+length]))
		if err != nil {
			t.Fatal(err)
		}
		block, err := io.ReadAll(z)
		if err != nil || !strings.HasPrefix(string(block), part[0]+" ") {
			t.Fatalf("the block of %s begins with %.60q: %v", part[0], block, err)
		}
		for entry := range strings.Lines(string(block)) {
			key, _, _ := strings.Cut(entry, " ")
			found[key]++
		}
	}
	if !maps.Equal(found, want) {
		t.Errorf("the CDX index knows %d keys, the crawl %d", len(found), len(want))
	}
}
