package pipeline

// Config.From: a new run that takes over what an earlier one did and the new settings do not touch. So a threshold is
// changed without fetching or embedding again.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mmc4/internal/storage"
)

// touches tells which stage is the first whose work a changed setting makes worthless; "" for none.
func touches(key string) string {
	switch {
	case key == "profile": // a name
		return ""
	case strings.HasPrefix(key, "fetch."):
		return "fetch"
	case key == "max_pixels", key == "pairs.min_side", key == "pairs.max_aspect", key == "dedup.min_side", key == "dedup.min_aspect", key == "dedup.max_aspect":
		return "inspect"
	case key == "dedup.hamming", key == "dedup.corpus_max":
		return "count"
	case strings.HasPrefix(key, "match."), key == "dedup.nsfw", key == "dedup.face", key == "--nsfw", key == "--faces":
		return "match"
	case key == "images", key == "resize", key == "pairs.form":
		return "pack"
	}
	return "locate"
}

// takeOver copies from the run at cfg.From the work of all stages before the first that a difference touches, and what
// the network said in any case.
func (r *run) takeOver(ctx context.Context) error {
	old, err := storage.Open(ctx, r.cfg.From, r.cfg.Storage)
	if err != nil {
		return usage("--from %s: %v", r.cfg.From, err)
	}
	theirs, err := readPlan(ctx, old)
	if errors.Is(err, storage.ErrNotExist) {
		return usage("--from %s: it is no run, or its work folder was removed", r.cfg.From)
	}
	if err != nil {
		return err
	}
	first := len(Stages)
	for _, d := range theirs.compare(r.plan) {
		stage := touches(d.key)
		if stage == "pack" && d.key != "pairs.form" && len(r.cfg.Pairs) > 0 {
			stage = "inspect" // shrinks the pictures of lists
		}
		if stage != "" {
			first = min(first, slices.Index(Stages, stage))
		}
	}
	if embed := slices.Index(Stages, "embed"); first > embed && r.cfg.Embedder != nil {
		was, err := (&run{store: old}).profiles(ctx, "embed")
		if err != nil {
			return err
		}
		if n := len(was); n == 0 || was[n-1].Clip != r.cfg.Embedder.Fingerprint() {
			first = embed
		}
	}
	journal, err := openJournal(ctx, old)
	if err != nil {
		return err
	}
	first = min(first, slices.Index(Stages, "pack")) // the product itself is made anew
	r.note("taking over the work of %s up to stage %s", old.Location(""), Stages[first])
	for _, p := range r.phases {
		if slices.Index(Stages, p.stage) >= first {
			break
		}
		for task := range p.tasks(r) {
			if e := journal.get(p.name, task); e != nil {
				if err := r.takeTask(ctx, old, e); err != nil {
					return err
				}
			}
		}
	}
	if first <= slices.Index(Stages, "fetch") && theirs.partitions() == r.plan.partitions() {
		if err := r.takeAll(ctx, old, "work/"+fetchImages.name+"/"); err != nil {
			return err
		}
	}
	for _, stage := range Stages[:first] {
		if err := r.takeAll(ctx, old, "work/profile/"+stage+"-"); err != nil {
			return err
		}
	}
	return nil
}

// takeTask copies a task's outputs, then its entry.
func (r *run) takeTask(ctx context.Context, old storage.Store, e *entry) error {
	if r.journal.get(e.Phase, e.Task) != nil {
		return nil
	}
	for _, a := range e.Outputs {
		if err := r.takeFile(ctx, old, a.Name); err != nil {
			return err
		}
	}
	_, _, err := r.journal.commit(ctx, e)
	return err
}

func (r *run) takeAll(ctx context.Context, old storage.Store, prefix string) error {
	for info, err := range old.List(ctx, prefix) {
		if err != nil {
			return err
		}
		if err := r.takeFile(ctx, old, info.Name); err != nil {
			return err
		}
	}
	return nil
}

// takeFile copies a work file, which never changes; between two folders of one file system it is linked.
func (r *run) takeFile(ctx context.Context, old storage.Store, name string) error {
	if _, err := r.store.Stat(ctx, name); !errors.Is(err, storage.ErrNotExist) {
		return err
	}
	if from := localPath(r.cfg.From); from != "" && r.local != "" {
		to := filepath.Join(r.local, filepath.FromSlash(name))
		if os.MkdirAll(filepath.Dir(to), 0o777) == nil && os.Link(filepath.Join(from, filepath.FromSlash(name)), to) == nil {
			return nil
		}
	}
	o, err := old.Open(ctx, name)
	if err != nil {
		return err
	}
	defer o.Close()
	w, err := r.store.Create(ctx, name, storage.CreateOptions{})
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := io.Copy(w, storage.Reader(ctx, o)); err != nil {
		return fmt.Errorf("copying %s: %w", old.Location(name), err)
	}
	return w.Commit(ctx)
}
