package ref

import (
	"math"

	"mmc4/kernels"
)

func layerNorm(op *kernels.LayerNorm) {
	x, w, b := load(op.X), load(op.W), load(op.B)
	rows, c := op.X.Rows(), op.X.Dim(-1)
	means, rstds := make([]float64, rows), make([]float64, rows)
	out := make([]float64, len(x))
	parallel(rows, func(i int) {
		row := x[i*c : (i+1)*c]
		var mean, variance float64
		for _, v := range row {
			mean += v / float64(c)
		}
		for _, v := range row {
			variance += (v - mean) * (v - mean) / float64(c)
		}
		rstd := 1 / math.Sqrt(variance+float64(op.Eps))
		means[i], rstds[i] = mean, rstd
		for j, v := range row {
			y := (v - mean) * rstd * w[j]
			if b != nil {
				y += b[j]
			}
			out[i*c+j] = y
		}
	})
	store(op.Out, out)
	store(op.Mean, means)
	store(op.RStd, rstds)
}

func rmsNorm(op *kernels.RMSNorm) {
	x, w := load(op.X), load(op.W)
	rows, c := op.X.Rows(), op.X.Dim(-1)
	rstds, out := make([]float64, rows), make([]float64, len(x))
	parallel(rows, func(i int) {
		row := x[i*c : (i+1)*c]
		var square float64
		for _, v := range row {
			square += v * v / float64(c)
		}
		rstds[i] = 1 / math.Sqrt(square+float64(op.Eps))
		for j, v := range row {
			out[i*c+j] = v * rstds[i] * w[j]
		}
	})
	store(op.Out, out)
	store(op.RStd, rstds)
}

// layerNormBackward: with xhat = (x - mean) rstd and g = w dOut, dx = rstd (g - mean(g) - xhat mean(g xhat)). RMSNorm has
// no mean, so neither mean(g).
func layerNormBackward(op *kernels.LayerNormBackward) {
	x, w, dOut := load(op.X), load(op.W), load(op.DOut)
	means, rstds := load(op.Mean), load(op.RStd)
	rows, c := op.X.Rows(), op.X.Dim(-1)
	dx, dw, db := make([]float64, len(x)), make([]float64, c), make([]float64, c)
	for i := range rows {
		var mean, meanG, meanGX float64
		if means != nil {
			mean = means[i]
		}
		at := i * c
		for j := range c {
			g, xhat := w[j]*dOut[at+j], (x[at+j]-mean)*rstds[i]
			if means != nil {
				meanG += g / float64(c)
			}
			meanGX += g * xhat / float64(c)
			dw[j] += dOut[at+j] * xhat
			db[j] += dOut[at+j]
		}
		for j := range c {
			g, xhat := w[j]*dOut[at+j], (x[at+j]-mean)*rstds[i]
			dx[at+j] = rstds[i] * (g - meanG - xhat*meanGX)
		}
	}
	storeGrad(op.DX, dx)
	storeGrad(op.DW, dw)
	storeGrad(op.DB, db)
}

func l2Norm(op *kernels.L2Norm) {
	x := load(op.X)
	rows, c := op.X.Rows(), op.X.Dim(-1)
	norms, out := make([]float64, rows), make([]float64, len(x))
	for i := range rows {
		var square float64
		for _, v := range x[i*c : (i+1)*c] {
			square += v * v
		}
		norms[i] = math.Sqrt(square)
		for j := i * c; j < (i+1)*c; j++ {
			if norms[i] != 0 {
				out[j] = x[j] / norms[i]
			}
		}
	}
	store(op.Out, out)
	store(op.Norm, norms)
}

func l2NormBackward(op *kernels.L2NormBackward) {
	out, norms, dOut := load(op.Out), load(op.Norm), load(op.DOut)
	rows, c := op.Out.Rows(), op.Out.Dim(-1)
	dx := make([]float64, len(out))
	for i := range rows {
		along := dot(out[i*c:(i+1)*c], dOut[i*c:(i+1)*c])
		for j := i * c; j < (i+1)*c; j++ {
			if norms[i] != 0 {
				dx[j] = (dOut[j] - out[j]*along) / norms[i]
			}
		}
	}
	storeGrad(op.DX, dx)
}
