package train

// log.jsonl: a line a step; skipped.jsonl: steps from which nothing was learnt; rejects.jsonl: what data left out. All are
// cut back to the checkpoint when a run goes on.

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"

	"mmc4/train/data"
)

// LogLine is a line of log.jsonl.
type LogLine struct {
	Step             int                 `json:"step"`
	Loss             map[string]*float64 `json:"loss"` // by stream; null where it was not finite
	LR               float64             `json:"lr"`
	GradNorm         *float64            `json:"grad_norm"`
	SamplesPerSecond float64             `json:"samples_per_s"`
	TokensPerSecond  float64             `json:"tokens_per_s"`
	MFU              float64             `json:"mfu"` // of the device's measured rate of matrix products
	MemoryBytes      int64               `json:"memory_bytes"`
	WaitSeconds      float64             `json:"data_wait_s"`
	Rejects          map[string]int64    `json:"rejects,omitempty"` // so far, by stream
	Gates            []float64           `json:"gates,omitempty"`   // tanh of each gate, attention and feed-forward in turn
	Validation       map[string]*float64 `json:"validation,omitempty"`
	Skipped          string              `json:"skipped,omitempty"`
}

// number is a float for JSON, which has no NaN.
func number(x float64) *float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return nil
	}
	return &x
}

// lines is an open file of JSON lines.
type lines struct {
	file *os.File
}

// openLines opens DIR/name, without the lines of steps after last.
func openLines(dir, name string, last int) (*lines, error) {
	path := filepath.Join(dir, name)
	old, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	keep := 0
	for keep < len(old) {
		end := bytes.IndexByte(old[keep:], '\n')
		var line struct {
			Step int `json:"step"`
		}
		if end < 0 || json.Unmarshal(old[keep:keep+end], &line) != nil || line.Step > last {
			break
		}
		keep += end + 1
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o666)
	if err != nil {
		return nil, err
	}
	if err := f.Truncate(int64(keep)); err != nil {
		f.Close()
		return nil, err
	}
	if _, err := f.Seek(int64(keep), 0); err != nil {
		f.Close()
		return nil, err
	}
	return &lines{file: f}, nil
}

// write adds a line at once, so that a killed run leaves whole lines.
func (l *lines) write(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = l.file.Write(append(text, '\n'))
	return err
}

func (l *lines) close() error { return l.file.Close() }

// rejectLine is a line of rejects.jsonl.
type rejectLine struct {
	Step   int    `json:"step"` // that was in work when it was left out
	Stream string `json:"stream"`
	data.Reject
}

// skipLine is a line of skipped.jsonl.
type skipLine struct {
	Step    int                 `json:"step"`
	Why     string              `json:"why"`
	Samples map[string][]string `json:"samples"` // by stream
}
