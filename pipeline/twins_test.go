package pipeline

import (
	"context"
	"sync"
	"testing"

	"mmc4/internal/storage"
)

// TestTwinSlices runs every slice twice at once, as clusters do when they take a machine for dead that is not. Neither a folder nor S3 keeps
// the second one out: both must end well, and the product be that of one build.
func TestTwinSlices(t *testing.T) {
	w := newWorld(t, 20)
	whole := t.TempDir()
	build(t, w.config(whole))
	want := product(t, whole)

	twins := func(cfg Config) {
		for _, stage := range Stages {
			var all sync.WaitGroup
			for i := range 4 {
				cfg := cfg
				cfg.Stage, cfg.Slice, cfg.Slices, cfg.Workers, cfg.Scratch = stage, i%2+1, 2, 1, t.TempDir()
				all.Go(func() {
					if _, err := Build(context.Background(), cfg, nil); err != nil {
						t.Errorf("%s, slice %d: %v", stage, cfg.Slice, err)
					}
				})
			}
			all.Wait()
		}
	}
	local := w.config(t.TempDir())
	twins(local)
	sameProduct(t, "twins in a folder", product(t, local.Out), want)

	options := startS3(t)
	w.upload(t, options)
	remote := w.config("s3://bucket/twins")
	remote.Storage = options
	remote.C4 = []string{"s3://bucket/c4/*.json.gz"}
	remote.WAT = []string{"s3://bucket/crawl-data/*/segments/*/wat/*.wat.gz"}
	twins(remote)
	run, err := storage.Open(context.Background(), remote.Out, options)
	if err != nil {
		t.Fatal(err)
	}
	sameProduct(t, "twins on S3", remoteProduct(t, run), want)
}
