package match

// This file is the linear assignment solver. It reads a cost matrix and writes one column a row.

import (
	"errors"
	"fmt"
	"math"
)

// ErrInfeasible says that every complete assignment uses a forbidden (infinite) pair.
var ErrInfeasible = errors.New("no complete assignment without a forbidden pair")

// Solver solves rectangular linear assignment problems exactly in float64, by the shortest augmenting paths of Jonker
// and Volgenant (1987) on the rectangle as it is: rows are never padded with dummies. On squares, prices start at the
// cheapest cost of each column. Then, in up to three passes, every row takes the column that is cheapest at current prices
// and raises its price to the second cheapest (their augmenting row reduction); rows that lose out in the end get a shortest
// augmenting path. With more rows than columns the transposed problem is solved.
//
// Ties break by order alone, so equal input gives equal output on every machine and build: rows are served in ascending
// order, those that lost their column in the order of losing it; among columns equally cheap a free one wins before a
// taken one, then the lowest. (lapjv and scipy break ties in ways of their own; all totals agree.)
//
// The zero Solver is ready. Its memory is reused, so that a warm Solver does not allocate. It serves one goroutine at
// a time.
type Solver struct {
	flat   []float32 // scratch of Assign: the similarities without gaps
	answer []int

	colOf    []int32   // the column that a row holds, -1 if none; the rest is scratch of a solution
	cost     []float64 // costs laid out for the solution, with rows and columns exchanged if there are more rows
	price    []float64 // v, the dual of each column; at most 0 unless the problem is square
	rowOf    []int32   // the row that holds a column, -1 if free
	waiting  []int32   // rows without a column
	open     []float64 // during a search: price, or -Inf for columns in the tree
	distance []float64 // during a search: shortest path to a column outside the tree, +Inf inside
	before   []int32   // the row before a column on its path
	tree     []reached
	native   []float64 // all of the above for the C code
}

// reached is a column in the tree of a search and the length of its path.
type reached struct {
	column   int32
	distance float64
}

// Solve minimises the sum of cost[i*cols+rowToCol[i]] over all ways to make min(rows, cols) pairs. It fills rowToCol,
// of length rows, with -1 for rows that stay alone, and returns the sum, added in the order of rows. A cost of plus infinity
// forbids a pair; NaN and minus infinity are errors; ErrInfeasible when forbidden pairs leave no complete assignment.
func (s *Solver) Solve(rowToCol []int, cost []float64, rows, cols int) (float64, error) {
	if rows < 0 || cols < 0 || len(cost) != rows*cols || len(rowToCol) != rows {
		return 0, fmt.Errorf("assignment: %d x %d with %d costs and room for %d rows", rows, cols, len(cost), len(rowToCol))
	}
	for i := range rowToCol {
		rowToCol[i] = -1
	}
	switch s.pairs64(cost, rows, cols) {
	case badValue:
		for k, c := range cost {
			if !(c > math.Inf(-1)) {
				return 0, fmt.Errorf("assignment: the cost of row %d and column %d is %v", k/cols, k%cols, c)
			}
		}
	case infeasible:
		return 0, ErrInfeasible
	}
	s.fill(rowToCol, rows, cols)
	var total float64
	for i, j := range rowToCol {
		if j >= 0 {
			total += cost[i*cols+j]
		}
	}
	return total, nil
}

// What pairs32 and pairs64 answer.
const (
	badValue   = -1
	infeasible = 0
	solved     = 1
)

// fill spells colOf out: with more rows than columns it holds the row of every column.
func (s *Solver) fill(rowToCol []int, rows, cols int) {
	for i, j := range s.colOf {
		if rows <= cols {
			rowToCol[i] = int(j)
		} else {
			rowToCol[j] = i
		}
	}
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
