package ref

import (
	"math"

	"mmc4/kernels"
)

func adamW(op *kernels.AdamW) {
	if !op.Go.None() && ints(op.Go)[0] == 0 {
		return
	}
	hyper, scale := load(op.Hyper), 1.0
	lr, b1, b2, eps, correct1, correct2 := hyper[0], hyper[1], hyper[2], hyper[3], hyper[4], hyper[5]
	if !op.Scale.None() {
		scale = load(op.Scale)[0]
	}
	for _, p := range op.Params {
		w, m, v, grad, decay := load(p.W), load(p.M), load(p.V), load(p.Grad), float64(p.Decay)
		for i := range w {
			g := grad[i] * scale
			w[i] -= lr * decay * w[i]
			m[i] = b1*m[i] + (1-b1)*g
			v[i] = b2*v[i] + (1-b2)*g*g
			w[i] -= lr / correct1 * m[i] / (math.Sqrt(v[i])/math.Sqrt(correct2) + eps)
		}
		store(p.W, w)
		store(p.M, m)
		store(p.V, v)
		store(p.Copy, w)
	}
}

func stepGuard(op *kernels.StepGuard) {
	taken := int32(1)
	for _, x := range load(op.Found) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			taken = 0
		}
	}
	count, hyper := ints(op.Count), make([]float64, kernels.HyperLen)
	if row := int(count[0]) - op.First; row >= 0 && row < op.Table.Dims[0] {
		copy(hyper, load(op.Table)[row*kernels.HyperLen:])
	} else {
		taken = 0
	}
	store(op.Hyper, hyper)
	storeInts(op.Count, []int32{count[0] + taken})
	storeInts(op.Go, []int32{taken})
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
