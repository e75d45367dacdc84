package optest

import "mmc4/kernels"

var normRows = []Row{{
	Op:      "layernorm",
	Outputs: []string{"Out", "Mean", "RStd"},
	Make: func(g *Gen) kernels.Op {
		rows, c := g.Size(70), 2+g.Width(298) // gradients of shorter rows are rounding errors
		op := &kernels.LayerNorm{X: g.Poke(g.Act(rows, c), NaN, PlusInf, Huge), W: g.Weight(c), Eps: 1e-5, Out: g.Out(rows, c),
			Mean: g.StatOut(rows), RStd: g.StatOut(rows)}
		if g.Chance(70) {
			op.B = g.Weight(c)
		}
		return op
	},
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		op := f.(*kernels.LayerNorm)
		return &kernels.LayerNormBackward{X: op.X, W: op.W, Mean: op.Mean, RStd: op.RStd, DOut: dOut,
			DX: grad("X"), DB: grad("B"), DW: grad("W")}
	},
	Wrt:         []string{"X", "B", "W"},
	WeightGrads: []string{"W", "B"},
	Tolerance:   3e-5,
	Speed: []SpeedCase{{"2056 rows of 1024", func(g *Gen) kernels.Op {
		return &kernels.LayerNorm{X: g.Act(2056, 1024), W: g.Stat(1024), B: g.Stat(1024), Eps: 1e-5, Out: g.Out(2056, 1024),
			Mean: g.StatOut(2056), RStd: g.StatOut(2056)}
	}}},
}, {
	Op:      "rmsnorm",
	Outputs: []string{"Out", "RStd"},
	Make: func(g *Gen) kernels.Op {
		rows, c := g.Size(70), 2+g.Width(298) // gradients of shorter rows are rounding errors
		return &kernels.RMSNorm{X: g.Poke(g.Act(rows, c), NaN, PlusInf, Huge), W: g.Weight(c), Eps: 1e-6, Out: g.Out(rows, c), RStd: g.StatOut(rows)}
	},
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		op := f.(*kernels.RMSNorm)
		return &kernels.LayerNormBackward{X: op.X, W: op.W, RStd: op.RStd, DOut: dOut, DX: grad("X"), DW: grad("W")}
	},
	Wrt:         []string{"X", "W"},
	WeightGrads: []string{"W"},
	Tolerance:   3e-5,
	Speed: []SpeedCase{{"1024 rows of 4096", func(g *Gen) kernels.Op {
		return &kernels.RMSNorm{X: g.Act(1024, 4096), W: g.Stat(4096), Eps: 1e-5, Out: g.Out(1024, 4096), RStd: g.StatOut(1024)}
	}}},
}, {
	Op:      "l2norm",
	Outputs: []string{"Out", "Norm"},
	Make: func(g *Gen) kernels.Op {
		rows, c := g.Size(70), 2+g.Width(298) // gradients of shorter rows are rounding errors
		op := &kernels.L2Norm{X: g.Poke(g.Act(rows, c), NaN, Huge), Out: g.Out(rows, c), Norm: g.StatOut(rows)}
		if !g.Small && g.Chance(20) {
			g.set(op.X.Slice(0, 0, 1), make([]float32, c)) // a row of zeros
		}
		return op
	},
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		op := f.(*kernels.L2Norm)
		return &kernels.L2NormBackward{Out: op.Out, Norm: op.Norm, DOut: dOut, DX: grad("X")}
	},
	Wrt:       []string{"X"},
	Tolerance: 3e-5,
	Speed: []SpeedCase{{"4096 rows of 768", func(g *Gen) kernels.Op {
		return &kernels.L2Norm{X: g.Act(4096, 768), Out: g.Out(4096, 768), Norm: g.StatOut(4096)}
	}}},
}}
