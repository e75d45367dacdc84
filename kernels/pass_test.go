package kernels_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/optest"
	"mmc4/kernels/ref"
)

// workshop is a device with a queue and named random parameters.
type workshop struct {
	t      *testing.T
	dev    *ref.Device
	q      kernels.Queue
	rand   *rand.Rand
	params []*kernels.Param
}

func newWorkshop(t *testing.T) *workshop {
	dev := ref.New()
	q, err := dev.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	return &workshop{t: t, dev: dev, q: q, rand: rand.New(rand.NewPCG(3, 4))}
}

func (w *workshop) values(n int, scale float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(scale * w.rand.NormFloat64())
	}
	return v
}

func (w *workshop) frozen(name string, dims ...int) *kernels.Param {
	n := 1
	for _, d := range dims {
		n *= d
	}
	p, err := kernels.NewParam(w.dev, w.q, name, kernels.F32, w.values(n, 0.5), dims...)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

// param is a trainable parameter of random values.
func (w *workshop) param(name string, dims ...int) *kernels.Param {
	p := w.frozen(name, dims...)
	if err := p.Train(w.dev, w.q, false); err != nil {
		w.t.Fatal(err)
	}
	w.params = append(w.params, p)
	return p
}

func (w *workshop) pass(o kernels.PassOptions) *kernels.Pass {
	return kernels.NewPass(w.dev, w.q, kernels.NewArena(w.dev, 0), o)
}

// weigh makes one number of a tensor: its product with fixed random numbers.
func weigh(p *kernels.Pass, y kernels.Tensor) kernels.Tensor {
	r := rand.New(rand.NewPCG(5, uint64(y.Len())))
	c := make([]float32, y.Len())
	for i := range c {
		c[i] = float32(r.NormFloat64())
	}
	y = p.Contiguous(y)
	return p.MatMul(y.Reshape(1, y.Len()), p.FromFloat32(c, 1, len(c)), false, true, 0, 0)
}

// gradients checks a function with and without recomputation.
func (w *workshop) gradients(f func(p *kernels.Pass) kernels.Tensor) {
	w.t.Helper()
	for _, checkpoint := range []bool{false, true} {
		if err := optest.Gradients(w.dev, w.params, checkpoint, f); err != nil {
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
			x, m, bias, res := w.param("x", b, tt, c), w.param("w", 5, c), w.param("bias", 5), w.param("res", b, tt, 5)
			return func(p *kernels.Pass) kernels.Tensor {
				return p.LinearWith(kernels.LinearArgs{X: p.Use(x), W: m, B: bias, Act: kernels.GELU, Alpha: 0.7, Residual: p.Use(res)})
			}
		}},
		{"linear of a column range, twice the same weight", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, m := w.param("x", b, tt, 2*c), w.param("w", c, c)
			return func(p *kernels.Pass) kernels.Tensor {
				u := p.Use(x)
				return p.Linear(p.LinearAdd(u.Slice(2, c, 2*c), m, nil, u.Slice(2, 0, c)), m, nil)
			}
		}},
		{"matmul", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			a, bb := w.param("a", 3, 4), w.param("b", 4, 3)
			return func(p *kernels.Pass) kernels.Tensor {
				x, y := p.Use(a), p.Use(bb)
				sum := p.MatMul(x, y, false, false, 0.5, 0)
				sum = p.Add(sum, p.MatMul(y, x, true, true, 0, 0), 1)
				sum = p.Add(sum, p.MatMul(x, x, false, true, 2, 0), 1)
				return p.Add(sum, p.MatMul(y, y, true, false, 0, 0), -1)
			}
		}},
		{"norms", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, g, bias := w.param("x", b, tt, c), w.param("g", c), w.param("bias", c)
			return func(p *kernels.Pass) kernels.Tensor {
				u := p.Use(x)
				return p.L2Norm(p.Add(p.LayerNorm(u, g, bias, 1e-5), p.Add(p.RMSNorm(u, g, 1e-6), p.LayerNorm(u, g, nil, 1e-5), 1), 0.3))
			}
		}},
		{"norm of a column range", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, g := w.param("x", b, tt, 3*c), w.param("g", c)
			return func(p *kernels.Pass) kernels.Tensor { return p.LayerNorm(p.Use(x).Slice(2, c, 2*c), g, nil, 1e-5) }
		}},
		{"gated activation of halves", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x := w.param("x", b, tt, 2*c)
			return func(p *kernels.Pass) kernels.Tensor {
				u := p.Use(x)
				return p.GatedAct(u.Slice(2, 0, c), u.Slice(2, c, 2*c), kernels.SiLU)
			}
		}},
		{"elementwise", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, y, pos, s := w.param("x", b, tt, c), w.param("y", b, tt, c), w.param("pos", tt, c), w.param("s", 1)
			return func(p *kernels.Pass) kernels.Tensor {
				u, v := p.Use(x), p.Use(y)
				a := p.Add(p.Mul(u, v), p.Use(pos), -0.5)
				a = p.Add(a, p.Use(pos), 0)
				a = p.ScaleBy(p.Act(a, kernels.QuickGELU), p.Use(s), true)
				return p.TanhGate(a, p.Clamp(v, -5, 5), s)
			}
		}},
		{"shapes", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, y := w.param("x", b, tt, c), w.param("y", c)
			return func(p *kernels.Pass) kernels.Tensor {
				u := p.Use(x)
				cls := p.Repeat(p.Use(y), b).Reshape(b, 1, c)
				joined := p.Concat(1, cls, u, u.Slice(1, 1, 2))
				turned := p.Contiguous(joined.Permute(2, 0, 1))
				return p.Add(turned, p.Copy(joined.Permute(2, 0, 1)), 2)
			}
		}},
		{"embedding and rows", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			table, pos := w.param("table", 5, c), w.param("pos", 4, c)
			return func(p *kernels.Pass) kernels.Tensor {
				x := p.EmbedWith(kernels.EmbedArgs{Table: table, IDs: p.FromInt32(ids, b, tt), Positions: pos, PosIDs: p.FromInt32([]int32{0, 1, 2, 0, 1, 3}, b, tt)})
				return p.Rows(x, p.FromInt32([]int32{5, 0, 5}, 3))
			}
		}},
		{"cross entropy", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			x, m := w.param("x", b*tt, c), w.param("w", 5, c)
			return func(p *kernels.Pass) kernels.Tensor {
				labels := p.FromInt32([]int32{1, 0, -100, 2, 4, -100}, b*tt)
				one, _ := p.CrossEntropyInPlace(p.Linear(p.Use(x), m, nil), labels)
				two, _ := p.CrossEntropy(p.Linear(p.Use(x), m, nil).Slice(1, 0, 5), labels)
				return p.Add(one, two, 0.5)
			}
		}},
		{"CLIP's loss", func(w *workshop) func(p *kernels.Pass) kernels.Tensor {
			image, text, scale := w.param("image", 3, c), w.param("text", 3, c), w.param("scale", 1)
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
			w.gradients(func(p *kernels.Pass) kernels.Tensor { return weigh(p, f(p)) })
		})
	}
}

// transformer is a block of a language model: packed projection, rotary queries and keys, causal attention, GELU.
type transformer struct {
	ln1, b1, qkv, bias, out, ln2, up, down *kernels.Param
}

const width, headDim, tokens = 8, 4, 5

func newTransformer(w *workshop, name string) *transformer {
	return &transformer{w.param(name+".ln1", width), w.param(name+".b1", width), w.param(name+".qkv", 3*width, width), w.param(name+".bias", 3*width),
		w.param(name+".out", width, width), w.param(name+".ln2", width), w.param(name+".up", 2*width, width), w.param(name+".down", width, 2*width)}
}

func (m *transformer) forward(p *kernels.Pass, x, positions kernels.Tensor) kernels.Tensor {
	return p.Block(x, func(x kernels.Tensor) kernels.Tensor {
		qkv := p.Linear(p.LayerNorm(x, m.ln1, m.b1, 1e-5), m.qkv, m.bias).Split(2, headDim) // [B,T,3H,D]
		h := width / headDim
		q, k, v := qkv.Slice(2, 0, h), qkv.Slice(2, h, 2*h), qkv.Slice(2, 2*h, 3*h)
		p.Rotary(q, positions, headDim, 100)
		p.Rotary(k, positions, 2, 100)
		a := p.Attention(kernels.Attention{Q: q, K: k, V: v, Scale: 0.5, Causal: true})
		x = p.LinearAdd(a.Reshape(x.Shape()...), m.out, nil, x)
		u := p.LinearAct(p.RMSNorm(x, m.ln2, 1e-5), m.up, nil, kernels.GELU)
		return p.LinearAdd(u, m.down, nil, x)
	})
}

func TestGradientsOfATransformer(t *testing.T) {
	w := newWorkshop(t)
	x, one, two := w.param("x", 2, tokens, width), newTransformer(w, "one"), newTransformer(w, "two")
	w.gradients(func(p *kernels.Pass) kernels.Tensor {
		positions := p.FromInt32([]int32{0, 1, 2, 3, 4, 0, 0, 1, 2, 3}, 2, tokens)
		return weigh(p, two.forward(p, one.forward(p, p.Use(x), positions), positions))
	})
}

func TestGradientsOfAPerceiver(t *testing.T) {
	w := newWorkshop(t)
	const latents, patches = 3, 4
	media, start := w.param("media", 2, patches, width), w.param("latents", latents, width)
	nm, nl, q, kv, out := w.param("nm", width), w.param("nl", width), w.param("q", width, width), w.param("kv", 2*width, width), w.param("out", width, width)
	w.gradients(func(p *kernels.Pass) kernels.Tensor {
		x := p.Use(media)
		l := p.Repeat(p.Use(start), 2)
		for range 2 {
			l = p.Block(l, func(l kernels.Tensor) kernels.Tensor {
				xn, ln := p.LayerNorm(x, nm, nil, 1e-5), p.LayerNorm(l, nl, nil, 1e-5)
				h := width / headDim
				kv1, kv2 := p.Linear(xn, kv, nil).Split(2, headDim), p.Linear(ln, kv, nil).Split(2, headDim)
				a := p.Attention(kernels.Attention{Q: p.Linear(ln, q, nil).Split(2, headDim), Scale: 0.5,
					K: kv1.Slice(2, 0, h), V: kv1.Slice(2, h, 2*h), K2: kv2.Slice(2, 0, h), V2: kv2.Slice(2, h, 2*h)})
				return p.LinearAdd(a.Reshape(l.Shape()...), out, nil, l)
			}, x)
		}
		return weigh(p, l)
	})
}

func TestGradientsOfAGatedBlock(t *testing.T) {
	w := newWorkshop(t)
	const perMedia = 2
	text, media := w.param("text", 2, tokens, width), w.param("media", 2, 2*perMedia, width)
	norm, q, kv, out, attnGate := w.param("norm", width), w.param("q", width, width), w.frozen("kv", 2*width, width), w.param("out", width, width), w.param("attn_gate", 1)
	ffNorm, up, down, ffGate := w.param("ff_norm", width), w.param("up", 2*width, width), w.frozen("down", width, 2*width), w.param("ff_gate", 1)
	times := []int32{0, 1, 1, 2, 3, 0, 0, 2, 2, 1} // before any image, and after more images than there are
	w.gradients(func(p *kernels.Pass) kernels.Tensor {
		m := p.Use(media)
		mask := &kernels.MediaMask{TextTime: p.FromInt32(times, 2, tokens), KeysPerMedia: perMedia}
		x := p.Block(p.Use(text), func(x kernels.Tensor) kernels.Tensor {
			h := width / headDim
			pair := p.Linear(m, kv, nil).Split(2, headDim)
			a := p.Attention(kernels.Attention{Q: p.Linear(p.LayerNorm(x, norm, nil, 1e-5), q, nil).Split(2, headDim), Scale: 0.5,
				K: pair.Slice(2, 0, h), V: pair.Slice(2, h, 2*h), Media: mask})
			x = p.TanhGate(x, p.Linear(a.Reshape(x.Shape()...), out, nil), attnGate)
			return p.TanhGate(x, p.Linear(p.LinearAct(p.LayerNorm(x, ffNorm, nil, 1e-5), up, nil, kernels.GELU), down, nil), ffGate)
		}, m)
		return weigh(p, x)
	})
}

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
	var blocks []*transformer
	for range 8 {
		blocks = append(blocks, newTransformer(w, "block"))
	}
	x := w.param("x", 16, tokens, width)
	peak := func(o kernels.PassOptions, n int) int {
		p := w.pass(o)
		positions := p.FromInt32(make([]int32, 16*tokens), 16, tokens)
		y := p.Use(x)
		for _, b := range blocks[:n] {
			y = b.forward(p, y, positions)
		}
		p.Backward(weigh(p, y), 1)
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
	m, x := newTransformer(w, "m"), w.param("x", 300, tokens, width)
	p := w.pass(kernels.PassOptions{Grad: true})
	var first []float32
	live := 0
	for step := range 4 {
		p.Reset()
		kernels.ZeroGrads(w.q, w.params)
		positions := p.FromInt32(make([]int32, 300*tokens), 300, tokens)
		p.Backward(weigh(p, m.forward(p, p.Use(x), positions)), 1)
		got, err := p.Float32(m.qkv.Grad)
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
	m := newTransformer(w, "m")
	p := kernels.NewPass(w.dev, w.q, kernels.NewArena(w.dev, 3000), kernels.PassOptions{Grad: true})
	x := p.FromFloat32(make([]float32, 2*tokens*width), 2, tokens, width)
	p.Backward(weigh(p, m.forward(p, x, p.FromInt32(make([]int32, 2*tokens), 2, tokens))), 1)
	if err := p.Wait(); !errors.Is(err, kernels.ErrOutOfMemory) {
		t.Errorf("a step in too little memory: %v", err)
	}
	p.Reset()
	if p.Err() != nil {
		t.Errorf("after Reset: %v", p.Err())
	}
	y := p.Linear(p.FromFloat32(make([]float32, 6), 2, 3), m.out, nil)
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
	x := w.param("x", 2, 3)
	p := w.pass(kernels.PassOptions{Grad: true, Checkpoint: true})
	hidden := p.Act(p.Use(x), kernels.GELU)
	y := p.Block(p.FromFloat32(make([]float32, 6), 2, 3), func(z kernels.Tensor) kernels.Tensor { return p.Add(z, hidden, 1) })
	p.Backward(weigh(p, y), 1)
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "not named as its input") {
		t.Errorf("a block that uses what it did not name: %v", err)
	}
}

func TestOverlappingInputsAreRefused(t *testing.T) {
	w := newWorkshop(t)
	x := w.param("x", 2, 3, 1, 4)
	p := w.pass(kernels.PassOptions{Grad: true})
	u := p.Use(x)
	h := p.Act(u, kernels.GELU)
	p.Backward(weigh(p, p.Attention(kernels.Attention{Q: h, K: h, V: h, Scale: 1})), 1)
	if err := p.Err(); err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("attention with Q = K = V: %v", err)
	}
}

// TestLearning trains two layers to tell apart what one cannot, by AdamW with clipped gradients.
func TestLearning(t *testing.T) {
	for _, dtype := range []kernels.DType{kernels.F32, kernels.BF16} {
		w := newWorkshop(t)
		w1, b1, w2, b2 := w.param("w1", 16, 2), w.param("b1", 16), w.param("w2", 2, 16), w.param("b2", 2)
		buf := func(n int) kernels.Tensor {
			b, err := w.dev.Alloc(4 * n)
			if err != nil {
				t.Fatal(err)
			}
			v := kernels.View(b, 0, kernels.F32, n)
			w.q.Do(&kernels.Fill{Dst: v})
			return v
		}
		type state struct{ m, v kernels.Tensor }
		states := make([]state, len(w.params))
		for i, p := range w.params {
			states[i] = state{buf(p.Value.Len()), buf(p.Value.Len())}
		}
		square, scale, hyper := buf(1), buf(1), buf(7)

		p := w.pass(kernels.PassOptions{Grad: true, DType: dtype})
		var loss float32
		for step := 1; step <= 200; step++ {
			p.Reset()
			kernels.ZeroGrads(w.q, w.params)
			x := p.FromFloat32([]float32{0, 0, 0, 1, 1, 0, 1, 1}, 4, 2)
			l, count := p.CrossEntropy(p.Linear(p.LinearAct(x, w1, b1, kernels.GELU), w2, b2), p.FromInt32([]int32{0, 1, 1, 0}, 4))
			p.Backward(l, 1)
			grads := []kernels.Tensor{w1.Grad, b1.Grad, w2.Grad, b2.Grad}
			p.Do(&kernels.SumSquares{Xs: grads, Out: square})
			p.Do(&kernels.ClipScale{SumSq: square, Max: 1, Out: scale})
			w.q.Write(hyper, kernels.EncodeFloats(kernels.F32, []float32{0.03, 0.9, 0.99, 1e-8, 0.001,
				float32(1 - math.Pow(0.9, float64(step))), float32(1 - math.Pow(0.99, float64(step)))}))
			for i, q := range w.params {
				p.Do(&kernels.AdamW{W: q.Value, M: states[i].m, V: states[i].v, Grad: q.Grad, Scale: scale, Hyper: hyper})
			}
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
