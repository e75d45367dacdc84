package audit

// What is wrong with a run, bounded: a damaged run may be wrong in every row.

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Problem is one thing that is not as it should be.
type Problem struct {
	File string `json:"file"`          // "" for the run as a whole
	Row  *int64 `json:"row,omitempty"` // from 0
	What string `json:"problem"`
}

func (p Problem) String() string {
	switch {
	case p.Row != nil:
		return fmt.Sprintf("%s row %d: %s", p.File, *p.Row, p.What)
	case p.File != "":
		return p.File + ": " + p.What
	}
	return p.What
}

// perFile bounds the problems that are kept of one file.
const perFile = 20

// findings gathers problems from many goroutines.
type findings struct {
	mu    sync.Mutex
	files map[string][]Problem
	total int64
	limit int64 // Verdict.Problems holds no more; 0 = all that were kept
}

func (f *findings) add(p Problem) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total++
	if f.files == nil {
		f.files = map[string][]Problem{}
	}
	if len(f.files[p.File]) < perFile && int64(len(f.files)) <= 10_000 {
		f.files[p.File] = append(f.files[p.File], p)
	}
}

func (f *findings) file(name, format string, args ...any) {
	f.add(Problem{File: name, What: fmt.Sprintf(format, args...)})
}

func (f *findings) row(name string, row int64, format string, args ...any) {
	f.add(Problem{File: name, Row: &row, What: fmt.Sprintf(format, args...)})
}

// sorted gives the problems that were kept, by file and row.
func (f *findings) sorted() []Problem {
	out := []Problem{}
	for _, list := range f.files {
		out = append(out, list...)
	}
	rowOf := func(p Problem) int64 {
		if p.Row == nil {
			return -1
		}
		return *p.Row
	}
	slices.SortStableFunc(out, func(a, b Problem) int {
		if c := strings.Compare(a.File, b.File); c != 0 {
			return c
		}
		return int(max(-1, min(1, rowOf(a)-rowOf(b))))
	})
	if f.limit > 0 && int64(len(out)) > f.limit {
		out = out[:f.limit]
	}
	return out
}
