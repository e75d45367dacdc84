package match

// This file is the assignment solver in Go: the reference for the vector code in lap_amd64.h, and what runs where that
// cannot. It reads a cost matrix and writes the column of every row.

import "math"

// portable64 solves a problem of costs, portable32 one of similarities; both fill colOf.
func (s *Solver) portable64(cost []float64, rows, cols int) int {
	for _, c := range cost {
		if !(c > math.Inf(-1)) {
			return badValue
		}
	}
	if rows > cols {
		s.cost = grow(s.cost, len(cost))
		for k, c := range cost {
			s.cost[k%cols*rows+k/cols] = c
		}
		rows, cols, cost = cols, rows, s.cost
	}
	return s.solve(cost, rows, cols)
}

func (s *Solver) portable32(similarity []float32, rows, cols int) int {
	s.cost = grow(s.cost, len(similarity))
	for k, v := range similarity {
		if v-v != 0 {
			return badValue
		}
		if rows <= cols {
			s.cost[k] = -float64(v)
		} else {
			s.cost[k%cols*rows+k/cols] = -float64(v)
		}
	}
	return s.solve(s.cost, min(rows, cols), max(rows, cols))
}

// solve fills rowOf and colOf for n rows and m >= n columns.
func (s *Solver) solve(cost []float64, n, m int) int {
	s.price, s.open, s.distance = grow(s.price, m), grow(s.open, m), grow(s.distance, m)
	s.rowOf, s.colOf, s.before = grow(s.rowOf, m), grow(s.colOf, n), grow(s.before, m)
	s.waiting = grow(s.waiting, n)
	clear(s.price)
	if n == m {
		s.reduceColumns(cost, m)
	}
	for j := range s.rowOf {
		s.rowOf[j] = -1
	}
	for i := range s.colOf {
		s.colOf[i] = -1
		s.waiting[i] = int32(i)
	}
	for range 3 {
		s.reduceRows(cost, n, m)
	}
	for _, i := range s.waiting {
		if !s.augment(cost, i, m) {
			return infeasible
		}
	}
	return solved
}

// reduceColumns starts the prices at the cheapest cost of each column. That is allowed on squares only, where no column
// stays free.
func (s *Solver) reduceColumns(cost []float64, m int) {
	copy(s.price, cost[:m])
	for from := m; from < len(cost); from += m {
		for j, c := range cost[from:][:m] {
			s.price[j] = min(s.price[j], c)
		}
	}
	for j, p := range s.price {
		if math.IsInf(p, 1) {
			s.price[j] = 0
		}
	}
}

// reduceRows is one pass of augmenting row reduction over the waiting rows; those that are left without a column wait
// again. Afterwards every held column is the cheapest of its row at the prices, which the paths that follow need.
func (s *Solver) reduceRows(cost []float64, n, m int) {
	queue, left := s.waiting, s.waiting[:0]
	budget := takeovers(n)
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
			if !lowered || budget == 0 {
				left = append(left, loser)
				break
			}
			budget--
			i = loser
		}
	}
	s.waiting = left
}

// takeovers is the number of rows that may take a column back at once in one pass. It is bounded since close prices could
// go on for long, and it is small for small problems, where a path costs less than a few such steps.
func takeovers(n int) int { return min(n*n/256, 8*n) }

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
		if s.rowOf[j] < 0 && c-s.price[j] == reduced {
			return j
		}
	}
	return -1
}

// augment finds the shortest path from a row without a column to a free column, over pairs held and not held in turn, and
// swaps them; false if there is none. A free column is preferred among columns equally far, then the lowest.
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
