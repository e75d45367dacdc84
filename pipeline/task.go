package pipeline

// A task: the unit of work, of resuming and of slicing. It reads shards of earlier phases, emits records to outputs by
// partition, and is done when its entry is in the journal.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"

	"mmc4/internal/storage"
)

// task is one task while it runs. It is used by one goroutine.
type task struct {
	*run
	phase *phase
	index int
	meter *meter

	ctx     context.Context // of perform: bodies stay open between calls
	attempt string          // names outputs, so that two processes at the same task do not meet
	outputs []*output
	entry   entry
	opened  []io.Closer
	bodies  map[string]storage.Object // segments that are open for reading bodies

	shrinker *shrinker       // of inspect
	files    map[string]bool // of pack: what writeFile has written
}

// output is one output while it is gathered.
type output struct {
	name string
	*sorter
}

func (r *run) newTask(p *phase, index int, m *meter) *task {
	return &task{run: r, phase: p, index: index, meter: m, attempt: fmt.Sprintf("%08x", rand.Uint32()),
		entry: entry{Phase: p.name, Task: index, Counts: map[string]int64{}}}
}

// count adds to a number of the manifest.
func (t *task) count(name string, n int64) {
	if n != 0 {
		t.entry.Counts[name] += n
	}
}

// problem records an input that could not be read to its end.
func (t *task) problem(input string, err error) {
	t.entry.Problems = append(t.entry.Problems, Problem{Input: input, Error: err.Error()})
	t.note("%s could not be read to its end: %v", input, err)
}

// emit adds a record to an output of so many partitions.
func (t *task) emit(name string, partitions, partition int, key, value []byte) error {
	var out *output
	var held int64
	for _, o := range t.outputs {
		if o.name == name {
			out = o
		}
		held += o.size()
	}
	if out == nil {
		out = &output{name, newSorter(partitions, t.scratch)}
		t.outputs = append(t.outputs, out)
	}
	out.add(partition, key, value)
	if held > t.budget.sorters(t.cfg.Workers) {
		largest := out
		for _, o := range t.outputs {
			if o.size() > largest.size() {
				largest = o
			}
		}
		return largest.spill()
	}
	return nil
}

// declare makes sure that an output exists even when nothing is emitted to it.
func (t *task) declare(name string, partitions int) {
	for _, o := range t.outputs {
		if o.name == name {
			return
		}
	}
	t.outputs = append(t.outputs, &output{name, newSorter(partitions, t.scratch)})
}

// workName is where an output of this attempt lies.
func (t *task) workName(output string) string {
	return fmt.Sprintf("work/%s/%06d/%s-%s", t.phase.name, t.index, output, t.attempt)
}

// file is a blob in the making whose size and hash are known when it is committed.
type file struct {
	storage.Writer
	name string
	size int64
	hash hash.Hash
}

func (r *run) create(ctx context.Context, name string) (*file, error) {
	w, err := r.store.Create(ctx, name, storage.CreateOptions{})
	if err != nil {
		return nil, err
	}
	return &file{w, name, 0, sha256.New()}, nil
}

func (f *file) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	f.size += int64(n)
	f.hash.Write(b[:n])
	return n, err
}

func (f *file) commit(ctx context.Context, output string) (artifact, error) {
	if err := f.Commit(ctx); err != nil {
		return artifact{}, err
	}
	return artifact{Output: output, Name: f.name, Size: f.size, SHA256: hex.EncodeToString(f.hash.Sum(nil))}, nil
}

// writeShard writes one work shard and commits it.
func (r *run) writeShard(ctx context.Context, name, output string, partitions int, fill func(*shardWriter) error) (artifact, error) {
	f, err := r.create(ctx, name)
	if err != nil {
		return artifact{}, err
	}
	defer f.Abort()
	buffered := newBufferedWriter(f)
	w, err := newShardWriter(buffered, partitions)
	if err != nil {
		return artifact{}, err
	}
	if err := fill(w); err != nil {
		return artifact{}, err
	}
	if err := w.close(); err != nil {
		return artifact{}, err
	}
	if err := buffered.Flush(); err != nil {
		return artifact{}, err
	}
	a, err := f.commit(ctx, output)
	a.Rows, a.Spans = w.records, w.spans
	return a, err
}

// perform runs the task to its end: work, outputs, journal.
func (t *task) perform(ctx context.Context) (err error) {
	defer func() {
		for _, o := range t.outputs {
			o.drop()
		}
		for _, c := range t.opened {
			c.Close()
		}
		for _, o := range t.bodies {
			o.Close()
		}
		if err != nil {
			err = fmt.Errorf("%s, task %d: %w", t.phase.name, t.index, err)
		}
	}()
	t.ctx = ctx
	if err := t.phase.do(ctx, t); err != nil {
		return err
	}
	for _, o := range t.outputs {
		a, err := t.writeShard(ctx, t.workName(o.name), o.name, o.partitions, o.finish)
		if err != nil {
			return err
		}
		t.entry.Outputs = append(t.entry.Outputs, a)
	}
	valid, won, err := t.journal.commit(ctx, &t.entry)
	if err != nil {
		return err
	}
	if !won { // another process was first: what this one made and the entry does not name goes
		named := map[string]bool{}
		for _, a := range valid.Outputs {
			named[a.Name] = true
		}
		for _, a := range t.entry.Outputs {
			if !named[a.Name] && isWork(a.Name) {
				if err := t.store.Remove(ctx, a.Name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// from names an output of a phase.
type from struct{ phase, output string }

// merged opens one partition of the given outputs of all their tasks as one sorted stream. The task closes it.
func (t *task) merged(ctx context.Context, partition int, inputs ...from) (*merge, error) {
	var sources []source
	for _, in := range inputs {
		for i := range t.tasks(in.phase) {
			e := t.journal.get(in.phase, i)
			if e == nil {
				return nil, fmt.Errorf("task %d of %s is not done", i, in.phase)
			}
			for _, a := range e.Outputs {
				if a.Output == in.output && partition < len(a.Spans) && a.Spans[partition].Records > 0 {
					sources = append(sources, t.partitionOf(ctx, a, partition))
				}
			}
		}
	}
	m, err := newMerge(sources, t.scratch)
	if err != nil {
		return nil, err
	}
	t.opened = append(t.opened, closer(m.close))
	return m, nil
}

// own opens the one-partition output of the task with the same index of an earlier phase.
func (t *task) own(ctx context.Context, in from) (*merge, error) {
	e := t.journal.get(in.phase, t.index)
	if e == nil {
		return nil, fmt.Errorf("task %d of %s is not done", t.index, in.phase)
	}
	var sources []source
	for _, a := range e.Outputs {
		if a.Output == in.output {
			sources = append(sources, t.partitionOf(ctx, a, 0))
		}
	}
	m, err := newMerge(sources, t.scratch)
	if err != nil {
		return nil, err
	}
	t.opened = append(t.opened, closer(m.close))
	return m, nil
}

func (r *run) partitionOf(ctx context.Context, a artifact, partition int) source {
	return func() (*records, error) {
		o, err := r.openWork(ctx, a)
		if err != nil {
			return nil, err
		}
		rec := (&shard{r: o, name: r.store.Location(a.Name)}).records(a.Spans[partition])
		rec.closer = o
		return rec, nil
	}
}

// openWork opens a work shard and checks its size against the journal.
func (r *run) openWork(ctx context.Context, a artifact) (storage.Object, error) {
	o, err := r.store.Open(ctx, a.Name)
	if errors.Is(err, storage.ErrNotExist) {
		return nil, fmt.Errorf("%w %s: it is gone, though the journal names it", errDamagedShard, r.store.Location(a.Name))
	}
	if err != nil {
		return nil, err
	}
	if size := o.Info().Size; size != a.Size {
		o.Close()
		return nil, fmt.Errorf("%w %s: it has %d bytes, the journal says %d", errDamagedShard, r.store.Location(a.Name), size, a.Size)
	}
	return o, nil
}

type closer func()

func (c closer) Close() error { c(); return nil }

// groups calls f for every run of records whose keys start with the same prefix, in order. prefix gives the length of a
// key's prefix. f must read the group's records by calling next until it says false.
func groups(m *merge, prefix func(key []byte) int, f func(group []byte, next func() (bool, error)) error) error {
	var group []byte
	for {
		more, err := m.next()
		if !more || err != nil {
			return err
		}
		n := prefix(m.key)
		if n < 0 || n > len(m.key) {
			return fmt.Errorf("%w: a key has another form", errDamagedShard)
		}
		group = append(group[:0], m.key[:n]...)
		m.back()
		ended := false
		next := func() (bool, error) {
			if ended {
				return false, nil
			}
			more, err := m.next()
			if err != nil {
				return false, err
			}
			if !more || len(m.key) < len(group) || string(m.key[:len(group)]) != string(group) {
				if more {
					m.back()
				}
				ended = true
				return false, nil
			}
			return true, nil
		}
		if err := f(group, next); err != nil {
			return err
		}
		for {
			more, err := next()
			if err != nil {
				return err
			}
			if !more {
				break
			}
		}
	}
}
