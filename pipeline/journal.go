package pipeline

// The journal: one entry for every task that is done, RUN/work/journal/PHASE/NNNNNN.json. An entry is created
// exclusively, after all outputs it names are durable. What no entry names does not count.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"
	"sync"

	"mmc4/internal/storage"
)

const journalDir = "work/journal/"

// entry says that a task is done.
type entry struct {
	Phase    string           `json:"phase"`
	Task     int              `json:"task"`
	Outputs  []artifact       `json:"outputs"`
	Counts   map[string]int64 `json:"counts,omitempty"`
	Problems []Problem        `json:"problems,omitempty"`
}

// artifact is an output of a task: a work shard, or a file of the product.
type artifact struct {
	Output string `json:"output"` // what it is to the phases that read it
	Name   string `json:"name"`   // where it lies in the run
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	Rows   int64  `json:"rows,omitempty"`
	// Spans are the partitions of a work shard: offset, length, records. With them no index has to be read.
	Spans []span `json:"spans,omitempty"`
}

// journal is what is known of the tasks of all phases.
type journal struct {
	store storage.Store

	mu      sync.Mutex
	entries map[string]map[int]*entry
}

func entryName(phase string, task int) string {
	return fmt.Sprintf("%s%s/%06d.json", journalDir, phase, task)
}

// openJournal reads all entries.
func openJournal(ctx context.Context, store storage.Store) (*journal, error) {
	j := &journal{store: store, entries: map[string]map[int]*entry{}}
	return j, j.refresh(ctx, "")
}

// refresh reads the entries that others made since, of one phase or of all.
func (j *journal) refresh(ctx context.Context, phase string) error {
	prefix := journalDir
	if phase != "" {
		prefix += phase + "/"
	}
	for info, err := range j.store.List(ctx, prefix) {
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		dir, base := path.Split(strings.TrimPrefix(info.Name, journalDir))
		task, err := strconv.Atoi(strings.TrimSuffix(base, ".json"))
		if err != nil {
			continue
		}
		phase := strings.TrimSuffix(dir, "/")
		if j.get(phase, task) != nil {
			continue
		}
		if _, err := j.load(ctx, phase, task); err != nil {
			return err
		}
	}
	return nil
}

func (j *journal) load(ctx context.Context, phase string, task int) (*entry, error) {
	name := entryName(phase, task)
	data, err := storage.ReadFile(ctx, j.store, name)
	if err != nil {
		return nil, fmt.Errorf("reading the journal: %w", err)
	}
	e := new(entry)
	if err := json.Unmarshal(data, e); err != nil || e.Phase != phase || e.Task != task {
		return nil, fmt.Errorf("%s is damaged: remove it and run again, its task is done anew", j.store.Location(name))
	}
	j.put(e)
	return e, nil
}

func (j *journal) put(e *entry) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.entries[e.Phase] == nil {
		j.entries[e.Phase] = map[int]*entry{}
	}
	j.entries[e.Phase][e.Task] = e
}

// get is the entry of a task, nil when it is not done.
func (j *journal) get(phase string, task int) *entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.entries[phase][task]
}

// forget removes an entry: its task is to be done again.
func (j *journal) forget(ctx context.Context, phase string, task int) error {
	if err := j.store.Remove(ctx, entryName(phase, task)); err != nil {
		return err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.entries[phase], task)
	return nil
}

// done counts the tasks of a phase that are done.
func (j *journal) done(phase string) int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.entries[phase])
}

// commit makes an entry. When another process was first, its entry is the valid one and is given back with won false.
func (j *journal) commit(ctx context.Context, e *entry) (valid *entry, won bool, err error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, false, err
	}
	err = createExclusive(ctx, j.store, entryName(e.Phase, e.Task), data)
	switch {
	case err == nil:
		j.put(e)
		return e, true, nil
	case errors.Is(err, storage.ErrExist):
		valid, err := j.load(ctx, e.Phase, e.Task)
		return valid, false, err
	}
	return nil, false, fmt.Errorf("writing the journal: %w", err)
}

// createExclusive makes a blob that must not exist yet.
func createExclusive(ctx context.Context, store storage.Store, name string, data []byte) error {
	w, err := store.Create(ctx, name, storage.CreateOptions{Exclusive: true})
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Commit(ctx)
}
