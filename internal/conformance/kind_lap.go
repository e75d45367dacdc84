package conformance

import (
	"context"
	"fmt"
	"math"

	"mmc4/match"
)

func init() {
	register("lap.mmc4", checkLapMMC4)
	register("lap.scipy", checkLapScipy)
}

// checkLapMMC4 assigns images to sentences. lapjv breaks near ties its own way, so the sentences count only where the
// next best assignment is clearly worse; the total counts always.
func checkLapMMC4(_ context.Context, _ *Env, c *Case, r *Report) error {
	const close = 0.001
	var file struct {
		Cases []struct {
			Group      string
			Similarity [][]float64
			RowToCol   []int   `json:"row_to_col"`
			BestTotal  float64 `json:"best_total"`
			Margin     *float64
		}
	}
	if err := c.Decode(&file); err != nil {
		return err
	}
	var solver match.Solver
	for i, k := range file.Cases {
		label := fmt.Sprintf("case %d (%s, %d x %d)", i, k.Group, len(k.Similarity), len(k.Similarity[0]))
		got, total, err := solve(&solver, k.Similarity, -1)
		if err != nil {
			r.Failf("%s: %v", label, err)
			continue
		}
		r.Near(label+": total", -total, k.BestTotal, close)
		if k.Margin == nil || *k.Margin > close {
			r.Equal(label, got, k.RowToCol)
		}
	}
	return nil
}

// checkLapScipy solves matrices of costs; null forbids a pair.
func checkLapScipy(_ context.Context, _ *Env, c *Case, r *Report) error {
	const close = 1e-9
	var file struct {
		Cases []struct {
			Group    string
			Maximize bool
			Cost     [][]*float64
			Rows     []int
			Cols     []int
			Total    float64
			Margin   *float64
		}
	}
	if err := c.Decode(&file); err != nil {
		return err
	}
	var solver match.Solver
	for i, k := range file.Cases {
		label := fmt.Sprintf("case %d (%s, %d x %d)", i, k.Group, len(k.Cost), len(k.Cost[0]))
		sign := 1.0
		if k.Maximize {
			sign = -1
		}
		costs := make([][]float64, len(k.Cost))
		for i, row := range k.Cost {
			for _, v := range row {
				if v == nil {
					costs[i] = append(costs[i], sign*math.Inf(1))
				} else {
					costs[i] = append(costs[i], *v)
				}
			}
		}
		got, total, err := solve(&solver, costs, sign)
		if err != nil {
			r.Failf("%s: %v", label, err)
			continue
		}
		r.Near(label+": total", sign*total, k.Total, close)
		if k.Margin == nil || *k.Margin > close {
			rows, cols := []int{}, []int{}
			for i, j := range got {
				if j >= 0 {
					rows, cols = append(rows, i), append(cols, j)
				}
			}
			r.Equal(label, [][]int{rows, cols}, [][]int{k.Rows, k.Cols})
		}
	}
	return nil
}

// solve minimises the sum of sign * values.
func solve(solver *match.Solver, values [][]float64, sign float64) (rowToCol []int, total float64, err error) {
	rows, cols := len(values), len(values[0])
	cost := make([]float64, 0, rows*cols)
	for _, row := range values {
		for _, v := range row {
			cost = append(cost, sign*v)
		}
	}
	rowToCol = make([]int, rows)
	total, err = solver.Solve(rowToCol, cost, rows, cols)
	return rowToCol, total, err
}
