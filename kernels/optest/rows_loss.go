package optest

import "mmc4/kernels"

var lossRows = []Row{{
	Op:      "embedding",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		v, c, n := g.Size(100), g.Size(200), g.Size(100)
		ids := g.Ints(0, v, n)
		if !g.Small && g.Chance(20) {
			ids = g.Ints(-2, v+2, n)
		}
		op := &kernels.Embedding{Table: g.Weight(v, c), IDs: ids, Out: g.Out(n, c), Add: !g.Small && g.Chance(40)}
		if op.Add {
			g.fill(op.Out)
		}
		return op
	},
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		return &kernels.EmbeddingBackward{IDs: f.(*kernels.Embedding).IDs, DOut: dOut, DTable: grad("Table")}
	},
	Wrt:      []string{"Table"},
	RowGrads: []string{"Table"},
	Speed: []SpeedCase{{"1024 of 50280 x 2048", func(g *Gen) kernels.Op {
		return &kernels.Embedding{Table: g.Act(50280, 2048), IDs: g.Ints(0, 50280, 1024), Out: g.Out(1024, 2048)}
	}}},
}, {
	Op:      "cross_entropy",
	Outputs: []string{"Loss", "LSE"},
	Make: func(g *Gen) kernels.Op {
		rows, v := g.Size(60), g.Size(600)
		logits := g.ActType()
		if g.Mode == BF16 {
			logits = g.WeightType() // fp32 logits are allowed
		}
		op := &kernels.CrossEntropy{Logits: g.Rows(logits, rows, v), Labels: g.Ints(0, v, rows), LSE: g.StatOut(rows), Loss: g.StatOut(2)}
		if op.Logits.Contiguous() {
			g.Poke(op.Logits, NaN, Huge, Tiny)
		}
		if !g.Small && g.Chance(60) {
			labels := make([]int32, rows)
			for i := range labels {
				labels[i] = int32(g.IntN(v))
				if g.Chance(40) {
					labels[i] = kernels.IgnoreLabel
				}
			}
			g.queue.Write(op.Labels, kernels.EncodeInts(labels))
		}
		return op
	},
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		op := f.(*kernels.CrossEntropy)
		return &kernels.CrossEntropyBackward{Logits: op.Logits, Labels: op.Labels, LSE: op.LSE, Loss: op.Loss,
			DLoss: dOut.Slice(0, 0, 1), DLogits: grad("Logits")}
	},
	Wrt:       []string{"Logits"},
	Tolerance: 2e-5,
	Speed: []SpeedCase{{"1024 rows of 50280", func(g *Gen) kernels.Op {
		return &kernels.CrossEntropy{Logits: g.Act(1024, 50280), Labels: g.Ints(0, 50280, 1024), LSE: g.StatOut(1024), Loss: g.StatOut(2)}
	}}},
}, {
	Op:      "log_softmax",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		rows, v := g.Size(60), g.Size(600)
		return &kernels.LogSoftmax{X: g.Poke(g.Act(rows, v), NaN, Huge, Tiny), Out: g.raw(kernels.F32, rows, v)}
	},
	Tolerance: 2e-5,
}, {
	Op:      "argmax",
	Outputs: []string{"Out"},
	Make: func(g *Gen) kernels.Op {
		rows, v := g.Size(60), g.Size(600)
		op := &kernels.ArgMax{X: g.Act(rows, v), Out: g.raw(kernels.I32, rows)}
		if g.Chance(30) { // ties
			values := g.get(op.X)
			for i := range values {
				values[i] = float32(g.IntN(3))
			}
			g.set(op.X, values)
		}
		g.Poke(op.X, NaN, PlusInf, MinusInf)
		return op
	},
}}
