package demo

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mmc4/kernels/device"
	"mmc4/models/clip"
)

// embedder is the demo's model as the pipeline wants it.
type embedder struct {
	*clip.Model
	print string
}

func (e embedder) Fingerprint() string { return e.print }

// openCLIP loads the embedded model on the best device.
func openCLIP(t *testing.T) embedder {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, CLIP()); err != nil {
		t.Fatal(err)
	}
	dev, err := device.Open("auto")
	if err != nil {
		t.Fatal(err)
	}
	model, err := clip.Load(t.Context(), dir, dev, clip.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { model.Close() })
	print, err := model.Fingerprint()
	if err != nil {
		t.Fatal(err)
	}
	return embedder{model, print}
}

// TestMatchingIsRight builds webs of seeds that no training used, with the embedded model, and expects at least 85 % p@1 within
// documents and the threshold of 0.15 to part pictures that are shown from those that are not.
func TestMatchingIsRight(t *testing.T) {
	model := openCLIP(t)
	pages := 60
	if os.Getenv("DEMO_PAGES") == "all" {
		pages = DefaultPages
	}
	began := time.Now()
	var out bytes.Buffer
	result, err := Run(t.Context(), RunOptions{Dir: filepath.Join(t.TempDir(), "demo"), Seed: 1, Pages: pages}, buildWith(model), &out)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s%.1f s", out.String(), time.Since(began).Seconds())
	s := result.Score
	if s.P1 < 0.85 || s.ImagesP1 < 0.85 {
		t.Errorf("p@1 is %.3f by document and %.3f by picture; chance is %.3f", s.P1, s.ImagesP1, s.Chance)
	}
	if s.Missing*20 > s.Images {
		t.Errorf("%d pictures that the text shows were left out, %d kept", s.Missing, s.Images)
	}
	for _, c := range result.Rules {
		if c.Rule == "similarity" && c.Right*2 < c.Planted {
			t.Errorf("only %d of %d unrelated pictures fell below the threshold", c.Right, c.Planted)
		}
	}
}
