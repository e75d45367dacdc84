package kernels_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/optest"
	"mmc4/kernels/ref"
)

// workshop makes small models on ref.
type workshop struct {
	*optest.Maker
	t   *testing.T
	dev *ref.Device
}

func newWorkshop(t *testing.T) *workshop {
	dev := ref.New()
	m, err := optest.NewMaker(dev)
	if err != nil {
		t.Fatal(err)
	}
	return &workshop{m, t, dev}
}

func (w *workshop) pass(o kernels.PassOptions) *kernels.Pass {
	return kernels.NewPass(w.Dev, w.Queue, kernels.NewArena(w.Dev, 0), o)
}

// gradients checks a function with and without recomputation.
func (w *workshop) gradients(f func(p *kernels.Pass) kernels.Tensor) {
	w.t.Helper()
	for _, checkpoint := range []bool{false, true} {
		if err := optest.Gradients(w.dev, w.Params, checkpoint, f); err != nil {
			w.t.Errorf("checkpoint %v: %v", checkpoint, err)
		}
	}
}

func TestGradientsOfMethods(t *testing.T) {
	const b, tt, c = 2, 3, 4
	ids := []int32{1, 0, 2, 2, 4, 1}
	for _, test := range []struct {
		name string
		f    func(w *workshop) func(p *kernels.Pass) kernels.Tensor
	}{
		{"linear with everything", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, m, bias, res := w.Param("x", b, tt, c), w.Param("w", 5, c), w.Param("bias", 5), w.Param("res", b, tt, 5)
			return func(p *kernels.Pass) kernels.Tensor {
				return p.LinearWith(kernels.LinearArgs{X: p.Use(x), W: m, B: bias, Act: kernels.GELU, Alpha: 0.7, Residual: p.Use(res)})
			}
		}},
		{"linear of a column range, twice the same weight", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, m := w.Param("x", b, tt, 2*c), w.Param("w", c, c)
			return func(p *kernels.Pass) kernels.Tensor {
				u := p.Use(x)
				return p.Linear(p.LinearAdd(u.Slice(2, c, 2*c), m, nil, u.Slice(2, 0, c)), m, nil)
			}
		}},
		{"matmul", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			a, bb := w.Param("a", 3, 4), w.Param("b", 4, 3)
			return func(p *kernels.Pass) kernels.Tensor {
				x, y := p.Use(a), p.Use(bb)
				sum := p.MatMul(x, y, false, false, 0.5, 0)
				sum = p.Add(sum, p.MatMul(y, x, true, true, 0, 0), 1)
				sum = p.Add(sum, p.MatMul(x, x, false, true, 2, 0), 1)
				return p.Add(sum, p.MatMul(y, y, true, false, 0, 0), -1)
			}
		}},
		{"norms", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, g, bias := w.Param("x", b, tt, c), w.Param("g", c), w.Param("bias", c)
			return func(p *kernels.Pass) kernels.Tensor {
				u := p.Use(x)
				return p.L2Norm(p.Add(p.LayerNorm(u, g, bias, 1e-5), p.Add(p.RMSNorm(u, g, 1e-6), p.LayerNorm(u, g, nil, 1e-5), 1), 0.3))
			}
		}},
		{"norm of a column range", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, g := w.Param("x", b, tt, 3*c), w.Param("g", c)
			return func(p *kernels.Pass) kernels.Tensor { return p.LayerNorm(p.Use(x).Slice(2, c, 2*c), g, nil, 1e-5) }
		}},
		{"gated activation of halves", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x := w.Param("x", b, tt, 2*c)
			return func(p *kernels.Pass) kernels.Tensor {
				u := p.Use(x)
				return p.GatedAct(u.Slice(2, 0, c), u.Slice(2, c, 2*c), kernels.SiLU)
			}
		}},
		{"elementwise", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, y, pos, s := w.Param("x", b, tt, c), w.Param("y", b, tt, c), w.Param("pos", tt, c), w.Param("s", 1)
			return func(p *kernels.Pass) kernels.Tensor {
				u, v := p.Use(x), p.Use(y)
				a := p.Add(p.Mul(u, v), p.Use(pos), -0.5)
				a = p.Add(a, p.Use(pos), 0)
				a = p.ScaleBy(p.Act(a, kernels.QuickGELU), p.Use(s), true)
				return p.TanhGate(a, p.Clamp(v, -5, 5), s)
			}
		}},
		{"shapes", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, y := w.Param("x", b, tt, c), w.Param("y", c)
			return func(p *kernels.Pass) kernels.Tensor {
				u := p.Use(x)
				cls := p.Repeat(p.Use(y), b).Reshape(b, 1, c)
				joined := p.Concat(1, cls, u, u.Slice(1, 1, 2))
				turned := p.Contiguous(joined.Permute(2, 0, 1))
				return p.Add(turned, p.Copy(joined.Permute(2, 0, 1)), 2)
			}
		}},
		{"embedding and rows", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			table, pos := w.Param("table", 5, c), w.Param("pos", 4, c)
			return func(p *kernels.Pass) kernels.Tensor {
				x := p.EmbedWith(kernels.EmbedArgs{Table: table, IDs: p.FromInt32(ids, b, tt), Positions: pos, PosIDs: p.FromInt32([]int32{0, 1, 2, 0, 1, 3}, b, tt)})
				return p.Rows(x, p.FromInt32([]int32{5, 0, 5}, 3))
			}
		}},
		{"cross entropy", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, m := w.Param("x", b*tt, c), w.Param("w", 5, c)
			return func(p *kernels.Pass) kernels.Tensor {
				labels := p.FromInt32([]int32{1, 0, -100, 2, 4, -100}, b*tt)
				one, _ := p.CrossEntropyInPlace(p.Linear(p.Use(x), m, nil), labels)
				two, _ := p.CrossEntropy(p.Linear(p.Use(x), m, nil).Slice(1, 0, 5), labels)
				return p.Add(one, two, 0.5)
			}
		}},
		{"CLIP's loss", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			image, text, scale := w.Param("image", 3, c), w.Param("text", 3, c), w.Param("scale", 1)
			return func(p *kernels.Pass) kernels.Tensor {
				logits := p.ScaleBy(p.MatMul(p.L2Norm(p.Use(image)), p.L2Norm(p.Use(text)), false, true, 0, kernels.F32), p.Use(scale), true)
				labels := p.FromInt32([]int32{0, 1, 2}, 3)
				rows, _ := p.CrossEntropy(logits, labels)
				columns, _ := p.CrossEntropy(p.Contiguous(logits.Permute(1, 0)), labels)
				return p.Add(rows, columns, 1)
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorkshop(t)
			f := test.f(w)
			w.gradients(func(p *kernels.Pass) kernels.Tensor { return optest.Weigh(p, f(p)) })
		})
	}
}

func TestGradientsOfPieces(t *testing.T) {
	for _, piece := range optest.Pieces {
		t.Run(piece.Name, func(t *testing.T) {
			w := newWorkshop(t)
			w.gradients(piece.Make(w.Maker))
		})
	}
}

const width, tokens = 8, 5 // of optest.Transformer

// TestTrackedInput gets the gradient of an input that is no parameter.
func TestTrackedInput(t *testing.T) {
	w := newWorkshop(t)
	p := w.pass(kernels.PassOptions{Grad: true})
	x := p.Track(p.FromFloat32([]float32{1, 2, 3}, 3))
	p.BackwardFrom(p.Mul(x, x), p.FromFloat32([]float32{1, 10, 100}, 3))
	got, err := p.Float32(p.Grad(x))
	if err != nil || got[0] != 2 || got[1] != 40 || got[2] != 600 {
		t.Errorf("gradient of x*x: %v, %v", got, err)
	}
	if y := p.Track(p.FromFloat32([]float32{1}, 1)); !p.Grad(y).None() {
		t.Error("an unused input has a gradient")
	}
}

// TestMemoryOfBlocks: a model without a tape keeps one block's memory, with Checkpoint little more than
// one result a block.
func TestMemoryOfBlocks(t *testing.T) {
	w := newWorkshop(t)
	var blocks []*optest.Transformer
	for range 8 {
		blocks = append(blocks, optest.NewTransformer(w.Maker, "block"))
	}
	x := w.Param("x", 16, tokens, width)
	peak := func(o kernels.PassOptions, n int) int {
		p := w.pass(o)
		positions := p.FromInt32(make([]int32, 16*tokens), 16, tokens)
		y := p.Use(x)
		for _, b := range blocks[:n] {
			y = b.Forward(p, y, positions)
		}
		if loss := optest.Weigh(p, y); o.Grad {
			p.Backward(loss, 1)
		}
		if err := p.Wait(); err != nil {
			t.Fatal(err)
		}
		return p.Arena().Peak()
	}
	result := 16 * tokens * width * 4
	plain2, plain8 := peak(kernels.PassOptions{}, 2), peak(kernels.PassOptions{}, 8)
	if grown := plain8 - plain2; grown > 6*(result+256) {
		t.Errorf("without a tape six more blocks take %d bytes, want one result of %d each", grown, result)
	}
	all2, all8 := peak(kernels.PassOptions{Grad: true}, 2), peak(kernels.PassOptions{Grad: true}, 8)
	some2, some8 := peak(kernels.PassOptions{Grad: true, Checkpoint: true}, 2), peak(kernels.PassOptions{Grad: true, Checkpoint: true}, 8)
	if grown := some8 - some2; grown > 6*(result+256) || 4*grown > all8-all2 {
		t.Errorf("with Checkpoint six more blocks take %d bytes, without it %d; one result is %d", grown, all8-all2, result)
	}
}

// TestSteadyState: from the second Reset on a step asks the device for no memory, and gives the same bits.
func TestSteadyState(t *testing.T) {
	w := newWorkshop(t)
	m, x := optest.NewTransformer(w.Maker, "m"), w.Param("x", 300, tokens, width)
	qkv := w.Params[2]
	p := w.pass(kernels.PassOptions{Grad: true})
	var first []float32
	live := 0
	for step := range 4 {
		p.Reset()
		kernels.ZeroGrads(w.Queue, w.Params)
		positions := p.FromInt32(make([]int32, 300*tokens), 300, tokens)
		p.Backward(optest.Weigh(p, m.Forward(p, p.Use(x), positions)), 1)
		got, err := p.Float32(qkv.Grad)
		if err != nil {
			t.Fatal(err)
		}
		if step == 0 {
			first = got
		}
		for i := range got {
			if got[i] != first[i] {
				t.Fatalf("step %d: gradient %d is %v, was %v", step, i, got[i], first[i])
			}
		}
		if step >= 2 && w.dev.Live() != live {
			t.Errorf("step %d: %d bytes in use, %d before", step, w.dev.Live(), live)
		}
		live = w.dev.Live()
	}
	if held, peak := p.Arena().Held(), p.Arena().Peak(); held > peak+1<<16 {
		t.Errorf("the arena holds %d bytes, the step needs %d", held, peak)
	}
}

func TestErrorsStick(t *testing.T) {
	w := newWorkshop(t)
	m := optest.NewTransformer(w.Maker, "m")
	p := kernels.NewPass(w.dev, w.Queue, kernels.NewArena(w.dev, 3000), kernels.PassOptions{Grad: true})
	x := p.FromFloat32(make([]float32, 2*tokens*width), 2, tokens, width)
	p.Backward(optest.Weigh(p, m.Forward(p, x, p.FromInt32(make([]int32, 2*tokens), 2, tokens))), 1)
	if err := p.Wait(); !errors.Is(err, kernels.ErrOutOfMemory) {
		t.Errorf("a step in too little memory: %v", err)
	}
	p.Reset()
	if p.Err() != nil {
		t.Errorf("after Reset: %v", p.Err())
	}
	y := p.Linear(p.FromFloat32(make([]float32, 6), 2, 3), w.Params[4], nil)
	var shape *kernels.ShapeError
	if !errors.As(p.Err(), &shape) || shape.Op != "matmul" || y.Dim(-1) != width {
		t.Errorf("a linear layer that does not fit: %v, result %v", p.Err(), y)
	}
	if _, err := p.Float32(y); err == nil {
		t.Error("reading after a failure gives no error")
	}
}

func TestBlockNamesItsInputs(t *testing.T) {
	w := newWorkshop(t)
	x := w.Param("x", 2, 3)
	p := w.pass(kernels.PassOptions{Grad: true, Checkpoint: true})
	hidden := p.Act(p.Use(x), kernels.GELU)
	y := p.Block(p.FromFloat32(make([]float32, 6), 2, 3), func(z kernels.Tensor) kernels.Tensor { return p.Add(z, hidden, 1) })
	p.Backward(optest.Weigh(p, y), 1)
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "not named as its input") {
		t.Errorf("a block that uses what it did not name: %v", err)
	}
}

func TestBackwardFromNothingIsRefused(t *testing.T) {
	w := newWorkshop(t)
	for want, o := range map[string]kernels.PassOptions{"no tape": {}, "nothing that is trained": {Grad: true}} {
		p := w.pass(o)
		p.Backward(p.FromFloat32([]float32{1}, 1), 1)
		if err := p.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	p := w.pass(kernels.PassOptions{Grad: true})
	p.Backward(p.Track(p.FromFloat32([]float32{1, 2}, 2)), 1)
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "one element") {
		t.Errorf("a loss of two elements: %v", err)
	}
}

func TestTensorsOfAnotherPassAreRefused(t *testing.T) {
	w := newWorkshop(t)
	a, b := w.pass(kernels.PassOptions{Grad: true}), w.pass(kernels.PassOptions{Grad: true})
	x := a.Act(a.Track(a.FromFloat32([]float32{1}, 1)), kernels.GELU)
	b.Backward(b.Act(b.Track(b.Add(x, x, 0)), kernels.GELU), 1)
	if b.Err() != nil {
		t.Errorf("a tensor that Track cut loose: %v", b.Err())
	}
	b.Reset()
	b.Backward(b.Act(x, kernels.GELU), 1)
	if err := b.Err(); err == nil || !strings.Contains(err.Error(), "another pass") {
		t.Errorf("a tensor of another pass: %v", err)
	}
}

func TestOverlappingInputsAreRefused(t *testing.T) {
	w := newWorkshop(t)
	x := w.Param("x", 2, 3, 1, 4)
	p := w.pass(kernels.PassOptions{Grad: true})
	u := p.Use(x)
	h := p.Act(u, kernels.GELU)
	p.Backward(optest.Weigh(p, p.Attention(kernels.Attention{Q: h, K: h, V: h, Scale: 1})), 1)
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("attention with Q = K = V: %v", err)
	}
}

// TestLearning trains two layers to tell apart what one cannot, by AdamW with clipped gradients.
func TestLearning(t *testing.T) {
	for _, dtype := range []kernels.DType{kernels.F32, kernels.BF16} {
		w := newWorkshop(t)
		w1, b1, w2, b2 := w.Param("w1", 16, 2), w.Param("b1", 16), w.Param("w2", 2, 16), w.Param("b2", 2)
		buf := func(n int) kernels.Tensor {
			b, err := w.dev.Alloc(4 * n)
			if err != nil {
				t.Fatal(err)
			}
			v := kernels.View(b, 0, kernels.F32, n)
			w.Queue.Do(&kernels.Fill{Dst: v})
			return v
		}
		type state struct{ m, v kernels.Tensor }
		states := make([]state, len(w.Params))
		for i, p := range w.Params {
			states[i] = state{buf(p.Value.Len()), buf(p.Value.Len())}
		}
		square, scale, hyper := buf(1), buf(1), buf(kernels.HyperLen)

		p := w.pass(kernels.PassOptions{Grad: true, DType: dtype})
		var loss float32
		for step := 1; step <= 200; step++ {
			p.Reset()
			kernels.ZeroGrads(w.Queue, w.Params)
			x := p.FromFloat32([]float32{0, 0, 0, 1, 1, 0, 1, 1}, 4, 2)
			l, count := p.CrossEntropy(p.Linear(p.LinearAct(x, w1, b1, kernels.GELU), w2, b2), p.FromInt32([]int32{0, 1, 1, 0}, 4))
			p.Backward(l, 1)
			grads := []kernels.Tensor{w1.Grad, b1.Grad, w2.Grad, b2.Grad}
			p.Do(&kernels.SumSquares{Xs: grads, Out: square})
			p.Do(&kernels.ClipScale{SumSq: square, Max: 1, Out: scale})
			w.Queue.Write(hyper, kernels.EncodeFloats(kernels.F32, []float32{0.03, 0.9, 0.99, 1e-8,
				float32(1 - math.Pow(0.9, float64(step))), float32(1 - math.Pow(0.99, float64(step)))}))
			adam := &kernels.AdamW{Scale: scale, Hyper: hyper}
			for i, q := range w.Params {
				adam.Params = append(adam.Params, kernels.AdamWParam{W: q.Value, M: states[i].m, V: states[i].v, Grad: q.Grad, Decay: 0.001})
			}
			p.Do(adam)
			got, err := p.Float32(l)
			if err != nil {
				t.Fatal(err)
			}
			loss = got[0]
			if n, _ := p.Float32(count); n[0] != 4 {
				t.Fatalf("%v rows with loss", n)
			}
		}
		if loss > 0.02 {
			t.Errorf("%v: loss after 200 steps is %v", dtype, loss)
		}
	}
}
