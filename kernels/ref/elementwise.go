package ref

import (
	"math"

	"mmc4/kernels"
)

func add(op *kernels.Add) {
	a, b := load(op.A), load(op.B)
	scale := float64(op.Scale)
	if scale == 0 {
		scale = 1
	}
	for i := range a {
		a[i] += scale * b[i%len(b)]
	}
	store(op.Out, a)
}

func mul(op *kernels.Mul) {
	a, b := load(op.A), load(op.B)
	for i := range a {
		a[i] *= b[i]
	}
	store(op.Out, a)
}

func scaleBy(op *kernels.ScaleBy) {
	x, s := load(op.X), load(op.S)[0]
	if op.Exp {
		s = math.Exp(s)
	}
	for i := range x {
		x[i] *= s
	}
	store(op.Out, x)
}

func scaleByBackward(op *kernels.ScaleByBackward) {
	x, s, d := load(op.X), load(op.S)[0], load(op.DOut)
	factor, inner := s, 1.0
	if op.Exp {
		factor, inner = math.Exp(s), math.Exp(s)
	}
	var sum float64
	for i := range d {
		sum += x[i] * d[i]
		d[i] *= factor
	}
	storeGrad(op.DX, d)
	storeGrad(op.DS, []float64{inner * sum})
}

func tanhGate(op *kernels.TanhGate) {
	x, y, gate := load(op.X), load(op.Y), math.Tanh(load(op.Gate)[0])
	for i := range x {
		x[i] += gate * y[i]
	}
	store(op.Out, x)
}

func tanhGateBackward(op *kernels.TanhGateBackward) {
	y, gate, d := load(op.Y), math.Tanh(load(op.Gate)[0]), load(op.DOut)
	var sum float64
	for i := range d {
		sum += y[i] * d[i]
		d[i] *= gate
	}
	storeGrad(op.DY, d)
	storeGrad(op.DGate, []float64{(1 - gate*gate) * sum})
}

func clamp(op *kernels.Clamp) {
	x := load(op.X)
	for i, v := range x {
		x[i] = min(max(v, float64(op.Min)), float64(op.Max))
	}
	store(op.Out, x)
}

func clampBackward(op *kernels.ClampBackward) {
	x, d := load(op.X), load(op.DOut)
	for i, v := range x {
		if !(float64(op.Min) <= v && v <= float64(op.Max)) {
			d[i] = 0
		}
	}
	storeGrad(op.DX, d)
}
