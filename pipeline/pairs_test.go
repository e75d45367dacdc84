package pipeline

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"mmc4/internal/imaging"
	"mmc4/internal/storage"
	"mmc4/schemas"

	"github.com/parquet-go/parquet-go"
)

// pairsConfig writes lists in all forms about the world's pictures, and gives the config of a run over them. rows is
// the number of rows in each.
func (w *world) pairsConfig(t testing.TB, out string, rows int) Config {
	type row struct {
		URL  *string `parquet:"URL,optional"`
		Text *string `parquet:"TEXT,optional"`
	}
	var table []row
	var jsonl, csv strings.Builder
	csv.WriteString("caption,url,license\n")
	for i := range rows {
		url := fmt.Sprintf("http://host%d.test/%s-%d", i%5, []string{"img", "large", "missing", "broken", "small", "banner", "same"}[i%7], i)
		text := fmt.Sprintf("caption %d, \"of\" a picture", i)
		line := map[string]any{"url": url + "#top", "TEXT": text, "n": i}
		switch i % 13 {
		case 9:
			line["url"] = nil
		case 10:
			line["TEXT"] = " "
		case 11:
			line["url"] = "ftp://host.test/x.png"
		}
		data, _ := json.Marshal(line)
		jsonl.Write(append(data, '\n'))
		if i%17 == 5 {
			jsonl.WriteString("{broken\n")
		}
		fmt.Fprintf(&csv, "\"%s\",%s,cc0\n", strings.ReplaceAll(text, `"`, `""`), url)
		r := row{URL: &url}
		if i%6 != 0 {
			r.Text = &text
		}
		table = append(table, r)
	}
	path := func(name string) string { return filepath.Join(w.dir, "lists", name) }
	w.save(t, "lists/b.jsonl.gz", []byte(jsonl.String()), true)
	w.save(t, "lists/c.csv", []byte(csv.String()), false)
	if err := parquet.WriteFile(path("a.parquet"), table); err != nil {
		t.Fatal(err)
	}
	cfg := w.config(out)
	cfg.C4, cfg.WAT, cfg.Pairs = nil, nil, []string{w.dir + "/lists/*"}
	return cfg
}

// pairsProduct reads the files of a run over lists that must not depend on anything but the input.
func pairsProduct(t testing.TB, out string) map[string]string {
	t.Helper()
	got := product(t, out)
	for _, pattern := range []string{"pairs/*", "webdataset/*"} {
		names, _ := filepath.Glob(filepath.Join(out, pattern))
		if len(names) == 0 {
			t.Fatal("the run has no", pattern)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got[name[len(out):]] = string(data)
		}
	}
	return got
}

// TestPairs builds from lists and checks that every row is accounted for, in both forms.
func TestPairs(t *testing.T) {
	w := newWorld(t, 1)
	out := t.TempDir()
	cfg := w.pairsConfig(t, out, 60)
	cfg.Embedder = nil
	cfg.Settings.Pairs.MinSide, cfg.Settings.Pairs.MaxAspect = 100, 2
	s, _ := build(t, cfg)
	if !s.Complete || !s.OverPairs || s.Pairs == 0 {
		t.Fatalf("%+v", s)
	}
	pairs := readTable[schemas.Pair](t, out, "pairs")
	rules := map[string]int64{}
	for _, r := range readTable[schemas.Reject](t, out, "rejects") {
		rules[r.Rule]++
		if r.Rule == schemas.RuleFetch && (r.ImageURL == nil || strings.Contains(*r.ImageURL, "#") || r.DocID == nil) {
			t.Errorf("%+v", r)
		}
	}
	rows := int64(3*60 + 4) // 4 broken lines of JSON
	for _, rule := range PairRules {
		if rules[rule] == 0 && rule != schemas.RuleSimilarity || s.Counts["rejects."+rule] != rules[rule] {
			t.Errorf("%s: %d rows, the counts say %d", rule, rules[rule], s.Counts["rejects."+rule])
		}
		rows -= rules[rule]
	}
	if last := s.Funnel[len(s.Funnel)-1]; rows != int64(len(pairs)) || rows != s.Pairs || last.Reached-last.Left != rows {
		t.Errorf("%d pairs, %d rows left over, the summary says %d; funnel %+v", len(pairs), rows, s.Pairs, s.Funnel)
	}
	tars := readTars(t, out)
	ids, lists := map[string]bool{}, map[string]int{}
	for _, p := range pairs {
		if ids[p.PairID] {
			t.Errorf("%s stands twice", p.PairID)
		}
		ids[p.PairID], lists[p.ListFile] = true, lists[p.ListFile]+1
		var about schemas.Pair
		if err := json.Unmarshal([]byte(tars[p.PairID+".json"]), &about); err != nil || about.URL != p.URL || about.ListRow != p.ListRow || about.Width != p.Width {
			t.Errorf("%s: %+v, %v", p.PairID, about, err)
		}
		picture := p.PairID + filepath.Ext(p.ImageName)
		if len(p.Bytes) == 0 || tars[picture] != string(p.Bytes) || tars[p.PairID+".txt"] != p.Caption || p.Similarity != nil {
			t.Errorf("%s: the tar has another picture or caption", p.PairID)
		}
		if large := strings.Contains(p.URL, "large"); large != (p.Width == 800) || large != (filepath.Ext(p.ImageName) == ".jpg") {
			t.Errorf("%s is %d wide in %s", p.URL, p.Width, p.ImageName)
		}
	}
	if len(tars) != 3*len(pairs) || len(lists) != 3 {
		t.Errorf("%d members of tars for %d pairs of %v", len(tars), len(pairs), lists)
	}
}

// readTars reads all members of a run's tars.
func readTars(t testing.TB, out string) map[string]string {
	all := map[string]string{}
	names, _ := filepath.Glob(filepath.Join(out, "webdataset", "part-*.tar"))
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for r := tar.NewReader(f); ; {
			h, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			data, _ := io.ReadAll(r)
			all[h.Name] = string(data)
		}
	}
	return all
}

// TestPairsSameBytes: workers, partitions, deaths, slices and S3 do not show in the product.
func TestPairsSameBytes(t *testing.T) {
	w := newWorld(t, 1)
	first := t.TempDir()
	cfg := w.pairsConfig(t, first, 40)
	cfg.Workers, cfg.ClipName = 1, "fake"
	s, _ := build(t, cfg)
	if s.Counts["pairs.embedded"] == 0 || s.Counts["rejects.similarity"] == 0 || s.Pairs == 0 {
		t.Fatalf("%+v", s)
	}
	want := pairsProduct(t, first)
	for _, p := range readTable[schemas.Pair](t, first, "pairs") {
		if p.Similarity == nil || *p.Similarity < 0.15 {
			t.Errorf("%s: %v", p.URL, p.Similarity)
		}
	}
	for _, workers := range []int{2, 7} {
		cfg := cfg
		cfg.Out, cfg.Workers, cfg.Memory = t.TempDir(), workers, 8<<20
		build(t, cfg)
		sameProduct(t, fmt.Sprint(workers, " workers"), pairsProduct(t, cfg.Out), want)
	}
	sliced := cfg
	sliced.Out, sliced.Slices = t.TempDir(), 3
	for _, stage := range []string{"locate", "fetch", "inspect", "embed", "match", "pack"} {
		for i := range 3 {
			sliced.Stage, sliced.Slice = stage, i+1
			build(t, sliced)
		}
	}
	sameProduct(t, "slices", pairsProduct(t, sliced.Out), want)

	ctx := context.Background()
	remote := cfg
	remote.Out, remote.Storage = "s3://bucket/run", startS3(t)
	build(t, remote)
	store, err := storage.Open(ctx, remote.Out, remote.Storage)
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range want {
		if got, err := storage.ReadFile(ctx, store, strings.TrimPrefix(name, "/")); err != nil || string(got) != data {
			t.Errorf("S3: %s differs: %v", name, err)
		}
	}

	deaths := &atomic.Int64{}
	withStore(t, func(s storage.Store) storage.Store { return &dying{s, deaths, false} })
	for range 4 {
		cfg := cfg
		cfg.Out = t.TempDir()
		at := 1 + rand.Int64N(30)
		deaths.Store(at)
		if _, err := Build(ctx, cfg, nil); !errors.Is(err, errDead) {
			t.Fatal(at, err)
		}
		deaths.Store(1 << 30)
		build(t, cfg)
		sameProduct(t, fmt.Sprint("death at change ", at), pairsProduct(t, cfg.Out), want)
	}
}

// TestPairsForms: where the pictures are put, and a threshold that is changed without asking the network.
func TestPairsForms(t *testing.T) {
	w := newWorld(t, 1)
	first := w.pairsConfig(t, t.TempDir(), 20)
	build(t, first)
	tars := readTars(t, first.Out)
	for _, c := range []struct {
		images, form       string
		bytes, tars, files bool
	}{{"bytes", "parquet", true, false, false}, {"bytes", "webdataset", false, true, false}, {"files", "", false, true, true}, {"none", "", false, false, false}} {
		cfg := first
		cfg.Out, cfg.From = t.TempDir(), first.Out
		cfg.Settings.Images, cfg.Settings.Pairs.Form = c.images, c.form
		w.mu.Lock()
		clear(w.asked)
		w.mu.Unlock()
		build(t, cfg)
		if len(w.asked) > 0 {
			t.Errorf("%+v: the network was asked again: %v", c, w.asked)
		}
		for _, p := range readTable[schemas.Pair](t, cfg.Out, "pairs") {
			if c.bytes != (len(p.Bytes) > 0) {
				t.Errorf("%+v: %d bytes", c, len(p.Bytes))
			}
			if _, err := os.Stat(filepath.Join(cfg.Out, "files", p.ImageName)); c.files != (err == nil) {
				t.Errorf("%+v: %v", c, err)
			}
		}
		if got := readTars(t, cfg.Out); c.tars && !maps.Equal(got, tars) || !c.tars && len(got) > 0 {
			t.Errorf("%+v: %d members of tars", c, len(got))
		}
	}
	scored := first
	scored.Out, scored.Settings.Match.MinSimilarity = t.TempDir(), -1
	low, _ := build(t, scored)
	strict := scored
	strict.Out, strict.From, strict.Settings.Match.MinSimilarity = t.TempDir(), scored.Out, 0.3
	strict.Embedder = failingEmbedder{fakeEmbedder{"a", "cpu"}}
	high, _ := build(t, strict)
	if low.Pairs <= high.Pairs || low.Pairs != high.Pairs+high.Counts["rejects.similarity"] {
		t.Errorf("%d pairs, %d under a higher threshold", low.Pairs, high.Pairs)
	}
}

// TestPairsBadInput: damaged lists are named problems, wrong usage is refused.
func TestPairsBadInput(t *testing.T) {
	w := newWorld(t, 1)
	cfg := w.pairsConfig(t, t.TempDir(), 20)
	w.save(t, "lists/d.parquet", []byte("PAR1 and no more PAR1"), false)
	w.save(t, "lists/e.csv", []byte("link,words\nx,y\n"), false)
	w.save(t, "lists/f.doc", []byte("x"), false)
	w.save(t, "lists/g.jsonl.gz", []byte("\x1f\x8b\x08\x00\x00"), false)
	cfg.Embedder = nil
	s, err := Build(context.Background(), cfg, nil)
	if !errors.Is(err, ErrPartial) || !s.Complete || len(s.Problems) != 4 || s.Pairs == 0 {
		t.Errorf("%v: %+v", err, s.Problems)
	}
	for what, change := range map[string]func(*Config){
		"--pairs and --c4":    func(c *Config) { c.C4 = []string{"x"} },
		"--pairs and --wat":   func(c *Config) { c.WAT = []string{"x"} },
		"--nsfw":              func(c *Config) { c.NSFW = "x" },
		"no such stage":       func(c *Config) { c.Stage = "count" },
		"without --clip":      func(c *Config) { c.Stage = "embed" },
		"pairs.score needs":   func(c *Config) { c.Settings.Pairs.Score = true },
		"pairs.max_aspect is": func(c *Config) { c.Settings.Pairs.MaxAspect = 0.5 },
		"pairs.form is":       func(c *Config) { c.Settings.Pairs.Form = "zip" },
		"no file matches":     func(c *Config) { c.Pairs = []string{w.dir + "/none/*"} },
		"--c4 is missing":     func(c *Config) { c.Pairs = nil },
		"--wat is missing":    func(c *Config) { c.Pairs, c.C4 = nil, []string{"x"} },
	} {
		cfg := w.pairsConfig(t, t.TempDir(), 1)
		cfg.Embedder = nil
		change(&cfg)
		if _, err := Build(context.Background(), cfg, nil); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	cfg = w.pairsConfig(t, cfg.Out, 20) // begun without a model
	if _, err := Build(context.Background(), cfg, nil); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "pairs") {
		t.Error(err)
	}
}

// failingEmbedder is a model that must not be asked.
type failingEmbedder struct{ fakeEmbedder }

func (failingEmbedder) EncodeImages(context.Context, []*imaging.RGB) ([][]float32, error) {
	return nil, errors.New("the model was asked")
}
