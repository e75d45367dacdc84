package pipeline

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

func build(t testing.TB, cfg Config) (Summary, *listener) {
	t.Helper()
	l := &listener{}
	s, err := Build(context.Background(), cfg, l)
	if err != nil {
		t.Fatal(err)
	}
	return s, l
}

func readTable[T any](t testing.TB, out, table string) (rows []T) {
	t.Helper()
	names, _ := filepath.Glob(filepath.Join(out, table, "*.parquet"))
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, _ := f.Stat()
		r, err := schemas.NewReader[T](f, info.Size())
		if err != nil {
			t.Fatal(err)
		}
		for row, err := range r.All() {
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, *row)
		}
	}
	return rows
}

// TestBuild builds the little world and checks that everything is accounted for.
func TestBuild(t *testing.T) {
	w := newWorld(t, 120)
	out := t.TempDir()
	s, l := build(t, w.config(out))
	if !s.Complete || s.Documents == 0 {
		t.Fatalf("%+v", s)
	}
	docs := readTable[schemas.Document](t, out, "docs")
	kept := map[string]int{}
	for i := range docs {
		d := &docs[i]
		if err := d.Validate(); err != nil {
			t.Error(err)
		}
		kept[d.URL]++
		for _, m := range d.ImageInfo {
			if len(m.Bytes) == 0 || max(m.Width, m.Height) > 800 {
				t.Errorf("%s: %d bytes, %d x %d", m.RawURL, len(m.Bytes), m.Width, m.Height)
			}
			if strings.Contains(m.RawURL, "large") && (m.Width != 800 || m.OriginalWidth != 900 || m.MediaType != "image/jpeg" || !strings.HasSuffix(m.ImageName, ".jpg")) {
				t.Errorf("%s was not shrunk: %d of %d, %s %s", m.RawURL, m.Width, m.OriginalWidth, m.MediaType, m.ImageName)
			}
		}
	}
	rules := map[string]int64{}
	for _, r := range readTable[schemas.Reject](t, out, "rejects") {
		rules[r.Rule]++
		if r.Rule == schemas.RuleNoImage || r.Rule == schemas.RuleNoPage {
			kept[*r.URL]++
		}
	}
	for _, rule := range []string{"bad_candidate", "extension", "url_token", "fetch", "min_side", "aspect", "duplicate_in_corpus", "bad_record", "no_page"} {
		if rules[rule] == 0 {
			t.Errorf("no reject by %s", rule)
		}
		if s.Counts["rejects."+rule] != rules[rule] {
			t.Errorf("%s: %d rows, the counts say %d", rule, rules[rule], s.Counts["rejects."+rule])
		}
	}
	images := int64(0)
	for _, step := range s.Funnel {
		if step.Rule == schemas.RuleSimilarity {
			images = step.Reached - step.Left
		}
	}
	if images != s.Images || s.Counts["documents.lines"] != s.Counts["documents.kept"]+rules["bad_record"]+rules["no_page"]+rules["no_image"] {
		t.Errorf("the funnel does not add up: %+v", s)
	}
	for url, n := range w.asked {
		if n > 1 && !strings.HasSuffix(url, "robots.txt") {
			t.Errorf("%s was asked %d times", url, n)
		}
	}
	rows := readTable[schemas.ImageRow](t, out, "images")
	seen := map[string]bool{}
	for _, r := range rows {
		if seen[r.ImageURL] {
			t.Errorf("%s has two rows", r.ImageURL)
		}
		seen[r.ImageURL] = true
	}
	ended := 0
	for _, u := range l.updates {
		if u.Ended {
			ended++
		}
	}
	if ended != len(phases(byWAT)) {
		t.Errorf("%d phases ended", ended)
	}
	store, _ := storage.Open(context.Background(), out, storage.Options{})
	m, err := ReadManifest(context.Background(), store)
	if err != nil || len(m.Outputs) != 9 {
		t.Error(err, m)
	}
	// Again: nothing is done, nothing changes.
	before := product(t, out)
	asked := len(w.asked)
	build(t, w.config(out))
	sameProduct(t, "again", product(t, out), before)
	if len(w.asked) != asked {
		t.Error("the network was asked again")
	}
}

// TestDeletedProduct: files of the product that were deleted are made anew while the work is there, and named when it is not.
func TestDeletedProduct(t *testing.T) {
	w := newWorld(t, 60)
	out := t.TempDir()
	build(t, w.config(out))
	before := product(t, out)
	for _, table := range []string{"docs", "rejects", "images"} {
		if err := os.Remove(filepath.Join(out, table, "part-00001.parquet")); err != nil {
			t.Fatal(err)
		}
	}
	_, l := build(t, w.config(out))
	if said := strings.Join(l.notes, "\n"); !strings.Contains(said, "part-00001.parquet is gone") {
		t.Errorf("nothing was said: %s", said)
	}
	sameProduct(t, "made anew", product(t, out), before)
	// Without what it is made from it cannot be; the advice helps.
	for _, gone := range []string{filepath.Join("work", fetchImages.name), filepath.Join("docs", "part-00000.parquet")} {
		if err := os.RemoveAll(filepath.Join(out, gone)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Build(context.Background(), w.config(out), nil); !errors.Is(err, errDamagedShard) || !strings.Contains(err.Error(), "work/journal") {
		t.Errorf("without the pictures: %v", err)
	}
	later := false
	for _, p := range phases(byWAT) {
		if later = later || p == fetchImages; !later {
			continue
		}
		if err := os.RemoveAll(filepath.Join(out, "work", "journal", p.name)); err != nil {
			t.Fatal(err)
		}
	}
	build(t, w.config(out))
	sameProduct(t, "fetched anew", product(t, out), before)
	cfg := w.config(out)
	cfg.Clean = true
	build(t, cfg)
	gone := filepath.Join(out, "docs", "part-00000.parquet")
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	if _, err := Build(context.Background(), cfg, nil); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), gone) || !strings.Contains(err.Error(), "--out") {
		t.Errorf("a file that is gone for good: %v", err)
	}
}

// TestSameBytesForAnyWorkers: the product does not depend on the workers, the memory or the partitions of the shuffles.
func TestSameBytesForAnyWorkers(t *testing.T) {
	w := newWorld(t, 60)
	first := t.TempDir()
	cfg := w.config(first)
	cfg.Workers = 1
	build(t, cfg)
	want := product(t, first)
	for _, v := range []struct {
		what       string
		workers    int
		memory     int64
		partitions int
	}{{"two workers", 2, 0, 4}, {"seven workers", 7, 0, 4}, {"little memory", 3, 16 << 10, 4}, {"more partitions", 3, 0, 11}} {
		out := t.TempDir()
		cfg := w.config(out)
		cfg.Workers, cfg.Memory, cfg.Settings.Partitions = v.workers, v.memory, v.partitions
		build(t, cfg)
		sameProduct(t, v.what, product(t, out), want)
	}
}

func TestImageModes(t *testing.T) {
	w := newWorld(t, 30)
	out := t.TempDir()
	cfg := w.config(out)
	cfg.Settings.Images, cfg.Settings.Resize = "files", "128"
	cfg.Clean = true
	build(t, cfg)
	docs := readTable[schemas.Document](t, out, "docs")
	for _, d := range docs {
		for _, m := range d.ImageInfo {
			if info, err := os.Stat(filepath.Join(out, "files", m.ImageName)); err != nil || m.Bytes != nil || max(m.Width, m.Height) > 128 || info.Size() == 0 {
				t.Error(m.ImageName, err, m.Width, m.Height)
			}
		}
	}
	if _, err := os.Stat(filepath.Join(out, "work")); !errors.Is(err, os.ErrNotExist) {
		t.Error("the work folder is still there", err)
	}
	s, l := build(t, cfg)
	if !s.Complete || s.Images == 0 || len(l.updates) > 0 {
		t.Error("a complete and cleaned run was not recognised", s)
	}
	cfg.Embedder = fakeEmbedder{"b", "cpu"}
	if _, err := Build(context.Background(), cfg, nil); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), "another CLIP model") {
		t.Error(err)
	}
	cfg.Settings.Images = "none"
	if _, err := Build(context.Background(), cfg, nil); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), `images: the run has "files", now "none"`) {
		t.Error(err)
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, 30)
	out := t.TempDir()
	build(t, w.config(out))
	ctx := context.Background()
	refusedFor := func(change func(*Config), want string) {
		t.Helper()
		cfg := w.config(out)
		change(&cfg)
		if _, err := Build(ctx, cfg, nil); !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), want) {
			t.Errorf("want a refusal with %q, got %v", want, err)
		}
	}
	refusedFor(func(c *Config) { c.Settings.Match.MinSimilarity = 0.3 }, "match.min_similarity: the run has 0.15, now 0.3")
	refusedFor(func(c *Config) { c.Settings.Dedup.URLTokens = []string{"x"} }, "dedup.url_tokens")
	refusedFor(func(c *Config) { c.C4 = c.C4[:1]; c.C4[0] = w.dir + "/c4/*0.json.gz" }, "is not given any more")
	refusedFor(func(c *Config) { c.Embedder, c.AllowProfileChange = fakeEmbedder{"b", "cpu"}, true }, "another CLIP model")
	cfg := w.config(out)
	cfg.Workers, cfg.Memory, cfg.Settings.Network.PerHost = 5, 1<<30, 3
	build(t, cfg) // means may change

	store, _ := storage.Open(ctx, out, storage.Options{})
	if err := store.Remove(ctx, entryName("embed.images", 0)); err != nil {
		t.Fatal(err)
	}
	refusedFor(func(c *Config) { c.Embedder = fakeEmbedder{"a", "cuda"} }, `device: was "cpu", now "cuda"`)
	refusedFor(func(c *Config) { c.Embedder, c.AllowProfileChange = fakeEmbedder{"b", "cpu"}, true }, "another CLIP model")
	cfg = w.config(out)
	cfg.Embedder, cfg.AllowProfileChange = fakeEmbedder{"a", "cuda"}, true
	build(t, cfg)
	if m, err := ReadManifest(ctx, store); err != nil || len(m.ProfileChanges) != 1 || m.Profile.Clip != "fake a" || m.Profile.Device != "cuda" {
		t.Error(err, m.ProfileChanges)
	}

	unlock, err := lockFile(out, true)
	if err != nil {
		t.Fatal(err)
	}
	refusedFor(func(*Config) {}, "is in use by process")
	unlock()

	for want, change := range map[string]func(*Config){
		"--clip demo":            func(c *Config) { c.Embedder = nil },
		"--c4 is missing":        func(c *Config) { c.C4 = nil },
		"no file matches":        func(c *Config) { c.C4 = []string{w.dir + "/nothing/*.gz"}; c.Out = t.TempDir() },
		"there is no such stage": func(c *Config) { c.Stage = "cook" },
		"--slice 4/3":            func(c *Config) { c.Stage, c.Slice, c.Slices = "fetch", 4, 3 },
	} {
		cfg := w.config(out)
		change(&cfg)
		if _, err := Build(ctx, cfg, nil); !errors.Is(err, ErrUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("want wrong usage with %q, got %v", want, err)
		}
	}
}

// TestUnreadableInputs: truncated and missing files are named, the rest is built.
func TestUnreadableInputs(t *testing.T) {
	w := newWorld(t, 60)
	path := filepath.Join(w.dir, "c4/c4-train.00001.json.gz")
	data, _ := os.ReadFile(path)
	os.WriteFile(path, data[:len(data)/2], 0o666)
	wat := filepath.Join(w.dir, "crawl-data/CC-MAIN-2099-01/segments/1/wat/x-2.warc.wat.gz")
	data, _ = os.ReadFile(wat)
	os.WriteFile(wat, data[:len(data)*2/3], 0o666)
	out := t.TempDir()
	cfg := w.config(out)
	cfg.WAT = append(cfg.WAT, w.dir+"/crawl-data/absent.warc.wat.gz")
	s, err := Build(context.Background(), cfg, nil)
	if !errors.Is(err, ErrPartial) || !s.Complete || s.Documents == 0 || len(s.Problems) != 3 {
		t.Fatal(err, s.Problems)
	}
	for _, name := range []string{"c4-train.00001", "x-2.warc.wat.gz", "absent"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named: %v", name, err)
		}
	}
	if _, err := Build(context.Background(), cfg, nil); !errors.Is(err, ErrPartial) {
		t.Error("a second run forgot the problems:", err)
	}
}

func TestOffline(t *testing.T) {
	w := newWorld(t, 30)
	out := t.TempDir()
	cfg := w.config(out)
	cfg.Offline = true
	if _, err := Build(context.Background(), cfg, nil); err == nil || !strings.Contains(err.Error(), "--offline") {
		t.Error(err)
	}
	cfg.Offline = false
	build(t, cfg)
	want := product(t, out)
	os.RemoveAll(filepath.Join(out, "docs"))
	os.RemoveAll(filepath.Join(out, "work/journal/fetch"))
	os.RemoveAll(filepath.Join(out, "work/journal/pack"))
	w.server.Close()
	cfg.Offline = true
	build(t, cfg)
	sameProduct(t, "offline", product(t, out), want)
}

// TestFrom changes settings of a run: what they do not touch is taken over, and the product is that of a fresh build.
func TestFrom(t *testing.T) {
	w := newWorld(t, 25)
	first := t.TempDir()
	build(t, w.config(first))
	for set, want := range map[string]string{"match.min_similarity=0.5": "match", "dedup.corpus_max=3": "count", "dedup.min_side=30": "inspect",
		"resize=100": "pack", "candidates=src": "pack", "dedup.url_tokens=[logo]": "locate",
		"dedup.url_tokens=[logo, small]": "locate"} {
		fresh, changed := t.TempDir(), t.TempDir()
		cfg := w.config(fresh)
		if err := cfg.Settings.Set(set); err != nil {
			t.Fatal(err)
		}
		build(t, cfg)
		cfg.Out, cfg.From = changed, first
		cfg.Offline = want != "locate"
		w.mu.Lock()
		clear(w.asked)
		w.mu.Unlock()
		_, l := build(t, cfg)
		sameProduct(t, set, product(t, changed), product(t, fresh))
		if got, want := len(readTable[schemas.ImageRow](t, changed, "images")), len(readTable[schemas.ImageRow](t, fresh, "images")); got != want {
			t.Errorf("%s: %d images, want %d", set, got, want)
		}
		if begun := l.updates[0].Stage; begun != want {
			t.Errorf("%s: begun at %s, want %s", set, begun, want)
		}
		for url := range w.asked {
			if !strings.Contains(url, "logo") && !strings.HasSuffix(url, "robots.txt") {
				t.Errorf("%s: %s was asked again", set, url)
			}
		}
	}
	cfg := w.config(t.TempDir())
	cfg.From = t.TempDir()
	if _, err := Build(context.Background(), cfg, nil); !errors.Is(err, ErrUsage) {
		t.Error(err)
	}
}
