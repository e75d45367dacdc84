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
// and Volgenant (1987) on the rectangle as it is: rows are never padded with dummies. A first pass lets every row take
// the column that is cheapest at current prices and raise its price to the second cheapest (their augmenting row
// reduction); rows that lose out get a shortest augmenting path. With more rows than columns the transposed problem
// is solved.
//
// Ties break by order alone, so equal input gives equal output everywhere: rows are served in ascending order, those that
// lost their column in the order of losing it; the lowest column wins among equal ones, but a free column wins before a
// taken one.
//
// The zero Solver is ready. Its memory is reused, so that a warm Solver does not allocate. It serves one goroutine at
// a time.
type Solver struct {
	cost   []float64 // scratch of Assign
	answer []int

	turned   []float64 // the transposed costs, when there are more rows than columns
	price    []float64 // v, the dual of each column, at most 0; 0 while the column is free
	rowOf    []int32   // the row that holds a column, -1 if free
	colOf    []int32   // the column that a row holds, -1 if none
	waiting  []int32   // rows without a column
	open     []float64 // during a search: price, or -Inf for columns in the tree
	distance []float64 // during a search: shortest path to a column outside the tree, +Inf inside
	before   []int32   // the row before a column on its path
	tree     []reached
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
	for k, c := range cost {
		if !(c > math.Inf(-1)) {
			return 0, fmt.Errorf("assignment: the cost of row %d and column %d is %v", k/cols, k%cols, c)
		}
	}
	for i := range rowToCol {
		rowToCol[i] = -1
	}
	if rows <= cols {
		if !s.solve(cost, rows, cols) {
			return 0, ErrInfeasible
		}
		for i, j := range s.colOf {
			rowToCol[i] = int(j)
		}
	} else {
		s.turned = grow(s.turned, len(cost))
		for i := range rows {
			for j := range cols {
				s.turned[j*rows+i] = cost[i*cols+j]
			}
		}
		if !s.solve(s.turned, cols, rows) {
			return 0, ErrInfeasible
		}
		for i, j := range s.rowOf {
			rowToCol[i] = int(j)
		}
	}
	var total float64
	for i, j := range rowToCol {
		if j >= 0 {
			total += cost[i*cols+j]
		}
	}
	return total, nil
}

// solve fills rowOf and colOf for n rows and m >= n columns; false if that cannot be done.
func (s *Solver) solve(cost []float64, n, m int) bool {
	s.price, s.open, s.distance = grow(s.price, m), grow(s.open, m), grow(s.distance, m)
	s.rowOf, s.colOf, s.before = grow(s.rowOf, m), grow(s.colOf, n), grow(s.before, m)
	s.waiting = grow(s.waiting, n)
	clear(s.price)
	for j := range s.rowOf {
		s.rowOf[j] = -1
	}
	for i := range s.colOf {
		s.colOf[i] = -1
		s.waiting[i] = int32(i)
	}
	for range 2 {
		s.reduceRows(cost, n, m)
	}
	for _, i := range s.waiting {
		if !s.augment(cost, i, m) {
			return false
		}
	}
	return true
}

// reduceRows is one pass of augmenting row reduction over the waiting rows; those that are left without a column wait
// again. Afterwards every held column is the cheapest of its row at the prices, which the paths that follow need. The
// number of rows that may take back a column at once is bounded: close prices could go on for long.
func (s *Solver) reduceRows(cost []float64, n, m int) {
	queue, left := s.waiting, s.waiting[:0]
	takeovers := 4 * n
	for _, i := range queue {
		for {
			row := cost[int(i)*m:][:m]
			first, second, at := twoCheapest(row, s.price)
			if math.IsInf(first, 1) {
				left = append(left, i) // every pair of this row is forbidden
				break
			}
			loser := s.rowOf[at]
			lowered := false
			switch {
			case first == second && loser >= 0:
				if free := s.freeAt(row, first); free >= 0 {
					at, loser = free, -1
				}
			case second < math.Inf(1):
				price := s.price[at] - (second - first)
				lowered = price < s.price[at]
				s.price[at] = price
			}
			s.rowOf[at], s.colOf[i] = i, int32(at)
			if loser < 0 {
				break
			}
			s.colOf[loser] = -1
			if !lowered || takeovers == 0 {
				left = append(left, loser)
				break
			}
			takeovers--
			i = loser
		}
	}
	s.waiting = left
}

// twoCheapest gives the two smallest reduced costs of a row and the first column that has the smallest.
func twoCheapest(row, price []float64) (first, second float64, at int) {
	first, second = math.Inf(1), math.Inf(1)
	price = price[:len(row)]
	for j, c := range row {
		d := c - price[j]
		if d < second {
			if d < first {
				first, second, at = d, first, j
			} else {
				second = d
			}
		}
	}
	return first, second, at
}

// freeAt is the first free column with this reduced cost, or -1.
func (s *Solver) freeAt(row []float64, reduced float64) int {
	for j, c := range row {
		if s.rowOf[j] < 0 && c == reduced { // the price of a free column is 0
			return j
		}
	}
	return -1
}

// augment finds the shortest path from a row without a column to a free column, over pairs held and not held in turn, and
// swaps them. A free column is preferred among columns equally far, then the lowest.
func (s *Solver) augment(cost []float64, start int32, m int) bool {
	price, open, distance := s.price, s.open, s.distance
	rowOf, before := s.rowOf, s.before
	low, lowAt := math.Inf(1), 0
	goal, goalAt := math.Inf(1), 0
	for j, c := range cost[int(start)*m:][:m] {
		d := c - price[j]
		open[j], distance[j], before[j] = price[j], d, start
		if d < low {
			low, lowAt = d, j
		}
		if d < goal && rowOf[j] < 0 {
			goal, goalAt = d, j
		}
	}
	s.tree = s.tree[:0]
	for low < goal {
		s.tree = append(s.tree, reached{int32(lowAt), low})
		i := rowOf[lowAt]
		row := cost[int(i)*m:][:m]
		offset := row[lowAt] - price[lowAt] - low
		open[lowAt], distance[lowAt] = math.Inf(-1), math.Inf(1)
		low = math.Inf(1)
		for j, c := range row {
			d := c - open[j] - offset
			if d < distance[j] {
				distance[j], before[j] = d, i
				if d < goal && rowOf[j] < 0 {
					goal, goalAt = d, j
				}
			}
			if distance[j] < low {
				low, lowAt = distance[j], j
			}
		}
	}
	if math.IsInf(goal, 1) {
		return false
	}
	for _, r := range s.tree {
		price[r.column] += r.distance - goal
	}
	for j, i := int32(goalAt), int32(-1); i != start; {
		i = before[j]
		rowOf[j] = i
		j, s.colOf[i] = s.colOf[i], j
	}
	return true
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
