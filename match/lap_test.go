package match

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// bruteForce is the smallest sum over all complete assignments, +Inf if there is none; rows <= cols <= 8.
func bruteForce(cost []float64, rows, cols int) float64 {
	best := math.Inf(1)
	var place func(i, used int, sum float64)
	place = func(i, used int, sum float64) {
		if i == rows {
			best = min(best, sum)
			return
		}
		for j := range cols {
			if used>>j&1 == 0 {
				place(i+1, used|1<<j, sum+cost[i*cols+j])
			}
		}
	}
	place(0, 0, 0)
	return best
}

// plainSolve is Kuhn and Munkres' method with potentials, after the textbook: rows are added one by one, each by a
// shortest augmenting path without any head start. rows <= cols. It returns the sum, +Inf if there is no assignment.
func plainSolve(cost []float64, rows, cols int) float64 {
	u, v := make([]float64, rows+1), make([]float64, cols+1)
	row := make([]int, cols+1) // of a column; column 0 is outside
	way := make([]int, cols+1)
	for i := 1; i <= rows; i++ {
		row[0] = i
		at := 0
		least := make([]float64, cols+1)
		used := make([]bool, cols+1)
		for j := range least {
			least[j] = math.Inf(1)
		}
		for row[at] != 0 {
			used[at] = true
			i0, delta, next := row[at], math.Inf(1), -1
			for j := 1; j <= cols; j++ {
				if used[j] {
					continue
				}
				if d := cost[(i0-1)*cols+j-1] - u[i0] - v[j]; d < least[j] {
					least[j], way[j] = d, at
				}
				if least[j] < delta {
					delta, next = least[j], j
				}
			}
			if next < 0 {
				return math.Inf(1)
			}
			for j := range used {
				if used[j] {
					u[row[j]] += delta
					v[j] -= delta
				} else {
					least[j] -= delta
				}
			}
			at = next
		}
		for at != 0 {
			row[at] = row[way[at]]
			at = way[at]
		}
	}
	var sum float64
	for j := 1; j <= cols; j++ {
		if row[j] > 0 {
			sum += cost[(row[j]-1)*cols+j-1]
		}
	}
	return sum
}

// families make costs of different character.
var families = map[string]func(rng *rand.Rand, i, j int) float64{
	"uniform": func(rng *rand.Rand, _, _ int) float64 { return rng.Float64() },
	"similarity": func(rng *rand.Rand, i, j int) float64 {
		return -float64(float32(0.18 + 0.03*rng.NormFloat64() + 0.01*float64(j%7)))
	},
	"signed":     func(rng *rand.Rand, _, _ int) float64 { return 20*rng.Float64() - 10 },
	"ties":       func(rng *rand.Rand, _, _ int) float64 { return float64(rng.IntN(3)) },
	"constant":   func(*rand.Rand, int, int) float64 { return 0.5 },
	"equal rows": func(_ *rand.Rand, _, j int) float64 { return float64(j * j % 11) },
	"equal cols": func(_ *rand.Rand, i, _ int) float64 { return float64(i * i % 11) },
	"product":    func(_ *rand.Rand, i, j int) float64 { return float64((i + 1) * (j + 1)) },
	"near":       func(rng *rand.Rand, _, _ int) float64 { return 1 + 1e-9*rng.Float64() },
	"forbidden": func(rng *rand.Rand, _, _ int) float64 {
		if rng.IntN(3) == 0 {
			return math.Inf(1)
		}
		return rng.Float64()
	},
	"mostly forbidden": func(rng *rand.Rand, _, _ int) float64 {
		if rng.IntN(3) > 0 {
			return math.Inf(1)
		}
		return float64(rng.IntN(5))
	},
}

func familyCosts(rng *rand.Rand, name string, rows, cols int) []float64 {
	cost := make([]float64, rows*cols)
	for k := range cost {
		cost[k] = families[name](rng, k/cols, k%cols)
	}
	return cost
}

func transpose(cost []float64, rows, cols int) []float64 {
	t := make([]float64, len(cost))
	for k, c := range cost {
		t[k%cols*rows+k/cols] = c
	}
	return t
}

// checkAssignment verifies that the answer is a complete assignment and that its sum is the one returned, and the best.
func checkAssignment(t *testing.T, name string, cost []float64, rows, cols int, got []int, total float64, err error, best float64) {
	t.Helper()
	label := fmt.Sprintf("%s, %d x %d", name, rows, cols)
	if math.IsInf(best, 1) {
		if !errors.Is(err, ErrInfeasible) {
			t.Fatalf("%s: %v, but there is no assignment", label, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", label, err)
	}
	used := map[int]bool{}
	var sum float64
	for i, j := range got {
		if j < 0 {
			continue
		}
		if j >= cols || used[j] {
			t.Fatalf("%s: %v", label, got)
		}
		used[j] = true
		sum += cost[i*cols+j]
	}
	if len(used) != min(rows, cols) || sum != total {
		t.Fatalf("%s: %d pairs with the sum %v, returned %v", label, len(used), sum, total)
	}
	if math.Abs(total-best) > 1e-12*max(1, math.Abs(best)) {
		t.Fatalf("%s: the sum is %v, the best %v\n%v", label, total, best, got)
	}
}

func TestSolveEqualsBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 10))
	var s Solver
	for name := range families {
		for range 300 {
			rows, cols := 1+rng.IntN(6), 1+rng.IntN(6)
			cost := familyCosts(rng, name, rows, cols)
			best := 0.0
			if rows <= cols {
				best = bruteForce(cost, rows, cols)
			} else {
				best = bruteForce(transpose(cost, rows, cols), cols, rows)
			}
			got := make([]int, rows)
			total, err := s.Solve(got, cost, rows, cols)
			checkAssignment(t, name, cost, rows, cols, got, total, err, best)
		}
	}
}

func TestSolveEqualsPlainSolver(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 12))
	var s Solver
	for name := range families {
		for _, size := range [][2]int{{1, 90}, {90, 1}, {40, 40}, {17, 64}, {64, 17}, {100, 100}, {33, 130}, {150, 40}} {
			rows, cols := size[0], size[1]
			cost := familyCosts(rng, name, rows, cols)
			best := 0.0
			if rows <= cols {
				best = plainSolve(cost, rows, cols)
			} else {
				best = plainSolve(transpose(cost, rows, cols), cols, rows)
			}
			got := make([]int, rows)
			total, err := s.Solve(got, cost, rows, cols)
			checkAssignment(t, name, cost, rows, cols, got, total, err, best)
		}
	}
}

func TestSolveIsTheSameWhateverCameBefore(t *testing.T) {
	rng := rand.New(rand.NewPCG(13, 14))
	var warm Solver
	for range 200 {
		rows, cols := 1+rng.IntN(30), 1+rng.IntN(30)
		cost := familyCosts(rng, "ties", rows, cols)
		var cold Solver
		a, b := make([]int, rows), make([]int, rows)
		if _, err := warm.Solve(a, cost, rows, cols); err != nil {
			t.Fatal(err)
		}
		if _, err := cold.Solve(b, cost, rows, cols); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(a, b) {
			t.Fatalf("%d x %d: %v warm, %v cold", rows, cols, a, b)
		}
	}
}

func TestSolveRefusesBadCosts(t *testing.T) {
	var s Solver
	for _, c := range []struct {
		cost       []float64
		rows, cols int
	}{
		{[]float64{1, math.NaN()}, 1, 2},
		{[]float64{1, math.Inf(-1)}, 2, 1},
		{[]float64{1, 2, 3}, 2, 2},
		{[]float64{math.Inf(1)}, 1, 1},
		{[]float64{1, 2, math.Inf(1), math.Inf(1)}, 2, 2},
		{[]float64{1, math.Inf(1), 1, math.Inf(1)}, 2, 2},
	} {
		if total, err := s.Solve(make([]int, c.rows), c.cost, c.rows, c.cols); err == nil {
			t.Errorf("%v: %v", c.cost, total)
		}
	}
	if total, err := s.Solve(nil, nil, 0, 5); err != nil || total != 0 {
		t.Errorf("no rows: %v, %v", total, err)
	}
	alone := []int{7, 7}
	if total, err := s.Solve(alone, nil, 2, 0); err != nil || total != 0 || alone[0] != -1 || alone[1] != -1 {
		t.Errorf("no columns: %v, %v, %v", alone, total, err)
	}
}

func TestWarmSolverDoesNotAllocate(t *testing.T) {
	rng := rand.New(rand.NewPCG(15, 16))
	var s Solver
	sim := similarityRows(rng, 20, 20)
	var dst []int
	run := func() {
		var err error
		if dst, err = s.Assign(dst, sim); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(100, run); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// similarityRows makes a matrix like those of CLIP: some images and some sentences are liked by all.
func similarityRows(rng *rand.Rand, images, sentences int) [][]float32 {
	liked := make([]float64, sentences)
	for j := range liked {
		liked[j] = 0.02 * rng.NormFloat64()
	}
	sim := make([][]float32, images)
	for i := range sim {
		level := 0.18 + 0.02*rng.NormFloat64()
		sim[i] = make([]float32, sentences)
		for j := range sim[i] {
			sim[i][j] = float32(level + liked[j] + 0.025*rng.NormFloat64())
		}
	}
	return sim
}

func FuzzSolve(f *testing.F) {
	f.Add(uint8(2), uint8(3), []byte{1, 2, 3, 255, 5, 6})
	f.Add(uint8(5), uint8(2), []byte{0, 0, 0})
	f.Fuzz(func(t *testing.T, rows, cols uint8, values []byte) {
		n, m := int(rows%6), int(cols%6)
		cost := make([]float64, n*m)
		for k := range cost {
			if len(values) > 0 {
				cost[k] = float64(values[k%len(values)])
			}
			if cost[k] == 255 {
				cost[k] = math.Inf(1)
			}
		}
		best := 0.0
		if n <= m {
			best = bruteForce(cost, n, m)
		} else {
			best = bruteForce(transpose(cost, n, m), m, n)
		}
		got := make([]int, n)
		var s Solver
		total, err := s.Solve(got, cost, n, m)
		checkAssignment(t, "fuzz", cost, n, m, got, total, err, best)
	})
}
