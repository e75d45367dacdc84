package report_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/crawl/fetch"
	"mmc4/pipeline"
	"mmc4/pipeline/internal/smallrun"
)

// TestPairs: the report of a run over a list shows the pairs, and what they say stays text.
func TestPairs(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			http.NotFound(rw, r)
			return
		}
		rw.Write(smallrun.Picture(uint64(len(r.URL.Path)), 160, 120))
	}))
	defer web.Close()
	dir := t.TempDir()
	list := "url,caption\n"
	for i := range 5 {
		list += fmt.Sprintf("http://a.test/%s.png,\"%s\"\n", strings.Repeat("x", i+1), strings.ReplaceAll(hostile, `"`, `""`))
	}
	if err := os.WriteFile(filepath.Join(dir, "list.csv"), []byte(list), 0o666); err != nil {
		t.Fatal(err)
	}
	rule, err := fetch.ParseConnectTo("a.test:80:" + strings.TrimPrefix(web.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := pipeline.Config{Pairs: []string{dir + "/list.csv"}, Out: dir + "/run", Settings: pipeline.DefaultSettings(),
		Fetch: fetch.Options{ConnectTo: []fetch.ConnectRule{rule}}}
	cfg.Settings.Network.PerHostRate = 1000
	if _, err := pipeline.Build(t.Context(), cfg, nil); err != nil {
		t.Fatal(err)
	}
	page := render(t, cfg.Out)
	if n := bytes.Count(page, []byte(`src="data:image/jpeg`)); n != 5 || !bytes.Contains(page, []byte("<h2>5 pairs</h2>")) || bytes.Contains(page, []byte("<script>")) {
		t.Errorf("%d pictures", n)
	}
	if bytes.Contains(page, []byte("ZgotmplZ")) || bytes.Contains(page, []byte("Sentences per document")) {
		t.Error("the page is not that of pairs")
	}
}
