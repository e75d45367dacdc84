package optest

import "mmc4/kernels"

var optimRows = []Row{{
	Op:      "adamw",
	Outputs: []string{"W", "M", "V", "Copy"},
	Make: func(g *Gen) kernels.Op {
		sizes := []int{g.Size(3000)}
		for range g.IntN(4) {
			sizes = append(sizes, g.Size(300))
		}
		if !g.Small && g.Chance(10) { // more than fit into a launch's arguments
			for range 130 {
				sizes = append(sizes, g.Size(20))
			}
		}
		return makeAdamW(g, sizes...)
	},
	Speed: []SpeedCase{{"2048 x 8192", func(g *Gen) kernels.Op { return makeAdamW(g, 2048*8192) }}},
}, {
	Op:      "step_guard",
	Outputs: []string{"Hyper", "Count", "Go"},
	Make: func(g *Gen) kernels.Op {
		rows, first := 1+g.IntN(5), g.IntN(100)
		return &kernels.StepGuard{Found: g.Poke(g.Stat(1+g.IntN(40)), NaN, PlusInf, MinusInf, Huge), Table: g.Stat(rows, kernels.HyperLen), First: first,
			Count: g.Ints(first-1, first+rows+1, 1), Hyper: g.StatOut(kernels.HyperLen), Go: g.Ints(0, 2, 1)}
	},
}, {
	Op:      "sum_squares",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		op := &kernels.SumSquares{Out: g.StatOut(1)}
		many := g.IntN(6)
		if g.Chance(10) {
			many = 300
		}
		for range many {
			op.Xs = append(op.Xs, g.Poke(g.Stat(g.Size(3000/(1+many/100))), NaN, Tiny))
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

func makeAdamW(g *Gen, sizes ...int) kernels.Op {
	op := &kernels.AdamW{Hyper: g.Stat(kernels.HyperLen)}
	for _, n := range sizes {
		p := kernels.AdamWParam{W: g.Stat(n), M: g.Stat(n), V: g.Stat(n), Grad: g.Poke(g.Stat(n), NaN, Huge), Decay: 0.1 * float32(g.IntN(2))}
		v := g.get(p.V)
		for i := range v {
			v[i] *= v[i] // a second moment
		}
		g.set(p.V, v)
		if g.Mode != FP32 && g.Chance(80) {
			p.Copy = g.raw(kernels.BF16, n)
		}
		op.Params = append(op.Params, p)
	}
	g.set(op.Hyper, []float32{1e-3, 0.9, 0.999, 1e-8, 1 - 0.9*0.9, 1 - 0.999*0.999})
	if g.Chance(50) {
		op.Scale = g.Stat(1)
	}
	if g.Chance(30) {
		op.Go = g.Ints(0, 2, 1)
	}
	return op
}
