package pipeline

// Build, the whole of `mmc4 build`.

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"mmc4/crawl/fetch"
	"mmc4/dedup"
	"mmc4/internal/storage"
)

// Stages are the stages in their order, as --stage names them.
var Stages = []string{"locate", "fetch", "inspect", "count", "embed", "match", "pack"}

// Summary is what a build came to.
type Summary struct {
	Complete  bool                     `json:"complete"` // the run has its manifest; false after a single stage
	Run       string                   `json:"run"`      // where it lies
	Documents int64                    `json:"documents"`
	Images    int64                    `json:"images"`
	Pairs     int64                    `json:"pairs,omitempty"`      // of a run over lists
	OverPairs bool                     `json:"over_pairs,omitempty"` // it is one
	Counts    map[string]int64         `json:"counts"`
	Funnel    []FunnelStep             `json:"funnel"`
	Off       []string                 `json:"off"`
	Problems  []Problem                `json:"problems"`
	Stages    map[string]time.Duration `json:"stages"` // time spent by this process
}

// Build makes a run, or goes on with it. The error wraps ErrUsage, ErrPartial or ErrRefused where it is one of these;
// after ErrPartial the Summary is as good as after none.
func Build(ctx context.Context, cfg Config, progress Progress) (Summary, error) {
	cfg.setDefaults()
	if err := cfg.check(); err != nil {
		return Summary{}, err
	}
	old := debug.SetMemoryLimit(max(cfg.Memory, leastMemory)) // less would only make the collector run all the time
	defer debug.SetMemoryLimit(old)
	if len(cfg.Pairs) > 0 { // pictures come and go: nearly all work is on them, and a small heap would be collected all the time
		defer debug.SetGCPercent(debug.SetGCPercent(400))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r := &run{cfg: &cfg, progress: progress, local: localPath(cfg.Out), phases: cfg.phases(), budget: newBudget(cfg.Memory),
		spent: map[string]time.Duration{}}
	summary, err := r.build(ctx, cancel)
	if cause := context.Cause(ctx); err != nil && cause != nil && errors.Is(err, context.Canceled) {
		err = cause
	}
	return summary, explained(err)
}

// leastMemory is about what the program needs whatever it is told.
const leastMemory = 128 << 20

// check refuses what cannot be begun.
func (c *Config) check() error {
	if err := c.Settings.Check(); err != nil {
		return err
	}
	switch {
	case c.Out == "":
		return usage("--out is missing: where is the run to be made?")
	case len(c.Pairs) > 0:
		if err := c.checkPairs(); err != nil {
			return err
		}
	case len(c.C4) == 0:
		return usage("--c4 is missing: which documents are to be built from? (Or --pairs, a list of image URLs and captions.)")
	case len(c.WAT) == 0 && len(c.Index) == 0:
		return usage("--wat is missing: which part of the crawl holds the documents' pages? (Or --index with --warc-base, where an index of the crawl says so.)")
	case len(c.WAT) > 0 && len(c.Index) > 0:
		return usage("--wat and --index exclude each other: they are two ways to find the same pages")
	case len(c.Index) > 0 && c.WARCBase == "":
		return usage("--index needs --warc-base: where do the WARC files lie that the index names? For example https://data.commoncrawl.org/")
	case c.Stage != "" && !slices.Contains(Stages, c.Stage):
		return usage("--stage %s: there is no such stage; they are %s", c.Stage, strings.Join(Stages, ", "))
	case c.Slices < 0 || c.Slices > 0 && (c.Slice < 1 || c.Slice > c.Slices):
		return usage("--slice %d/%d: it must be I/N with I from 1 to N", c.Slice, c.Slices)
	case c.Slices > 0 && c.Stage == "":
		return usage("--slice needs --stage")
	case c.Embedder == nil && (c.Stage == "" || c.Stage == "embed"):
		return usage("a build needs a CLIP model to match images with sentences: give --clip demo (small, in the program) or --clip DIR (config, weights and tokenizer of an open_clip or Hugging Face model)")
	}
	fetcher, err := fetch.New(c.fetchOptions(0)) // --contact, --proxy
	if err != nil {
		return usage("%v", err)
	}
	fetcher.Close()
	return nil
}

// checkHeads reads the heads, so that a wrong one is told before a picture is fetched for it.
func (c *Config) checkHeads(ctx context.Context) error {
	for _, h := range []struct{ flag, path string }{{"--nsfw", c.NSFW}, {"--faces", c.Faces}} {
		if h.path == "" {
			continue
		}
		head, err := dedup.LoadHead(ctx, h.path)
		if err != nil {
			return usage("%s: %v", h.flag, err)
		}
		if c.Embedder != nil && head.Dim() != c.Embedder.Dim() {
			return usage("%s %s takes features of %d numbers, and the CLIP model gives %d: they do not belong together", h.flag, h.path, head.Dim(), c.Embedder.Dim())
		}
	}
	return nil
}

func (r *run) build(ctx context.Context, cancel context.CancelCauseFunc) (Summary, error) {
	var err error
	if r.store, err = openRun(ctx, r.cfg); err != nil {
		return Summary{}, err
	}
	if done, summary, err := r.alreadyDone(ctx); done || err != nil {
		return summary, err
	}
	if err := r.cfg.checkHeads(ctx); err != nil {
		return Summary{}, err
	}
	unlock, err := r.lock(ctx, r.cfg.Slices > 0, cancel)
	if err != nil {
		return Summary{}, err
	}
	defer unlock()
	if r.plan, err = makePlan(ctx, r.cfg); err != nil {
		return Summary{}, err
	}
	resumed, err := r.plan.settle(ctx, r.store)
	if err != nil {
		return Summary{}, err
	}
	if r.journal, err = openJournal(ctx, r.store); err != nil {
		return Summary{}, err
	}
	if resumed {
		if err := r.redoDeleted(ctx); err != nil {
			return Summary{}, err
		}
		done, all := 0, 0
		for _, p := range r.phases {
			done, all = done+r.journal.done(p.name), all+p.tasks(r)
		}
		r.note("going on with %s: %d of %d tasks are done", r.store.Location(""), done, all)
	}
	if r.cfg.Settings.Candidates == "all" && len(r.cfg.WAT) > 0 {
		r.note("%s", allByWAT)
	}
	r.scratch = r.scratchDir()
	if r.cfg.Slices == 0 && r.cfg.Scratch == "" && r.local != "" {
		if err := os.RemoveAll(r.scratch); err != nil { // what dead processes left; we have the run alone
			return Summary{}, fmt.Errorf("scratch folder: %w", err)
		}
	}
	if err := os.MkdirAll(r.scratch, 0o777); err != nil {
		return Summary{}, fmt.Errorf("scratch folder: %w", err)
	}
	if resumed && r.cfg.Slices == 0 && r.local != "" { // on a remote store slices may be at work beside us
		if err := r.sweep(ctx); err != nil {
			return Summary{}, err
		}
	}
	if r.cfg.From != "" {
		if err := r.takeOver(ctx); err != nil {
			return Summary{}, err
		}
	}
	if err := r.runStages(ctx); err != nil {
		return Summary{}, err
	}
	return r.finish(ctx)
}

// allByWAT is said where --candidates all changes nothing.
const allByWAT = "candidates all: a WAT lists img@src only; srcset and lazy-load attributes stand in the pages' HTML"

// openRun opens the store of a run; tests put faults in its way.
var openRun = func(ctx context.Context, cfg *Config) (storage.Store, error) {
	return storage.Open(ctx, cfg.Out, cfg.Storage)
}

func (r *run) scratchDir() string {
	switch {
	case r.cfg.Scratch != "":
		return r.cfg.Scratch
	case r.local != "":
		return filepath.Join(r.local, "work", "scratch")
	}
	return os.TempDir()
}

// runStages runs the phases of the stages that were asked for.
func (r *run) runStages(ctx context.Context) error {
	wanted := r.phases
	if r.cfg.Stage != "" {
		wanted = nil
		for _, p := range r.phases {
			if p.stage == r.cfg.Stage {
				wanted = append(wanted, p)
			} else if wanted == nil && !r.complete(p) {
				return fmt.Errorf("stage %s of %s is not complete (%d of %d tasks of %s are done): run `--stage %s` to its end first, with all its slices",
					p.stage, r.store.Location(""), r.journal.done(p.name), p.tasks(r), p.name, p.stage)
			}
		}
	}
	if before, err := r.profiles(ctx, "embed"); err != nil {
		return err
	} else if n := len(before); n > 0 && r.cfg.Embedder != nil {
		if err := r.sameCLIP(before[n-1].Clip, r.cfg.Embedder.Fingerprint()); err != nil {
			return err
		}
	}
	settled := map[string]bool{}
	for i, p := range wanted {
		if numeric := p.stage == "inspect" || p.stage == "embed" || p.stage == "pack"; numeric && !settled[p.stage] && !r.complete(p) {
			if err := r.settleProfile(ctx, p.stage); err != nil {
				return err
			}
			settled[p.stage] = true
		}
		if err := r.runPhase(ctx, p, i == len(wanted)-1); err != nil {
			return err
		}
	}
	return nil
}

// sweep removes what dead processes left and no journal entry names. Segments of tasks that are not done stay: they hold
// what the network said.
func (r *run) sweep(ctx context.Context) error {
	named := map[string]bool{}
	for _, tasks := range r.journal.entries {
		for _, e := range tasks {
			for _, a := range e.Outputs {
				named[a.Name] = true
			}
		}
	}
	for _, p := range r.phases {
		for info, err := range r.store.List(ctx, "work/"+p.name+"/") {
			if err != nil {
				return err
			}
			var task int
			if _, err := fmt.Sscanf(strings.TrimPrefix(info.Name, "work/"+p.name+"/"), "%06d/", &task); err != nil || named[info.Name] {
				continue
			}
			if p == fetchImages && r.journal.get(p.name, task) == nil {
				continue
			}
			if err := r.store.Remove(ctx, info.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// isWork tells a work shard from a file of the product.
func isWork(name string) bool { return strings.HasPrefix(name, "work/") }

// explained adds what to do to an error that the user can do something about.
func explained(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w\nThe disk is full. Make room and run the same command again: it goes on where it stopped", err)
	case errors.Is(err, errDamagedShard):
		return fmt.Errorf("%w\nRemove the run's work folder and run again: all is done anew, fetching too. To keep what was done before the phase that wrote it (the folder below work), "+
			"remove from work/journal only that phase's folder and those of the phases after it", err)
	}
	return err
}
