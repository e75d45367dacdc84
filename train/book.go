package train

// What a run writes besides checkpoints: log.jsonl, rejects.jsonl, skipped.jsonl and TensorBoard's events. For a remote folder
// they are kept in a local one and copied with every checkpoint.

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"

	"mmc4/internal/storage"
)

type book struct {
	dir            string
	remote         storage.Store // nil: dir is the run's own
	log            *lines
	rejects, skips *lines
	events         *events
	held           *os.File // the lock on the folder
	err            error
}

var bookNames = []string{"log.jsonl", "rejects.jsonl", "skipped.jsonl"}

// openBook opens the books without what was written after a step.
func openBook(ctx context.Context, store storage.Store, out string, step int) (*book, error) {
	b := &book{dir: out}
	if strings.Contains(out, "://") {
		dir, err := os.MkdirTemp("", "mmc4-train-")
		if err != nil {
			return nil, err
		}
		b.dir, b.remote = dir, store
		for _, name := range bookNames {
			text, err := storage.ReadFile(ctx, store, name)
			if errors.Is(err, storage.ErrNotExist) {
				continue
			}
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, name), text, 0o666)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	if err := os.MkdirAll(b.dir, 0o777); err != nil {
		return nil, err
	}
	var err error
	if b.held, err = os.OpenFile(filepath.Join(b.dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o666); err != nil {
		return nil, err
	}
	if lock(b.held) != nil {
		b.held.Close()
		return nil, fmt.Errorf("%w: %s is in use by another training", ErrRefused, out)
	}
	for i, to := range []**lines{&b.log, &b.rejects, &b.skips} {
		if *to, err = openLines(b.dir, bookNames[i], step); err != nil {
			return nil, err
		}
	}
	b.events, err = openEvents(filepath.Join(b.dir, "events"), time.Now())
	return b, err
}

func (b *book) reject(line rejectLine) {
	if err := b.rejects.write(line); err != nil && b.err == nil {
		b.err = err
	}
}

// step writes a step's line, its scalars and, where nothing was learnt, its samples.
func (b *book) step(line LogLine, parts []Part, streams []StreamConfig, result StepResult) error {
	if b.err != nil {
		return b.err
	}
	if err := b.log.write(line); err != nil {
		return err
	}
	if result.Skipped != "" {
		skip := skipLine{Step: line.Step, Why: result.Skipped, Samples: map[string][]string{}}
		for _, part := range parts {
			name := streams[part.Stream].Name
			skip.Samples[name] = append(skip.Samples[name], part.Batch.Samples...)
		}
		if err := b.skips.write(skip); err != nil {
			return err
		}
	}
	scalars := map[string]float64{"lr": line.LR, "speed/samples_per_s": line.SamplesPerSecond, "speed/tokens_per_s": line.TokensPerSecond,
		"speed/mfu": line.MFU, "memory_bytes": float64(line.MemoryBytes), "data_wait_s": line.WaitSeconds}
	put := func(prefix string, values map[string]*float64) {
		for name, v := range values {
			if v != nil {
				scalars[prefix+name] = *v
			}
		}
	}
	put("loss/", line.Loss)
	put("validation/", line.Validation)
	put("", map[string]*float64{"grad_norm": line.GradNorm})
	for i, gate := range line.Gates {
		scalars["gates/"+strconv.Itoa(i)] = gate
	}
	names := make([]string, 0, len(scalars))
	for name := range scalars {
		names = append(names, name)
	}
	sort.Strings(names)
	values := make([]float64, len(names))
	for i, name := range names {
		values[i] = scalars[name]
	}
	return b.events.scalars(time.Now(), line.Step, names, values)
}

// upload copies the books to a remote run.
func (b *book) upload(ctx context.Context) error {
	if b.remote == nil {
		return nil
	}
	return filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == ".lock" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(b.dir, path)
		if err != nil {
			return err
		}
		return storage.WriteFile(ctx, b.remote, filepath.ToSlash(name), text)
	})
}

func (b *book) close() {
	for _, l := range []*lines{b.log, b.rejects, b.skips} {
		l.close()
	}
	b.events.close()
	b.held.Close()
	if b.remote != nil {
		os.RemoveAll(b.dir)
	}
}

// residentBytes is the memory of the process, as the kernel counts it; 0 where it does not say.
func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
