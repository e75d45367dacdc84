package demo

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
