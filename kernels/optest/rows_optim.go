package optest

import "mmc4/kernels"

var optimRows = []Row{{
	Op:      "adamw",
	Outputs: []string{"W", "M", "V", "Copy"},
	Make:    func(g *Gen) kernels.Op { return makeAdamW(g, g.Size(3000)) },
	Speed:   []SpeedCase{{"2048 x 8192", func(g *Gen) kernels.Op { return makeAdamW(g, 2048*8192) }}},
}, {
	Op:      "sum_squares",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		op := &kernels.SumSquares{Out: g.StatOut(1)}
		for range g.IntN(6) {
			op.Xs = append(op.Xs, g.Poke(g.Stat(g.Size(3000)), NaN, Tiny))
		}
		return op
	},
}, {
	Op:      "clip_scale",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		sum := g.Stat(1)
		g.set(sum, []float32{float32(g.ExpFloat64())})
		return &kernels.ClipScale{SumSq: g.Poke(sum, NaN), Max: 1, Out: g.StatOut(1)}
	},
}}

func makeAdamW(g *Gen, n int) kernels.Op {
	op := &kernels.AdamW{W: g.Stat(n), M: g.Stat(n), V: g.Stat(n), Grad: g.Poke(g.Stat(n), NaN, Huge), Hyper: g.Stat(7)}
	v := g.get(op.V)
	for i := range v {
		v[i] *= v[i] // a second moment
	}
	g.set(op.V, v)
	g.set(op.Hyper, []float32{1e-3, 0.9, 0.999, 1e-8, 0.1, 1 - 0.9*0.9, 1 - 0.999*0.999})
	if g.Mode != FP32 {
		op.Copy = g.raw(kernels.BF16, n)
	}
	if g.Chance(50) {
		op.Scale = g.Stat(1)
	}
	return op
}
