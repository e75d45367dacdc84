package ref

import (
	"math"

	"mmc4/kernels"
)

func adamW(op *kernels.AdamW) {
	w, m, v, grad, hyper := load(op.W), load(op.M), load(op.V), load(op.Grad), load(op.Hyper)
	lr, b1, b2, eps, decay, correct1, correct2 := hyper[0], hyper[1], hyper[2], hyper[3], hyper[4], hyper[5], hyper[6]
	scale := 1.0
	if !op.Scale.None() {
		scale = load(op.Scale)[0]
	}
	for i := range w {
		g := grad[i] * scale
		w[i] -= lr * decay * w[i]
		m[i] = b1*m[i] + (1-b1)*g
		v[i] = b2*v[i] + (1-b2)*g*g
		w[i] -= lr / correct1 * m[i] / (math.Sqrt(v[i])/math.Sqrt(correct2) + eps)
	}
	store(op.W, w)
	store(op.M, m)
	store(op.V, v)
	store(op.Copy, w)
}

func sumSquares(op *kernels.SumSquares) {
	var sum float64
	for _, x := range op.Xs {
		for _, v := range load(x) {
			sum += v * v
		}
	}
	store(op.Out, []float64{sum})
}

func clipScale(op *kernels.ClipScale) {
	norm := math.Sqrt(load(op.SumSq)[0])
	store(op.Out, []float64{min(1, float64(op.Max)/(norm+1e-6))})
}
