package audit_test

import (
	"bytes"
	"context"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/crawl/fetch"
	"mmc4/internal/demo"
	"mmc4/internal/imaging"
	"mmc4/pipeline"
)

// alike is an embedder for which everything is alike.
type alike struct{}

func (alike) EncodeImages(_ context.Context, p []*imaging.RGB) ([][]float32, error) {
	return ones(len(p)), nil
}
func (alike) EncodeTexts(_ context.Context, s []string) ([][]float32, error) {
	return ones(len(s)), nil
}
func (alike) Dim() int            { return 2 }
func (alike) Fingerprint() string { return "alike" }

func ones(n int) [][]float32 {
	out := make([][]float32, n)
	for i := range out {
		out[i] = []float32{1, 0}
	}
	return out
}

type quiet struct{}

func (quiet) Update(pipeline.StageProgress) {}
func (quiet) Note(string)                   {}

// TestBuiltRuns verifies what a build makes, then changes a limit as Explain tells to, with the web gone.
func TestBuiltRuns(t *testing.T) {
	var cfg pipeline.Config
	var words bytes.Buffer
	_, err := demo.Run(t.Context(), demo.RunOptions{Dir: filepath.Join(t.TempDir(), "demo"), Seed: 3, Pages: 16}, func(ctx context.Context, b demo.Build) error {
		cfg = pipeline.Config{C4: b.C4, WAT: b.WAT, Out: b.Out, Settings: pipeline.DefaultSettings(), Embedder: alike{}, ClipName: "test", Version: "test"}
		for _, s := range b.ConnectTo {
			rule, err := fetch.ParseConnectTo(s)
			if err != nil {
				return err
			}
			cfg.Fetch.ConnectTo = append(cfg.Fetch.ConnectTo, rule)
		}
		_, err := pipeline.Build(ctx, cfg, quiet{})
		return err
	}, &words)
	if err != nil {
		t.Fatal(err)
	}
	first := verify(t, cfg.Out)
	if !first.OK || first.Images == 0 {
		t.Errorf("%+v", first)
	}
	e, err := explain(t, cfg.Out)
	if err != nil {
		t.Fatal(err)
	}
	other := cfg.Out + "-2"
	if !strings.Contains(e.Change, "--from "+cfg.Out+" --out "+other) {
		t.Fatal(e.Change)
	}
	cfg.From = cfg.Out
	cfg.Out, cfg.Offline = other, true
	cfg.Settings.Dedup.MinSide, cfg.Settings.Images = 300, "files"
	if _, err := pipeline.Build(t.Context(), cfg, quiet{}); err != nil {
		t.Fatal(err)
	}
	if second := verify(t, other); !second.OK || second.Images == 0 || second.Images >= first.Images || second.ImageURLs != first.ImageURLs {
		t.Errorf("after the change %+v, before %+v", second, first)
	}
}
