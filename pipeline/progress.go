package pipeline

// What a build tells while it runs. The bar on a terminal and the log lines are made by who listens.

import (
	"sync"
	"sync/atomic"
	"time"
)

// Progress listens to a build. Its methods are called from many goroutines, one at a time, and must be quick.
type Progress interface {
	// Update tells how a stage goes on: when it starts, at most five times a second, and when it ends.
	Update(StageProgress)
	// Note tells something that a person should read: a rule that is off, an input that is damaged, a resumed run.
	Note(text string)
}

// StageProgress is how far a stage is.
type StageProgress struct {
	Stage   string        `json:"stage"`
	Phase   string        `json:"phase"` // the part of the stage that is running
	Tasks   int           `json:"tasks"` // of this process, in this phase
	Done    int           `json:"done"`  // of those
	Items   int64         `json:"items"` // records handled so far in this phase
	Unit    string        `json:"unit"`  // what the records are: documents, pages, URLs, images
	Rate    float64       `json:"rate"`  // items a second
	Elapsed time.Duration `json:"elapsed"`
	ETA     time.Duration `json:"eta"` // 0 when not known
	Ended   bool          `json:"ended"`
	Resumed int           `json:"resumed"` // tasks that an earlier process had done
}

// meter counts the work of one phase and tells a Progress.
type meter struct {
	to      Progress
	mu      *sync.Mutex // serialises all calls of to
	now     func() time.Time
	started time.Time
	last    time.Time
	base    StageProgress
	items   atomic.Int64
	total   int64 // items expected, 0 = unknown
	done    int
}

func (m *meter) begin() {
	m.started = m.now()
	m.tell(false, true)
}

// add counts n items; it is cheap enough to be called for every record.
func (m *meter) add(n int64) {
	if m == nil {
		return
	}
	if total := m.items.Add(n); total&63 < n || n >= 64 {
		m.tell(false, false)
	}
}

func (m *meter) taskDone() {
	m.mu.Lock()
	m.done++
	m.mu.Unlock()
	m.tell(false, false)
}

func (m *meter) end() { m.tell(true, true) }

func (m *meter) tell(ended, always bool) {
	if m.to == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	if !always && now.Sub(m.last) < 200*time.Millisecond {
		return
	}
	m.last = now
	p := m.base
	p.Items, p.Done, p.Ended, p.Elapsed = m.items.Load(), m.done, ended, now.Sub(m.started)
	if seconds := p.Elapsed.Seconds(); seconds > 0 {
		p.Rate = float64(p.Items) / seconds
		switch {
		case ended:
		case m.total > p.Items && p.Rate > 0:
			p.ETA = time.Duration(float64(m.total-p.Items) / p.Rate * float64(time.Second))
		case m.total == 0 && p.Done > 0:
			p.ETA = time.Duration(float64(p.Elapsed) / float64(p.Done) * float64(p.Tasks-p.Done))
		}
	}
	m.to.Update(p)
}
