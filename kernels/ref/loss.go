package ref

import (
	"math"

	"mmc4/kernels"
)

// logSumExp is log(sum(exp(row))), with the largest element taken out first.
func logSumExp(row []float64) float64 {
	largest := math.Inf(-1)
	for _, v := range row {
		largest = max(largest, v)
	}
	var sum float64
	for _, v := range row {
		sum += math.Exp(v - largest)
	}
	return largest + math.Log(sum)
}

func crossEntropy(op *kernels.CrossEntropy) {
	x, labels := load(op.Logits), ints(op.Labels)
	v := op.Logits.Dim(-1)
	lse := make([]float64, len(labels))
	parallel(len(labels), func(i int) { lse[i] = logSumExp(x[i*v : (i+1)*v]) })
	var sum, count float64
	for i, label := range labels {
		if label == kernels.IgnoreLabel {
			continue
		}
		count++
		if label < 0 || int(label) >= v {
			sum = math.NaN()
			continue
		}
		sum += lse[i] - x[i*v+int(label)]
	}
	store(op.LSE, lse)
	store(op.Loss, []float64{sum / count, count})
}

func crossEntropyBackward(op *kernels.CrossEntropyBackward) {
	x, labels, lse := load(op.Logits), ints(op.Labels), load(op.LSE)
	factor := load(op.DLoss)[0] / load(op.Loss)[1]
	v := op.Logits.Dim(-1)
	d := make([]float64, len(x))
	parallel(len(labels), func(i int) {
		label := labels[i]
		if label == kernels.IgnoreLabel {
			return
		}
		for j := range v {
			p := math.Exp(x[i*v+j] - lse[i])
			if j == int(label) {
				p--
			}
			d[i*v+j] = p * factor
		}
	})
	storeGrad(op.DLogits, d)
}

func logSoftmax(op *kernels.LogSoftmax) {
	x, v := load(op.X), op.X.Dim(-1)
	parallel(op.X.Rows(), func(i int) {
		row := x[i*v : (i+1)*v]
		lse := logSumExp(row)
		for j := range row {
			row[j] -= lse
		}
	})
	store(op.Out, x)
}

func argMax(op *kernels.ArgMax) {
	x, v := load(op.X), op.X.Dim(-1)
	best := make([]int32, op.X.Rows())
	for i := range best {
		row := x[i*v : (i+1)*v]
		for j, value := range row {
			if largest := row[best[i]]; !math.IsNaN(largest) && (value > largest || math.IsNaN(value)) {
				best[i] = int32(j)
			}
		}
	}
	copy(bytesOf(op.Out), kernels.EncodeInts(best))
}
