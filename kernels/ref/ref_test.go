package ref

import (
	"errors"
	"math"
	"testing"

	"mmc4/kernels"
)

// Values worked out by hand, so that the oracle itself hangs on something. Gradients are held to finite differences by
// kernels/optest.

func floats(t *testing.T, d *Device, values []float32, dims ...int) kernels.Tensor {
	t.Helper()
	n := 1
	for _, x := range dims {
		n *= x
	}
	buf, err := d.Alloc(4 * n)
	if err != nil {
		t.Fatal(err)
	}
	x := kernels.View(buf, 0, kernels.F32, dims...)
	if values != nil {
		copy(bytesOf(x), kernels.EncodeFloats(kernels.F32, values))
	}
	return x
}

func integers(t *testing.T, d *Device, values ...int32) kernels.Tensor {
	t.Helper()
	x := floats(t, d, nil, len(values))
	x.DType = kernels.I32
	copy(bytesOf(x), kernels.EncodeInts(values))
	return x
}

func near(got float32, want float64) bool { return math.Abs(float64(got)-want) < 1e-5 }

func TestByHand(t *testing.T) {
	d := New()
	q, _ := d.NewQueue()
	in := func(values ...float32) kernels.Tensor { return floats(t, d, values, 1, len(values)) }
	out := func(n int) kernels.Tensor { return floats(t, d, nil, 1, n) }
	heads := func(values ...float32) kernels.Tensor { return floats(t, d, values, 1, len(values), 1, 1) }
	ln3, inf := float32(math.Log(3)), math.Inf(1)

	type result struct {
		of   kernels.Tensor
		want []float64
	}
	for _, test := range []struct {
		name string
		make func() (kernels.Op, []result)
	}{
		{"matmul with everything", func() (kernels.Op, []result) {
			op := &kernels.MatMul{A: in(1, 2), B: floats(t, d, []float32{3, 4, 5, -6}, 2, 2), TransB: true, Out: out(2), Alpha: 2,
				Bias: floats(t, d, []float32{1, 1}, 2), Act: kernels.ReLU, Pre: out(2), Residual: in(10, 20)}
			return op, []result{{op.Out, []float64{33, 20}}, {op.Pre, []float64{23, -13}}}
		}},
		{"matmul adds", func() (kernels.Op, []result) {
			op := &kernels.MatMul{A: in(1, 2), B: floats(t, d, []float32{3, 4, 5, -6}, 2, 2), Out: in(1, 1), Add: true}
			return op, []result{{op.Out, []float64{14, -7}}}
		}},
		{"layernorm", func() (kernels.Op, []result) {
			op := &kernels.LayerNorm{X: in(1, 3), W: floats(t, d, []float32{2, 2}, 2), B: floats(t, d, []float32{0, 1}, 2), Out: out(2), Mean: out(1), RStd: out(1)}
			return op, []result{{op.Out, []float64{-2, 3}}, {op.Mean, []float64{2}}, {op.RStd, []float64{1}}}
		}},
		{"rmsnorm", func() (kernels.Op, []result) {
			op := &kernels.RMSNorm{X: in(1, 7), W: floats(t, d, []float32{5, 10}, 2), Out: out(2)}
			return op, []result{{op.Out, []float64{1, 14}}}
		}},
		{"l2norm", func() (kernels.Op, []result) {
			op := &kernels.L2Norm{X: floats(t, d, []float32{3, 4, 0, 0}, 2, 2), Out: floats(t, d, nil, 2, 2)}
			return op, []result{{op.Out, []float64{0.6, 0.8, 0, 0}}}
		}},
		{"attention", func() (kernels.Op, []result) {
			op := &kernels.Attention{Q: heads(1), K: heads(0, ln3), V: heads(1, 5), Scale: 1, Out: heads(0), LSE: out(1)}
			return op, []result{{op.Out, []float64{4}}, {op.LSE, []float64{math.Log(4)}}}
		}},
		{"attention, causal with a cached key", func() (kernels.Op, []result) {
			op := &kernels.Attention{Q: heads(1, 1), K: heads(0, ln3, 9), V: heads(1, 5, 7), Scale: 1, Causal: true, Out: heads(0, 0), LSE: out(2)}
			return op, []result{{op.Out.Slice(1, 0, 1), []float64{4}}}
		}},
		{"attention, ALiBi", func() (kernels.Op, []result) {
			op := &kernels.Attention{Q: heads(0), K: heads(0, 0), V: heads(1, 5), Slopes: floats(t, d, []float32{ln3}, 1), Out: heads(0)}
			return op, []result{{op.Out, []float64{4}}}
		}},
		{"attention, all keys hidden: uniform", func() (kernels.Op, []result) {
			mask := kernels.View(&buffer{data: make([]byte, 2)}, 0, kernels.U8, 1, 2)
			op := &kernels.Attention{Q: heads(1), K: heads(0, 9), V: heads(1, 5), Scale: 1, KeyMask: mask, Out: heads(0), LSE: out(1)}
			return op, []result{{op.Out, []float64{3}}, {op.LSE, []float64{inf}}}
		}},
		{"attention to media", func() (kernels.Op, []result) {
			op := &kernels.Attention{Q: heads(1, 1, 1, 1), K: heads(0, 0, 0, 0), V: heads(1, 3, 5, 7), Scale: 1, Out: heads(0, 0, 0, 0), LSE: out(4),
				Media: &kernels.MediaMask{TextTime: integers(t, d, 0, 1, 2, 3), KeysPerMedia: 2}}
			return op, []result{{op.Out, []float64{0, 2, 6, 4}}, {op.LSE, []float64{-inf, math.Log(2), math.Log(2), inf}}}
		}},
		{"attention to all media so far", func() (kernels.Op, []result) {
			op := &kernels.Attention{Q: heads(1, 1, 1), K: heads(0, 0, 0, 0), V: heads(1, 3, 5, 7), Scale: 1, Out: heads(0, 0, 0),
				Media: &kernels.MediaMask{TextTime: integers(t, d, 0, 1, 2), KeysPerMedia: 2, Previous: true}}
			return op, []result{{op.Out, []float64{4, 2, 4}}}
		}},
		{"attention, two segments", func() (kernels.Op, []result) {
			op := &kernels.Attention{Q: heads(1), K: heads(0), V: heads(1), K2: heads(ln3), V2: heads(5), Scale: 1, Out: heads(0)}
			return op, []result{{op.Out, []float64{4}}}
		}},
		{"rotary", func() (kernels.Op, []result) {
			op := &kernels.Rotary{X: floats(t, d, []float32{1, 0, 5}, 1, 1, 1, 3), Positions: integers(t, d, 1), Dims: 2, Base: 10000}
			return op, []result{{op.X, []float64{math.Cos(1), math.Sin(1), 5}}}
		}},
		{"gelu", func() (kernels.Op, []result) {
			op := &kernels.Act{Kind: kernels.GELU, X: in(1), Out: out(1)}
			return op, []result{{op.Out, []float64{0.8413447}}}
		}},
		{"gelu_tanh", func() (kernels.Op, []result) {
			op := &kernels.Act{Kind: kernels.GELUTanh, X: in(1), Out: out(1)}
			return op, []result{{op.Out, []float64{0.8411920}}}
		}},
		{"quick_gelu", func() (kernels.Op, []result) {
			op := &kernels.Act{Kind: kernels.QuickGELU, X: in(1), Out: out(1)}
			return op, []result{{op.Out, []float64{0.8457958}}}
		}},
		{"squared relu", func() (kernels.Op, []result) {
			op := &kernels.Act{Kind: kernels.SquaredReLU, X: in(1), Out: out(1)}
			return op, []result{{op.Out, []float64{1}}}
		}},
		{"silu", func() (kernels.Op, []result) {
			op := &kernels.Act{Kind: kernels.SiLU, X: in(1), Out: out(1)}
			return op, []result{{op.Out, []float64{0.7310586}}}
		}},
		{"cross entropy", func() (kernels.Op, []result) {
			op := &kernels.CrossEntropy{Logits: floats(t, d, []float32{0, ln3, 7, 7, 0, 0}, 3, 2), Labels: integers(t, d, 0, kernels.IgnoreLabel, 1), LSE: out(3), Loss: out(2)}
			return op, []result{{op.Loss, []float64{(math.Log(4) + math.Log(2)) / 2, 2}}}
		}},
		{"adamw", func() (kernels.Op, []result) {
			one := kernels.AdamWParam{W: in(1), M: in(0), V: in(0), Grad: in(1), Decay: 0.01}
			op := &kernels.AdamW{Params: []kernels.AdamWParam{one}, Scale: in(0.5), Hyper: in(0.1, 0.9, 0.999, 1e-8, 0.1, 0.001)}
			return op, []result{{one.W, []float64{0.899}}, {one.M, []float64{0.05}}, {one.V, []float64{0.00025}}}
		}},
		{"adamw that is not to be", func() (kernels.Op, []result) {
			one := kernels.AdamWParam{W: in(1), M: in(2), V: in(3), Grad: in(1)}
			op := &kernels.AdamW{Params: []kernels.AdamWParam{one}, Hyper: in(0.1, 0.9, 0.999, 1e-8, 0.1, 0.001), Go: integers(t, d, 0)}
			return op, []result{{one.W, []float64{1}}, {one.M, []float64{2}}, {one.V, []float64{3}}}
		}},
		{"step guard", func() (kernels.Op, []result) {
			table := floats(t, d, []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 2, kernels.HyperLen)
			op := &kernels.StepGuard{Found: in(1, 2), Table: table, First: 3, Count: integers(t, d, 4), Hyper: out(kernels.HyperLen), Go: integers(t, d, 0)}
			return op, []result{{op.Hyper, []float64{7, 8, 9, 10, 11, 12}}}
		}},
		{"clip", func() (kernels.Op, []result) {
			op := &kernels.ClipScale{SumSq: in(16), Max: 1, Out: out(1)}
			return op, []result{{op.Out, []float64{0.25}}}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			op, results := test.make()
			q.Do(op)
			if err := q.Wait(); err != nil {
				t.Fatal(err)
			}
			for _, r := range results {
				for i, got := range kernels.DecodeFloats(kernels.F32, bytesOf(r.of)) {
					if !near(got, r.want[i]) && float64(got) != r.want[i] {
						t.Errorf("%v: element %d is %v, want %v", r.of, i, got, r.want[i])
					}
				}
			}
		})
	}
}

func TestQueueKeepsTheFirstError(t *testing.T) {
	d := New()
	q, _ := d.NewQueue()
	x := floats(t, d, []float32{1}, 1)
	q.Do(&kernels.Fill{})
	q.Do(&kernels.Fill{Dst: x, Value: 2})
	var shape *kernels.ShapeError
	if err := q.Record().Wait(); !errors.As(err, &shape) {
		t.Errorf("an event behind a failure: %v", err)
	}
	if err := q.Wait(); !errors.As(err, &shape) {
		t.Errorf("Wait: %v", err)
	}
	if err := q.Wait(); err != nil {
		t.Errorf("the second Wait: %v", err)
	}
	if got := kernels.DecodeFloats(kernels.F32, bytesOf(x))[0]; got != 1 {
		t.Errorf("work behind the failure was done: %v", got)
	}
	q.Write(x, make([]byte, 3))
	if err := q.Wait(); !errors.As(err, &shape) {
		t.Errorf("a write of another size: %v", err)
	}
}

func TestMemoryIsCounted(t *testing.T) {
	d := NewLimited(1000)
	a, err := d.Alloc(600)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Alloc(600); !errors.Is(err, kernels.ErrOutOfMemory) {
		t.Errorf("beyond the limit: %v", err)
	}
	a.Free()
	a.Free()
	if d.Live() != 0 {
		t.Errorf("%d bytes live after Free", d.Live())
	}
}
