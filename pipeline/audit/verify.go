package audit

// Verify: a finished run against its manifest and against itself.

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"mmc4/dedup"
	"mmc4/internal/storage"
	"mmc4/pipeline"
)

// Options are the means of Verify.
type Options struct {
	Workers  int   // parts at a time; 0 = the number of CPUs
	Problems int64 // the most problems that the verdict lists; 0 = 100
}

// Verdict is what Verify found.
type Verdict struct {
	Run       string    `json:"run"`
	OK        bool      `json:"ok"`
	Files     int64     `json:"files"`
	Bytes     int64     `json:"bytes"`
	Documents int64     `json:"documents"`
	Pairs     int64     `json:"pairs,omitempty"` // of a run over lists, which has no documents
	Images    int64     `json:"images"`          // in docs
	Rejects   int64     `json:"rejects"`         // rows
	ImageURLs int64     `json:"image_urls"`      // rows of images
	Problems  []Problem `json:"problems"`
	Total     int64     `json:"problems_total"` // Problems lists no more than Options.Problems, and 20 of a file
}

// ErrNoManifest: there is no finished run.
var ErrNoManifest = errors.New("there is no manifest.json: the run is not complete (run the same `mmc4 build` again, it goes on where it stopped), or this is no run")

// Verify reads a whole run. The error is about the reading; what is wrong with the run stands in the verdict.
func Verify(ctx context.Context, run storage.Store, o Options) (*Verdict, error) {
	m, err := ReadManifest(ctx, run)
	if err != nil {
		return nil, err
	}
	settings, err := m.Settings()
	if err != nil {
		return nil, err
	}
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Problems <= 0 {
		o.Problems = 100
	}
	c := &checker{run: run, manifest: m, settings: settings, limits: settings.Limits(), parts: Parts(m), tally: newTally(), rows: map[string]int64{}}
	if m.OverPairs() {
		c.limits = settings.PairLimits()
	}
	c.found.limit = o.Problems
	c.sameDecoders = decodersOf(m)
	defer c.urls.close()
	defer c.hashes.close()
	if err := c.all(ctx, o.Workers); err != nil {
		return nil, err
	}
	v := &Verdict{Run: run.Location(""), Problems: c.found.sorted(), Total: c.found.total, Files: int64(len(m.Outputs)),
		Documents: c.tally.documents, Images: c.tally.images, Rejects: c.tally.rejects, ImageURLs: c.tally.imageRows}
	if m.OverPairs() {
		v.Images, v.Pairs = 0, c.tally.images
	}
	for _, f := range m.Outputs {
		v.Bytes += f.Size
	}
	v.OK = v.Total == 0
	return v, nil
}

// ReadManifest reads the manifest of a finished run, of a format that this program knows.
func ReadManifest(ctx context.Context, run storage.Store) (*pipeline.Manifest, error) {
	m, err := pipeline.ReadManifest(ctx, run)
	if errors.Is(err, storage.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", run.Location(""), ErrNoManifest)
	}
	if err != nil {
		return nil, err
	}
	if m.Format != 1 {
		return nil, fmt.Errorf("%s has format %d; this program knows 1: use the version that wrote it (%s)", run.Location(pipeline.ManifestName), m.Format, m.Program.Version)
	}
	return m, nil
}

// checker is one Verify.
type checker struct {
	run          storage.Store
	manifest     *pipeline.Manifest
	settings     pipeline.Settings
	limits       *dedup.Profile
	parts        int
	sameDecoders map[string]bool // by format: pictures are decoded as the build did

	found  findings
	urls   ledger // uses and rows of images, by URL
	hashes ledger // pairs, by perceptual hash

	mu      sync.Mutex
	tally   *tally
	rows    map[string]int64 // read to their end
	unread  bool             // a table could not be read: the books cannot close
	outputs map[string]pipeline.Output
}

// all runs the checks: files, parts, then what lies across parts, then the sums.
func (c *checker) all(ctx context.Context, workers int) error {
	if err := c.files(ctx, workers); err != nil {
		return err
	}
	tasks := make([]func(context.Context) error, 0, 2*c.parts)
	for part := range c.parts {
		tasks = append(tasks,
			func(ctx context.Context) error {
				if c.manifest.OverPairs() {
					return c.pairsPart(ctx, part)
				}
				return c.documentsPart(ctx, part)
			},
			func(ctx context.Context) error { return c.imagesPart(ctx, part) })
	}
	if err := parallel(ctx, workers, tasks); err != nil {
		return err
	}
	if c.unread {
		c.found.file("", "a table could not be read to its end, so the books (documents, images, counts) were not closed")
		return nil
	}
	if err := c.joinURLs(ctx); err != nil {
		return err
	}
	if c.manifest.OverPairs() {
		c.pairSums()
		return nil
	}
	if err := c.joinHashes(ctx); err != nil {
		return err
	}
	c.sums()
	return nil
}

// parallel runs tasks, so many at a time, and gives the first error.
func parallel(ctx context.Context, workers int, tasks []func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	todo := make(chan func(context.Context) error)
	var wg sync.WaitGroup
	for range min(workers, len(tasks)) {
		wg.Go(func() {
			for task := range todo {
				if err := task(ctx); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, task := range tasks {
		if ctx.Err() != nil {
			break
		}
		select {
		case todo <- task:
		case <-ctx.Done():
		}
	}
	close(todo)
	wg.Wait()
	return context.Cause(ctx)
}

// ended notes that a table was read to its end, or was not. Errors of the context are errors; others are findings.
func (c *checker) ended(ctx context.Context, name string, rows int64, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.unread = true
		c.found.file(name, "%s", without(name, err))
		return nil
	}
	c.rows[name] = rows
	return nil
}
