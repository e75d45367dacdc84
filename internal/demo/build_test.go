package demo

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/crawl/fetch"
	"mmc4/internal/imaging"
	"mmc4/pipeline"
)

// flat is an embedder for which everything is alike, so that no picture is lost to similarity.
type flat struct{}

func (flat) EncodeImages(_ context.Context, pictures []*imaging.RGB) ([][]float32, error) {
	return alike(len(pictures)), nil
}
func (flat) EncodeTexts(_ context.Context, sentences []string) ([][]float32, error) {
	return alike(len(sentences)), nil
}
func (flat) Dim() int            { return 2 }
func (flat) Fingerprint() string { return "flat" }

func alike(n int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = []float32{1, 0}
	}
	return out
}

// quiet shows no progress.
type quiet struct{}

func (quiet) Update(pipeline.StageProgress) {}
func (quiet) Note(string)                   {}

// buildWith runs a real build of the drawn web with the embedder.
func buildWith(e pipeline.Embedder) func(context.Context, Build) error {
	return func(ctx context.Context, b Build) error {
		cfg := pipeline.Config{C4: b.C4, WAT: b.WAT, Out: b.Out, Settings: pipeline.DefaultSettings(), Embedder: e, ClipName: "test", Version: "test"}
		cfg.Fetch.Contact = b.Contact
		for _, s := range b.ConnectTo {
			rule, err := fetch.ParseConnectTo(s)
			if err != nil {
				return err
			}
			cfg.Fetch.ConnectTo = append(cfg.Fetch.ConnectTo, rule)
		}
		_, err := pipeline.Build(ctx, cfg, quiet{})
		return err
	}
}

// TestPlantedRulesAreFound builds a web and expects every planted picture to be left out by the rule it was planted for.
func TestPlantedRulesAreFound(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	var out bytes.Buffer
	result, err := Run(t.Context(), RunOptions{Dir: dir, Seed: 5, Pages: 80}, buildWith(flat{}), &out)
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Rules) < 8 {
		t.Errorf("only the rules %v are planted", result.Rules)
	}
	for _, c := range result.Rules {
		if c.Right != c.Planted && c.Rule != "similarity" {
			t.Errorf("%s: %d of %d planted pictures", c.Rule, c.Right, c.Planted)
		}
	}
	if s := result.Score; s.Missing != 0 || s.Images < 100 || s.Chance <= 0 || s.Chance >= 0.5 {
		t.Errorf("%+v", s)
	}
	for _, word := range []string{"no_page", "duplicate_in_corpus", "assignment", "arg-max", "chance", result.Report} {
		if !strings.Contains(out.String(), word) {
			t.Errorf("the closing words do not speak of %s:\n%s", word, out.String())
		}
	}
}

func TestRunSparesOtherFolders(t *testing.T) {
	dir := t.TempDir()
	mine := filepath.Join(dir, "web", "mine.txt")
	if err := writeFile(mine, []byte("mine")); err != nil {
		t.Fatal(err)
	}
	never := func(context.Context, Build) error { t.Error("a build was started"); return nil }
	if _, err := Run(t.Context(), RunOptions{Dir: dir, Pages: 4}, never, &bytes.Buffer{}); err == nil {
		t.Error("a folder that is no demo's was taken")
	}
	if _, err := os.Stat(mine); err != nil {
		t.Error(err)
	}
}
