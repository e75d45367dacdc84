package ref

import (
	"math"

	"mmc4/kernels"
)

func rotary(op *kernels.Rotary) {
	x, positions := load(op.X), ints(op.Positions)
	heads, d, half := op.X.Dims[2], op.X.Dims[3], op.Dims/2
	for row, position := range positions {
		for i := range half {
			angle := float64(position) / math.Pow(float64(op.Base), 2*float64(i)/float64(op.Dims))
			if op.Inverse {
				angle = -angle
			}
			sin, cos := math.Sincos(angle)
			for h := range heads {
				at := (row*heads+h)*d + i
				a, b := x[at], x[at+half]
				x[at], x[at+half] = a*cos-b*sin, b*cos+a*sin
			}
		}
	}
	store(op.X, x)
}
