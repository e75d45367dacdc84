package bench

// Whether numbers agree.

import (
	"fmt"
	"math"
)

// closeTo compares by relative L2 error.
func closeTo(mine, theirs []float32, limit float64) (string, error) {
	if len(mine) != len(theirs) {
		return "", fmt.Errorf("outputs differ: %d values, the peer has %d", len(mine), len(theirs))
	}
	var off, all float64
	for i, v := range theirs {
		d := float64(mine[i]) - float64(v)
		off += d * d
		all += float64(v) * float64(v)
	}
	e := math.Sqrt(off / all)
	if !(e <= limit) {
		return "", fmt.Errorf("outputs differ: relative L2 error %.2g, allowed %.2g", e, limit)
	}
	return fmt.Sprintf("relative L2 error %.1g", e), nil
}

// cosine compares rows by the smallest cosine.
func cosine(mine, theirs []float32, rows int, least float64) (string, error) {
	if len(mine) != len(theirs) {
		return "", fmt.Errorf("outputs differ: %d values, the peer has %d", len(mine), len(theirs))
	}
	worst, n := 1.0, len(mine)/rows
	for r := range rows {
		var xx, xy, yy float64
		for i := r * n; i < (r+1)*n; i++ {
			x, y := float64(mine[i]), float64(theirs[i])
			xx, xy, yy = xx+x*x, xy+x*y, yy+y*y
		}
		if c := xy / math.Sqrt(xx*yy); !(c >= worst) {
			worst = c
		}
	}
	if !(worst >= least) {
		return "", fmt.Errorf("outputs differ: cosine %.6f, at least %.6f is asked for", worst, least)
	}
	return fmt.Sprintf("cosine %.6f", worst), nil
}
