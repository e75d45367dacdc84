package audit_test

import (
	"archive/tar"
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
	"mmc4/pipeline/audit"
	"mmc4/pipeline/internal/smallrun"
)

// pairsRun builds a run over a list.
func pairsRun(t *testing.T, change func(*pipeline.Config)) string {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		var n uint64
		switch _, err := fmt.Sscanf(r.URL.Path, "/%d.png", &n); {
		case err != nil || n%5 == 4:
			http.NotFound(rw, r)
		case n%5 == 3:
			rw.Write(smallrun.Picture(n, 900, 300))
		default:
			rw.Write(smallrun.Picture(n, 160, 120))
		}
	}))
	defer web.Close()
	dir := t.TempDir()
	list := "url,caption\nftp://a.test/,no\n"
	for i := range 25 {
		list += fmt.Sprintf("http://a.test/%d.png,%s\n", i, strings.Repeat("x", i%6))
	}
	if err := os.WriteFile(filepath.Join(dir, "list.csv"), []byte(list), 0o666); err != nil {
		t.Fatal(err)
	}
	rule, err := fetch.ParseConnectTo("a.test:80:" + strings.TrimPrefix(web.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := pipeline.Config{Pairs: []string{dir + "/*.csv"}, Out: dir + "/run", Settings: pipeline.DefaultSettings(), Fetch: fetch.Options{ConnectTo: []fetch.ConnectRule{rule}}}
	cfg.Settings.Parts, cfg.Settings.Network.PerHostRate = 2, 10000
	if change != nil {
		change(&cfg)
	}
	if _, err := pipeline.Build(t.Context(), cfg, quiet{}); err != nil {
		t.Fatal(err)
	}
	return cfg.Out
}

func TestVerifyPairs(t *testing.T) {
	for name, change := range map[string]func(*pipeline.Config){
		"plain":      nil,
		"scored":     func(c *pipeline.Config) { c.Embedder, c.Settings.Resize = alike{}, "100" },
		"limits":     func(c *pipeline.Config) { c.Settings.Pairs.MinSide, c.Settings.Pairs.MaxAspect = 130, 2 },
		"files":      func(c *pipeline.Config) { c.Settings.Images = "files" },
		"none":       func(c *pipeline.Config) { c.Settings.Images = "none" },
		"parquet":    func(c *pipeline.Config) { c.Settings.Pairs.Form = "parquet" },
		"webdataset": func(c *pipeline.Config) { c.Settings.Pairs.Form = "webdataset" },
	} {
		run := pairsRun(t, change)
		if v := verify(t, run); !v.OK || v.Pairs == 0 && name != "limits" || v.Rejects == 0 {
			t.Errorf("%s: %+v", name, v)
		}
	}
}

// TestPairsDamage: a tar that says something else than the table.
func TestPairsDamage(t *testing.T) {
	run := pairsRun(t, nil)
	name := filepath.Join(run, "webdataset", "part-00000.tar")
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func([]byte) []byte{
		"another caption": func(b []byte) []byte { return bytes.Replace(b, []byte("xxx"), []byte("xyx"), 2) },
		"ends before":     func([]byte) []byte { return make([]byte, 1024) },
		"stands where":    func(b []byte) []byte { return retar(t, b, func(h *tar.Header) { h.Name = "x" + h.Name }) },
	} {
		if err := os.WriteFile(name, change(data), 0o666); err != nil {
			t.Fatal(err)
		}
		v := verify(t, run)
		if found := fmt.Sprint(v.Problems); v.OK || !strings.Contains(found, what) {
			t.Errorf("%s: %s", what, found)
		}
	}
}

func retar(t *testing.T, data []byte, change func(*tar.Header)) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for r := tar.NewReader(bytes.NewReader(data)); ; {
		h, err := r.Next()
		if err != nil {
			break
		}
		change(h)
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		var body bytes.Buffer
		body.ReadFrom(r)
		w.Write(body.Bytes())
	}
	w.Close()
	return out.Bytes()
}

func TestExplainPairs(t *testing.T) {
	run := pairsRun(t, func(c *pipeline.Config) { c.Settings.Pairs.MaxAspect = 2 })
	e, err := explain(t, run)
	if err != nil {
		t.Fatal(err)
	}
	var words bytes.Buffer
	if err := audit.WriteExplanation(&words, e, 10); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"pairs, rows of the lists", "26", "http_404", "no caption", "scheme", "--set pairs.max_aspect=3", "off: similarity"} {
		if !strings.Contains(words.String(), want) {
			t.Errorf("no %q in\n%s", want, words.String())
		}
	}
	if strings.Contains(words.String(), "documents") || e.Images.In != 26 {
		t.Errorf("%s", words.String())
	}
}
