package bench

// What a comparison is made of: Row, Contest, Side.

import (
	"context"
	"path"
	"strings"
	"time"
)

// Row is one line of the table.
type Row struct {
	Name  string  // what `mmc4 bench NAME` takes: group.case
	Input string  // in words
	Peer  string  // whom it is measured against
	Bar   float64 // the ratio that the project promised; 0 for none
	// Open makes the input from the lab's seed and opens both sides. An Unavailable error skips the row.
	Open func(ctx context.Context, lab *Lab) (*Contest, error)
}

// Contest is a row whose sides are ready to run. Both have computed nothing yet.
type Contest struct {
	Unit         string  // of the figures: Work of them are done by one run
	Work         float64 // per run
	Ours, Theirs Side
	// Agree runs both sides once, compares, and says what was compared and how close it was. An error means that the outputs
	// differ, or that a side failed.
	Agree func() (string, error)
	// Once is for what is not measured in rounds: what one unit of work costs on both sides, asked after Agree. nil: CPU time.
	Once func() (ours, theirs float64, err error)
}

// Side is what is measured.
type Side interface {
	// Run does the work so many times and returns the CPU time it took.
	Run(times int) (time.Duration, error)
	Version() string
	Close() error
}

// Unavailable says why a row cannot be measured here and what to do.
type Unavailable struct{ Why string }

func (e Unavailable) Error() string { return e.Why }

// Select gives the rows that names ask for: a row's name, its group (all before the dot), or a glob. No names: all rows.
// unknown lists names that stand for nothing.
func Select(rows []Row, names []string) (chosen []Row, unknown []string) {
	if len(names) == 0 {
		return rows, nil
	}
	used := map[string]bool{}
	for _, row := range rows {
		wanted := false
		for _, name := range names {
			group, _, _ := strings.Cut(row.Name, ".")
			if ok, _ := path.Match(name, row.Name); ok || name == group {
				wanted, used[name] = true, true
			}
		}
		if wanted {
			chosen = append(chosen, row)
		}
	}
	for _, name := range names {
		if !used[name] {
			unknown = append(unknown, name)
		}
	}
	return chosen, unknown
}
