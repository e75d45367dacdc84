//go:build !cgo || !amd64

package match

// This file solves assignment problems in Go where lap_cgo.go is not built.

func (s *Solver) pairs64(cost []float64, rows, cols int) int { return s.portable64(cost, rows, cols) }

func (s *Solver) pairs32(similarity []float32, rows, cols int) int {
	return s.portable32(similarity, rows, cols)
}
