package audit_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/internal/storage"
	"mmc4/pipeline"
	"mmc4/pipeline/audit"
	"mmc4/pipeline/internal/smallrun"
	"mmc4/schemas"
)

func verify(t *testing.T, dir string) *audit.Verdict {
	t.Helper()
	v, err := audit.Verify(t.Context(), storage.NewFolder(dir), audit.Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func explain(t *testing.T, dir string) (*audit.Explanation, error) {
	t.Helper()
	m, err := audit.ReadManifest(t.Context(), storage.NewFolder(dir))
	if err != nil {
		t.Fatal(err)
	}
	return audit.Explain(t.Context(), storage.NewFolder(dir), m)
}

func TestGoodRun(t *testing.T) {
	dir := smallrun.Write(t, nil, nil)
	v := verify(t, dir)
	if !v.OK || v.Documents != 6 || v.Images != 12 || v.Files != 6 {
		t.Errorf("%+v", v)
	}
	os.Mkdir(filepath.Join(dir, "work"), 0o777)
	os.WriteFile(filepath.Join(dir, "work/run.json"), []byte("x"), 0o666) // need not be in the manifest
	if v := verify(t, dir); !v.OK {
		t.Error(v.Problems)
	}
}

// TestEveryChangeIsFound changes one thing at a time, with a manifest that fits the changed files.
func TestEveryChangeIsFound(t *testing.T) {
	reject := func(w *smallrun.Tables, rule string) *schemas.Reject {
		for i := range w.Rejects {
			if w.Rejects[i].Rule == rule {
				return &w.Rejects[i]
			}
		}
		panic(rule)
	}
	f := func(v float64) *float64 { return &v }
	for _, c := range []struct {
		name, want string
		change     func(*smallrun.Tables)
	}{
		{"doc_id", "doc_id should be", func(w *smallrun.Tables) { w.Docs[0].DocID = "0123456789abcdef" }},
		{"index", "is matched to sentence 7 of 3", func(w *smallrun.Tables) { w.Docs[0].ImageInfo[0].MatchedTextIndex = 7 }},
		{"similarity", "the matrix has", func(w *smallrun.Tables) { w.Docs[0].ImageInfo[0].MatchedSim = 0.9 }},
		{"assignment", "the assignment is", func(w *smallrun.Tables) {
			for i := range 2 {
				w.Docs[0].ImageInfo[i].MatchedTextIndex, w.Docs[0].ImageInfo[i].MatchedSim = 1, w.Docs[0].SimilarityMatrix[i][1]
			}
		}},
		{"below the limit", "rule similarity rejects it", func(w *smallrun.Tables) {
			d := &w.Docs[0]
			d.ImageInfo, d.SimilarityMatrix = d.ImageInfo[:1], [][]float32{{0.1, 0.01, 0.02}}
			d.ImageInfo[0].MatchedTextIndex, d.ImageInfo[0].MatchedSim = 0, 0.1
		}},
		{"size", "rule min_side rejects it", func(w *smallrun.Tables) { w.Docs[0].ImageInfo[0].OriginalHeight = 149 }},
		{"bytes", "do not decode", func(w *smallrun.Tables) { w.Docs[0].ImageInfo[0].Bytes = []byte("no picture") }},
		{"no bytes", "it has no bytes", func(w *smallrun.Tables) { w.Docs[0].ImageInfo[0].Bytes = nil }},
		{"other bytes", "its bytes are image/png of 300 x 200", func(w *smallrun.Tables) { w.Docs[0].ImageInfo[0].Bytes = smallrun.Picture(9, 300, 200) }},
		{"encoded", "could be kept", func(w *smallrun.Tables) { w.Docs[0].ImageInfo[0].Bytes = smallrun.Picture(9, 160, 150) }},
		{"phash", "its perceptual hash is", func(w *smallrun.Tables) { w.Docs[0].ImageInfo[0].PHash = "00000000000000ff" }},
		{"duplicate", "which is a duplicate", func(w *smallrun.Tables) { w.Docs[0].ImageInfo[1].PHash = w.Docs[0].ImageInfo[0].PHash }},
		{"name", "image_name is", func(w *smallrun.Tables) { w.Docs[0].ImageInfo[0].ImageName = "x.png" }},
		{"nsfw", "if and only if", func(w *smallrun.Tables) { w.Docs[0].ImageInfo[0].NSFW = new(float32) }},
		{"route", "page.route", func(w *smallrun.Tables) { w.Docs[0].Page.Route = "air" }},
		{"no row", "has no row in images", func(w *smallrun.Tables) { w.Images = w.Images[1:] }},
		{"no use", "nothing uses", func(w *smallrun.Tables) {
			w.Images = append(w.Images, schemas.ImageRow{ImageURL: "http://x.test/a.png", Outcome: "dns", Attempts: 1})
		}},
		{"outcome", "is not the outcome", func(w *smallrun.Tables) { *reject(w, "fetch").Detail = "dns" }},
		{"no outcome", "is no outcome", func(w *smallrun.Tables) { *reject(w, "fetch").Detail = "bored" }},
		{"rule", `rule "dull" is not known`, func(w *smallrun.Tables) { reject(w, "min_side").Rule = "dull" }},
		{"value", "does not violate", func(w *smallrun.Tables) { reject(w, "min_side").Value = f(200) }},
		{"other value", "the shorter side", func(w *smallrun.Tables) { reject(w, "min_side").Value = f(41) }},
		{"limit", "config says", func(w *smallrun.Tables) { reject(w, "similarity").Limit = f(0.2) }},
		{"extension", "does not reject", func(w *smallrun.Tables) { *reject(w, "extension").ImageURL = "http://x.test/a.png" }},
		{"corpus", "duplicate_in_corpus measured", func(w *smallrun.Tables) {
			r := reject(w, "similarity")
			r.Rule, r.Value, r.Limit = "duplicate_in_corpus", f(11), f(10)
		}},
		{"twice", "stands 2 times", func(w *smallrun.Tables) { w.Rejects = append(w.Rejects, *reject(w, "min_side")) }},
		{"kept and rejected", "stands 2 times", func(w *smallrun.Tables) { *reject(w, "similarity").ImageURL = w.Docs[0].ImageInfo[0].RawURL }},
		{"nobody's", "neither in docs nor rejected", func(w *smallrun.Tables) { w.Docs = w.Docs[1:] }},
		{"lost images", "before its images were looked at", func(w *smallrun.Tables) {
			page := reject(w, "no_page")
			r := reject(w, "min_side")
			r.URL, r.DocID = page.URL, page.DocID
		}},
		{"duplicate flag", "could_have_url_duplicate", func(w *smallrun.Tables) { w.Docs[0].CouldHaveURLDuplicate = 1 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := verify(t, smallrun.Write(t, c.change, nil))
			found := false
			for _, p := range v.Problems {
				found = found || strings.Contains(p.String(), c.want)
			}
			if v.OK || !found {
				t.Errorf("want %q among %v", c.want, v.Problems)
			}
		})
	}
}

func TestFilesAndCounts(t *testing.T) {
	damage := func(change func(*pipeline.Manifest)) string { return smallrun.Write(t, nil, change) }
	flip := func(dir, name string, at int) string {
		path := filepath.Join(dir, name)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		data[(at+len(data))%len(data)] ^= 0x41
		os.WriteFile(path, data, 0o666)
		return dir
	}
	gone := smallrun.Write(t, nil, nil)
	os.Remove(filepath.Join(gone, "images/part-00001.parquet"))
	extra := smallrun.Write(t, nil, nil)
	os.WriteFile(filepath.Join(extra, "docs/part-00002.parquet"), []byte("PAR1"), 0o666)
	for _, c := range []struct{ dir, want string }{
		{damage(func(m *pipeline.Manifest) { m.Counts["documents.lines"]++ }), "documents came in"},
		{damage(func(m *pipeline.Manifest) { m.Counts["candidates.found"]-- }), "candidates came in"},
		{damage(func(m *pipeline.Manifest) { m.Counts["images.http_404"]++ }), `counts["images.http_404"]`},
		{damage(func(m *pipeline.Manifest) { m.Counts["images.http_418"] = 7 }), `counts["images.http_418"]`}, // of which there is no row
		{damage(func(m *pipeline.Manifest) { m.Funnel[4].Left++ }), "funnel, extension"},
		{damage(func(m *pipeline.Manifest) { m.ConfigHash = "0" }), "config_hash"},
		{damage(func(m *pipeline.Manifest) { m.Outputs[0].Rows++ }), "rows, the manifest says"},
		{damage(func(m *pipeline.Manifest) { m.Outputs[0].SHA256 = "0" }), "its SHA-256 is"},
		{damage(func(m *pipeline.Manifest) { m.Outputs[0].Size++ }), "bytes, the manifest says"},
		{flip(smallrun.Write(t, nil, nil), "docs/part-00000.parquet", -3), "docs/part-00000.parquet: damaged file"},
		{flip(smallrun.Write(t, nil, nil), "rejects/part-00001.parquet", 30), "rejects/part-00001.parquet: its SHA-256"},
		{gone, "images/part-00001.parquet: the manifest names it, but it is not there"},
		{extra, "docs/part-00002.parquet: the manifest does not name this file"},
	} {
		v := verify(t, c.dir)
		found := false
		for _, p := range v.Problems {
			found = found || strings.Contains(p.String(), c.want)
		}
		if v.OK || !found {
			t.Errorf("want %q among %v", c.want, v.Problems)
		}
	}
}

func TestNoRun(t *testing.T) {
	if _, err := audit.Verify(t.Context(), storage.NewFolder(t.TempDir()), audit.Options{}); !errors.Is(err, audit.ErrNoManifest) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := audit.Verify(ctx, storage.NewFolder(smallrun.Write(t, nil, nil)), audit.Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestExplain(t *testing.T) {
	dir := smallrun.Write(t, nil, nil)
	e, err := explain(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if e.Documents.In != 8 || e.Documents.Kept != 6 || e.Images.In != 48 || e.Images.Kept != 12 {
		t.Errorf("%+v %+v", e.Documents, e.Images)
	}
	lost := int64(0)
	for _, c := range e.Causes {
		if c.Advice == "" || c.Count > 0 && len(c.Examples) == 0 {
			t.Errorf("%+v", c)
		}
		if c.Of == "images" {
			lost += c.Count
		}
	}
	if lost != e.Images.In-e.Images.Kept {
		t.Errorf("the causes add up to %d", lost)
	}
	broken := smallrun.Write(t, func(w *smallrun.Tables) { // by a model that gives NaN
		for i := range w.Rejects {
			if w.Rejects[i].Rule == schemas.RuleSimilarity {
				nan := math.NaN()
				w.Rejects[i].Value = &nan
			}
		}
	}, nil)
	if e, err := explain(t, broken); err != nil {
		t.Error(err)
	} else if _, err := json.Marshal(e); err != nil {
		t.Error(err)
	}
	var b strings.Builder
	if err := audit.WriteExplanation(&b, e, 20); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"min_side", "http_404", "link rot", "match.min_similarity=0.12", "gone0.test", "--from " + dir, "(off)"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the words lack %q:\n%s", want, b.String())
		}
	}
}
