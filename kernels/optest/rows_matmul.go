package optest

import "mmc4/kernels"

var matMulRows = []Row{{
	Op:        "matmul",
	Outputs:   []string{"Out", "Pre"},
	Make:      makeMatMul,
	Tolerance: 1e-5,
	Speed: []SpeedCase{
		{"vit-l qkv, 1 image", linear(257, 3072, 1024)},
		{"vit-l mlp up, 8 images", linear(8*257, 4096, 1024)},
		{"vit-l mlp down, 8 images", linear(8*257, 1024, 4096)},
		{"gpt2 mlp up, 1 token", linear(1, 3072, 768)},
		{"gpt2 mlp up, 16 tokens", linear(16, 3072, 768)},
		{"gpt2 mlp up, 1024 tokens", linear(1024, 3072, 768)},
		{"gpt2 head, 64 tokens", linear(64, 50257, 768)},
	},
}, {
	Op:      "sum_rows",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		n := g.Size(300)
		out := kernels.Grad{T: g.raw(g.WeightType(), n)}
		if g.Chance(50) {
			out = kernels.Grad{T: g.Weight(n), Add: true}
		}
		return &kernels.SumRows{X: g.Rows(g.WeightType(), g.Size(300), n), Out: out}
	},
	Speed: []SpeedCase{{"bias of 3072, 1024 rows", func(g *Gen) kernels.Op {
		return &kernels.SumRows{X: g.Act(1024, 3072), Out: kernels.Grad{T: g.StatOut(3072)}}
	}}},
}}

func makeMatMul(g *Gen) kernels.Op {
	m, n, k := g.Size(140), g.Size(140), g.Size(300)
	if g.Chance(5) {
		m, n, k = g.Size(40), g.Size(600), g.Size(1100)
	}
	op := &kernels.MatMul{TransA: g.Chance(25), TransB: g.Chance(60), Alpha: []float32{0, 1, 0.125}[g.IntN(3)]}
	ar, ac, br, bc := m, k, k, n
	if op.TransA {
		ar, ac = k, m
	}
	if op.TransB {
		br, bc = n, k
	}
	op.A = g.Rows(g.WeightType(), ar, ac)
	if !op.TransA && g.Chance(20) {
		op.B = g.Int8(br, bc)
	} else {
		op.B = g.Rows(g.WeightType(), br, bc)
	}
	if op.A.Contiguous() {
		g.Poke(op.A, NaN, Huge, Tiny)
	}
	op.Out = g.OutRows(g.WeightType(), m, n)
	if g.Chance(25) {
		op.Add = true
		g.fill(op.Out)
		return op
	}
	if g.Chance(60) {
		op.Bias = g.Weight(n)
	}
	if g.Chance(40) {
		op.Act = kernels.Activation(1 + g.IntN(8))
		if g.Chance(50) {
			op.Pre = g.raw(g.WeightType(), m, n)
		}
	}
	switch g.IntN(4) {
	case 0:
		op.Residual = g.Rows(g.WeightType(), m, n)
	case 1:
		g.fill(op.Out)
		op.Residual = op.Out
	}
	if g.Chance(25) { // leading dimensions
		if op.A.Contiguous() && op.Out.Contiguous() && !op.TransA && m%2 == 0 && op.Residual.None() {
			op.A, op.Out = op.A.Reshape(2, m/2, k), op.Out.Reshape(2, m/2, n)
		}
	}
	return op
}

// linear is a layer at a true size.
func linear(m, n, k int) func(g *Gen) kernels.Op {
	return func(g *Gen) kernels.Op {
		w := kernels.F32
		if g.Mode == BF16 {
			w = kernels.BF16
		}
		return &kernels.MatMul{A: g.fill(g.raw(g.ActType(), m, k)), B: g.fill(g.raw(w, n, k)), TransB: true, Out: g.Out(m, n), Bias: g.Stat(n)}
	}
}
