package optest

import "mmc4/kernels"

var elementwiseRows = []Row{{
	Op:      "act",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		n := g.Size(3000)
		op := &kernels.Act{Kind: g.activation(), X: g.Poke(g.smooth(g.Act(n)), NaN, PlusInf, Huge, Tiny), Out: g.Out(n)}
		if !g.Small && g.Chance(25) {
			op.Out = op.X
		}
		return op
	},
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		op := f.(*kernels.Act)
		return &kernels.ActBackward{Kind: op.Kind, X: op.X, DOut: dOut, DX: grad("X")}
	},
	Wrt: []string{"X"},
	Speed: []SpeedCase{{"gelu of 2056 x 4096", func(g *Gen) kernels.Op {
		return &kernels.Act{Kind: kernels.GELU, X: g.Act(2056, 4096), Out: g.Out(2056, 4096)}
	}}},
}, {
	Op:      "gated_act",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		rows, c := g.Size(40), g.Size(200)
		op := &kernels.GatedAct{Kind: g.activation(), Out: g.Out(rows, c)}
		if g.Chance(50) {
			both := g.smooth(g.Act(rows, 2*c))
			op.Gate, op.Up = both.Slice(1, 0, c), both.Slice(1, c, 2*c)
		} else {
			op.Gate, op.Up = g.Poke(g.smooth(g.Act(rows, c)), NaN, Huge), g.Act(rows, c)
		}
		return op
	},
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		op := f.(*kernels.GatedAct)
		return &kernels.GatedActBackward{Kind: op.Kind, Gate: op.Gate, Up: op.Up, DOut: dOut, DGate: grad("Gate"), DUp: grad("Up")}
	},
	Wrt: []string{"Gate", "Up"},
	Speed: []SpeedCase{{"swiglu of 1024 x 11008", func(g *Gen) kernels.Op {
		both := g.Act(1024, 2*11008)
		return &kernels.GatedAct{Kind: kernels.SiLU, Gate: both.Slice(1, 0, 11008), Up: both.Slice(1, 11008, 2*11008), Out: g.Out(1024, 11008)}
	}}},
}, {
	Op:      "add",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		repeats, n := g.Size(20), g.Size(400)
		op := &kernels.Add{A: g.Poke(g.Act(repeats, n), NaN, PlusInf, MinusInf, Huge), B: g.Act(n), Out: g.Out(repeats, n), Scale: []float32{0, 1, -0.5}[g.IntN(3)]}
		if g.Chance(30) {
			op.Out = op.A
		}
		return op
	},
	Speed: []SpeedCase{{"2056 x 1024", func(g *Gen) kernels.Op {
		return &kernels.Add{A: g.Act(2056, 1024), B: g.Act(2056, 1024), Out: g.Out(2056, 1024)}
	}}},
}, {
	Op:      "mul",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		n := g.Size(3000)
		op := &kernels.Mul{A: g.Poke(g.Act(n), NaN, PlusInf, Tiny), B: g.Act(n), Out: g.Out(n)}
		if g.Chance(30) {
			op.Out = op.A
		}
		return op
	},
}, {
	Op:      "scale_by",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		n := g.Size(3000)
		return &kernels.ScaleBy{X: g.Poke(g.Act(n), NaN, PlusInf), S: g.Stat(1), Exp: g.Chance(50), Out: g.Out(n)}
	},
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		op := f.(*kernels.ScaleBy)
		return &kernels.ScaleByBackward{X: op.X, S: op.S, Exp: op.Exp, DOut: dOut, DS: grad("S"), DX: grad("X")}
	},
	Wrt:         []string{"S", "X"},
	WeightGrads: []string{"S"},
	Tolerance:   1e-4, // a sum that may cancel
}, {
	Op:      "tanh_gate",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		n := g.Size(3000)
		op := &kernels.TanhGate{X: g.Poke(g.Act(n), NaN, PlusInf), Y: g.Act(n), Gate: g.Stat(1), Out: g.Out(n)}
		if !g.Small && g.Chance(30) {
			op.Out = op.X
		}
		return op
	},
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		op := f.(*kernels.TanhGate)
		return &kernels.TanhGateBackward{Y: op.Y, Gate: op.Gate, DOut: dOut, DGate: grad("Gate"), DY: grad("Y")}
	},
	Wrt:         []string{"Gate", "Y"},
	WeightGrads: []string{"Gate"},
	Tolerance:   1e-4,
	Speed: []SpeedCase{{"1024 x 2048", func(g *Gen) kernels.Op {
		return &kernels.TanhGate{X: g.Act(1024, 2048), Y: g.Act(1024, 2048), Gate: g.Stat(1), Out: g.Out(1024, 2048)}
	}}},
}, {
	Op:      "clamp",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		n := g.Size(3000)
		op := &kernels.Clamp{X: g.Poke(g.smooth(g.Act(n)), NaN, PlusInf, MinusInf), Out: g.Out(n), Min: -1, Max: 1}
		if !g.Small && g.Chance(25) {
			op.Out = op.X
		}
		return op
	},
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		op := f.(*kernels.Clamp)
		return &kernels.ClampBackward{X: op.X, DOut: dOut, DX: grad("X"), Min: op.Min, Max: op.Max}
	},
	Wrt: []string{"X"},
}, {
	Op:      "copy",
	Outputs: []string{"Dst"},
	Make:    makeCopy,
	Speed: []SpeedCase{{"heads of 8 x 257 x 16 x 64", func(g *Gen) kernels.Op {
		return &kernels.Copy{Src: g.Act(8, 257, 16, 64).Permute(0, 2, 1, 3), Dst: g.Out(8, 16, 257, 64)}
	}}},
}, {
	Op:      "fill",
	Outputs: []string{"Dst"},
	Make: func(g *Gen) kernels.Op {
		return &kernels.Fill{Dst: g.Out(g.Size(3000)), Value: float32(g.NormFloat64())}
	},
}}

func (g *Gen) activation() kernels.Activation { return kernels.Activation(1 + g.IntN(8)) }

// smooth moves values away from the places where activations and Clamp have a kink, for finite differences.
func (g *Gen) smooth(t kernels.Tensor) kernels.Tensor {
	if !g.Small {
		return t
	}
	values := g.get(t)
	for i, v := range values {
		for _, kink := range []float32{-1, 0, 1} {
			if d := v - kink; d > -0.15 && d < 0.15 {
				values[i] = kink + 0.2
			}
		}
	}
	return g.set(t, values)
}

func makeCopy(g *Gen) kernels.Op {
	a, b, c, d := g.Size(5), g.Size(20), g.Size(9), g.Size(40)
	src, dst := g.ActType(), g.ActType()
	if g.Mode == BF16 { // casts
		src, dst = g.WeightType(), g.WeightType()
	}
	add := g.Chance(30)
	if !add && g.Chance(20) {
		switch g.IntN(2) {
		case 0:
			return &kernels.Copy{Src: g.Ints(-9, 9, a, b, c).Permute(2, 0, 1), Dst: g.raw(kernels.I32, c, a, b)}
		default:
			return &kernels.Copy{Src: g.Bytes(256, a, b, c).Slice(1, 0, b), Dst: g.raw(kernels.U8, a, b, c)}
		}
	}
	op := &kernels.Copy{Add: add}
	switch g.IntN(4) {
	case 0: // transposes
		order := g.Perm(4)
		from := [4]int{a, b, c, d}
		op.Src = g.fill(g.raw(src, a, b, c, d)).Permute(order...)
		op.Dst = g.raw(dst, from[order[0]], from[order[1]], from[order[2]], from[order[3]])
	case 1: // repeats
		op.Src, op.Dst = g.fill(g.raw(src, b, d)).Repeat(a), g.raw(dst, a, b, d)
	case 2: // into a slice of something
		op.Src, op.Dst = g.fill(g.raw(src, a, b, d)), g.raw(dst, a, b+3, d+2).Slice(1, 2, 2+b).Slice(2, 1, 1+d)
	default:
		op.Src, op.Dst = g.Rows(src, b, d), g.OutRows(dst, b, d)
		if op.Src.Contiguous() {
			g.Poke(op.Src, NaN, PlusInf, MinusInf, Huge)
		}
	}
	if add {
		g.fill(op.Dst)
	}
	return op
}
