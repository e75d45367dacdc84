package pipeline

// The local runner: a bounded pool of workers over the tasks that are not done, phase by phase, and the share of a slice.

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"mmc4/internal/storage"
)

// run is one process's view of a run.
type run struct {
	cfg      *Config
	store    storage.Store
	local    string // the folder, "" when remote
	scratch  string
	plan     *plan
	journal  *journal
	budget   *budget
	phases   []*phase
	progress Progress
	mu       sync.Mutex // serialises progress
	once     prepared   // what tasks of a phase share
	spent    map[string]time.Duration
}

// phase is a part of a stage: tasks of one kind, all of which can run at once when the phases before are complete.
type phase struct {
	stage string
	name  string // stage.part, or the stage alone
	unit  string // of what the meter counts
	tasks func(r *run) int
	do    func(ctx context.Context, t *task) error
	waits bool          // its tasks wait for others more than they work: more of them run at a time
	feeds func() []from // the records that the meter will count, about; nil when nobody knows
}

// expected is about how many items so many of a phase's tasks will count, 0 when unknown.
func (r *run) expected(p *phase, todo, total int) int64 {
	if p.feeds == nil || total == 0 {
		return 0
	}
	var rows int64
	for _, f := range p.feeds() {
		for i := range r.tasks(f.phase) {
			if e := r.journal.get(f.phase, i); e != nil {
				for _, a := range e.Outputs {
					if a.Output == f.output {
						rows += a.Rows
					}
				}
			}
		}
	}
	return rows * int64(todo) / int64(total)
}

// tasksAtOnce is how many tasks of a phase that waits run at a time, where there are fewer workers.
const tasksAtOnce = 16

func (r *run) note(format string, args ...any) {
	if r.progress != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.progress.Note(fmt.Sprintf(format, args...))
	}
}

// phaseNamed is nil for a name that is not known.
func (r *run) phaseNamed(name string) *phase {
	for _, p := range r.phases {
		if p.name == name {
			return p
		}
	}
	return nil
}

// tasks is the number of tasks of a phase.
func (r *run) tasks(name string) int {
	if p := r.phaseNamed(name); p != nil {
		return p.tasks(r)
	}
	return 0
}

func (r *run) complete(p *phase) bool { return r.journal.done(p.name) >= p.tasks(r) }

// runPhase brings a phase to its end, or a slice's share of it. last says that no later phase of this process needs it.
func (r *run) runPhase(ctx context.Context, p *phase, last bool) error {
	total := p.tasks(r)
	var todo []int
	resumed, mine := 0, 0
	for i := range total {
		if !r.inSlice(i) {
			continue
		}
		mine++
		if r.journal.get(p.name, i) != nil {
			resumed++
			continue
		}
		todo = append(todo, i)
	}
	m := &meter{to: r.progress, mu: &r.mu, now: time.Now, base: StageProgress{Stage: p.stage, Phase: p.name, Unit: p.unit,
		Tasks: mine, Resumed: resumed}, done: resumed, total: r.expected(p, len(todo), total)}
	r.once.crawl.forget() // phases read the crawl in different ways
	if len(todo) > 0 {
		m.begin()
		started := time.Now()
		err := r.perform(ctx, p, todo, m)
		r.spent[p.stage] += time.Since(started)
		if err != nil {
			return err
		}
	}
	if !last && r.cfg.Slices > 0 {
		if err := r.awaitOthers(ctx, p, m); err != nil {
			return err
		}
	}
	if len(todo) > 0 {
		m.end()
	}
	return nil
}

func (r *run) inSlice(task int) bool {
	return r.cfg.Slices == 0 || task%r.cfg.Slices == r.cfg.Slice-1
}

// perform runs tasks on the workers. The first failure stops the others.
func (r *run) perform(ctx context.Context, p *phase, todo []int, m *meter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int)
	var workers sync.WaitGroup
	atOnce := r.cfg.Workers
	if p.waits {
		atOnce = max(atOnce, tasksAtOnce)
	}
	for range min(atOnce, len(todo)) {
		workers.Go(func() {
			for i := range next {
				if ctx.Err() != nil {
					continue
				}
				done := r.claim(ctx, p, i)
				err := r.newTask(p, i, m).perform(ctx)
				done()
				if err != nil {
					cancel(err)
					continue
				}
				m.taskDone()
			}
		})
	}
	for _, i := range todo {
		next <- i
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// Claims tell other slices that a task is being worked on. They are hints: a task may be done twice without harm.

const (
	claimBeat  = 10 * time.Second
	claimDeath = 45 * time.Second
	claimPoll  = 500 * time.Millisecond
)

func claimName(p *phase, task int) string { return fmt.Sprintf("work/claims/%s/%06d", p.name, task) }

// claim shows that this process works at a task until the returned function is called.
func (r *run) claim(ctx context.Context, p *phase, task int) (done func()) {
	if r.cfg.Slices == 0 {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	var beating sync.WaitGroup
	beating.Go(func() {
		for {
			data, _ := json.Marshal(lease{me(), time.Now().UTC()})
			storage.WriteFile(ctx, r.store, claimName(p, task), data) // only a hint
			select {
			case <-ctx.Done():
				return
			case <-time.After(claimBeat):
			}
		}
	})
	return func() {
		cancel()
		beating.Wait()
		r.store.Remove(context.WithoutCancel(ctx), claimName(p, task))
	}
}

// awaitOthers waits until all tasks of a phase are done. Those that nobody is at work on are done here: a slice may run
// alone, one after the other, or beside its fellows, and none waits for one that is dead or has not started.
func (r *run) awaitOthers(ctx context.Context, p *phase, m *meter) error {
	told := false
	for {
		if err := r.journal.refresh(ctx, p.name); err != nil {
			return err
		}
		var free []int
		open := 0
		for i := range p.tasks(r) {
			if r.journal.get(p.name, i) != nil {
				continue
			}
			open++
			if !r.claimed(ctx, p, i) {
				free = append(free, i)
			}
		}
		switch {
		case open == 0:
			return nil
		case len(free) > 0:
			if err := r.perform(ctx, p, free[:min(len(free), r.cfg.Workers)], m); err != nil {
				return err
			}
		default:
			if !told {
				r.note("waiting for %d task(s) of %s that other slices are at", open, p.name)
				told = true
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(claimPoll):
			}
		}
	}
}

func (r *run) claimed(ctx context.Context, p *phase, task int) bool {
	data, err := storage.ReadFile(ctx, r.store, claimName(p, task))
	var l lease
	return err == nil && json.Unmarshal(data, &l) == nil && time.Since(l.Alive) < claimDeath
}
