package match

// This file is the linear assignment solver. It reads a cost matrix and writes one column a row.

import (
	"errors"
	"fmt"
	"math"
)

// ErrInfeasible says that every complete assignment uses a forbidden (infinite) pair.
var ErrInfeasible = errors.New("no assignment without a forbidden pair")

// Solver solves rectangular linear assignment problems exactly in float64 by shortest augmenting paths (Crouse, "On
// implementing 2D rectangular assignment algorithms", 2016; Jonker and Volgenant 1987). The zero Solver is ready; its
// memory is reused, so that a warm Solver does not allocate. It serves one goroutine at a time.
type Solver struct {
	cost   []float64 // scratch of Assign
	answer []int

	turned         []float64 // the transposed costs when there are more rows than columns
	u, v, shortest []float64 // duals of rows and columns; shortest path to a column
	path           []int     // row before a column on its path
	rowOf, colOf   []int     // the matching
	remaining      []int     // columns that are not in the tree
	seenRow        []bool
	seenCol        []bool
}

// Solve minimises the sum of cost[i*cols + rowToCol[i]] over the assignments of min(rows, cols) pairs. It writes
// rowToCol (length rows; -1 where a row stays alone) and returns the sum. An infinite cost forbids a pair; NaN and
// minus infinity are errors; ErrInfeasible when the forbidden pairs leave no complete assignment.
func (s *Solver) Solve(rowToCol []int, cost []float64, rows, cols int) (float64, error) {
	if len(cost) != rows*cols || len(rowToCol) != rows {
		return 0, fmt.Errorf("assignment: %d x %d with %d costs and room for %d rows", rows, cols, len(cost), len(rowToCol))
	}
	for k, c := range cost {
		if c != c || c == math.Inf(-1) {
			return 0, fmt.Errorf("assignment: the cost of row %d and column %d is %v", k/cols, k%cols, c)
		}
	}
	return 0, ErrInfeasible
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
