package gpu

// What a check leaves: a line of JSON.

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// Outcomes of a check.
const (
	OK      = "ok"
	Failed  = "failed"  // computed wrongly, crashed, or below no bar at all
	Skipped = "skipped" // Why says what this machine lacks
)

// Line is one check.
type Line struct {
	Phase   string  `json:"phase"`
	Check   string  `json:"check"`
	Outcome string  `json:"outcome"`
	Why     string  `json:"why,omitempty"`
	Seconds float64 `json:"seconds"` // that the check took
	// Figures are what was measured, by name with its unit: "ours_ms", "ratio", "GB/s". Bar and Reach are for Of, one of
	// them; at least, so that a figure below the bar is seen in the record, not judged here.
	Figures map[string]float64 `json:"figures,omitempty"`
	Of      string             `json:"of,omitempty"`
	Bar     float64            `json:"bar,omitempty"`
	Reach   float64            `json:"reach,omitempty"`
	Note    string             `json:"note,omitempty"` // what was compared, versions
}

// String is a line for people.
func (l Line) String() string {
	s := fmt.Sprintf("%-7s %-9s %-40s %6.1f s", l.Outcome, l.Phase, l.Check, l.Seconds)
	if v, ok := l.Figures[l.Of]; ok {
		s += fmt.Sprintf("  %s %.3g", l.Of, v)
		if l.Bar > 0 {
			s += fmt.Sprintf(" (bar %.3g)", l.Bar)
		}
	}
	for _, words := range []string{l.Note, l.Why} {
		if words != "" {
			s += "  " + words
		}
	}
	return s
}

// Record is where lines go, each written through before the next check begins.
type Record struct {
	mu   sync.Mutex
	file *os.File
	say  func(Line)
}

// OpenRecord appends to a file.
func OpenRecord(path string, say func(Line)) (*Record, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return nil, err
	}
	return &Record{file: f, say: say}, nil
}

// Add writes a line.
func (r *Record) Add(l Line) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.say != nil {
		r.say(l)
	}
	if _, err := r.file.Write(append(data, '\n')); err != nil {
		return err
	}
	return r.file.Sync()
}

// Close closes the file.
func (r *Record) Close() error { return r.file.Close() }

// ReadRecord reads lines; one that was cut off by the end of a machine is left out.
func ReadRecord(r io.Reader) (lines []Line, err error) {
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var l Line
		if json.Unmarshal(scanner.Bytes(), &l) == nil && l.Phase != "" {
			lines = append(lines, l)
		}
	}
	return lines, scanner.Err()
}

// FileName is gpu-NAME-DATE.json for a device's name.
func FileName(device string, day time.Time) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return '-'
	}, device)
	words := strings.FieldsFunc(name, func(r rune) bool { return r == '-' })
	return fmt.Sprintf("gpu-%s-%s.json", strings.Join(words, "-"), day.UTC().Format("2006-01-02"))
}
