package ref

import (
	"math"

	"mmc4/kernels"
)

const gpt2 = 0.044715

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// normal is the standard normal distribution's density and its integral from -Inf.
func normal(x float64) (density, integral float64) {
	return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi), math.Erfc(-x/math.Sqrt2) / 2
}

// activate is f(x).
func activate(kind kernels.Activation, x float64) float64 {
	switch kind {
	case kernels.GELU:
		_, integral := normal(x)
		return x * integral
	case kernels.GELUTanh:
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+gpt2*x*x*x)))
	case kernels.QuickGELU:
		return x * sigmoid(1.702*x)
	case kernels.ReLU:
		return max(x, 0)
	case kernels.SquaredReLU:
		return max(x, 0) * max(x, 0)
	case kernels.SiLU:
		return x * sigmoid(x)
	case kernels.Tanh:
		return math.Tanh(x)
	case kernels.Sigmoid:
		return sigmoid(x)
	}
	return x
}

// slope is f'(x).
func slope(kind kernels.Activation, x float64) float64 {
	switch kind {
	case kernels.GELU:
		density, integral := normal(x)
		return integral + x*density
	case kernels.GELUTanh:
		t := math.Tanh(math.Sqrt(2/math.Pi) * (x + gpt2*x*x*x))
		return 0.5*(1+t) + 0.5*x*(1-t*t)*math.Sqrt(2/math.Pi)*(1+3*gpt2*x*x)
	case kernels.QuickGELU:
		s := sigmoid(1.702 * x)
		return s + 1.702*x*s*(1-s)
	case kernels.ReLU:
		if x > 0 {
			return 1
		}
		return 0
	case kernels.SquaredReLU:
		return 2 * max(x, 0)
	case kernels.SiLU:
		s := sigmoid(x)
		return s + x*s*(1-s)
	case kernels.Tanh:
		c := math.Cosh(x) // 1 - tanh^2 would cancel
		return 1 / (c * c)
	case kernels.Sigmoid:
		return sigmoid(x) * sigmoid(-x)
	}
	return 1
}

func act(op *kernels.Act) {
	x := load(op.X)
	for i, v := range x {
		x[i] = activate(op.Kind, v)
	}
	store(op.Out, x)
}

func actBackward(op *kernels.ActBackward) {
	x, d := load(op.X), load(op.DOut)
	for i, v := range x {
		d[i] *= slope(op.Kind, v)
	}
	storeGrad(op.DX, d)
}

func gatedAct(op *kernels.GatedAct) {
	gate, up := load(op.Gate), load(op.Up)
	for i, v := range gate {
		up[i] *= activate(op.Kind, v)
	}
	store(op.Out, up)
}

func gatedActBackward(op *kernels.GatedActBackward) {
	gate, up, d := load(op.Gate), load(op.Up), load(op.DOut)
	dGate, dUp := make([]float64, len(d)), make([]float64, len(d))
	for i := range d {
		dGate[i] = slope(op.Kind, gate[i]) * up[i] * d[i]
		dUp[i] = activate(op.Kind, gate[i]) * d[i]
	}
	storeGrad(op.DGate, dGate)
	storeGrad(op.DUp, dUp)
}
