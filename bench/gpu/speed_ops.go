package gpu

// Ops: copying and products (what the others are measured by), attention, and what memory bounds.

import (
	"fmt"
	"strings"
	"time"

	"mmc4/kernels"
	"mmc4/kernels/optest"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

// bufferOf is device memory as a tensor; data may be nil.
func bufferOf(dev kernels.Device, q kernels.Queue, dtype kernels.DType, data []byte, dims ...int) (kernels.Tensor, error) {
	b, err := dev.Alloc(count(dims) * dtype.Size())
	if err != nil {
		return kernels.Tensor{}, err
	}
	t := kernels.View(b, 0, dtype, dims...)
	if data != nil {
		q.Write(t, data)
	}
	return t, nil
}

// opContest is one op against a task of torch. outputs are read for the comparison; inputs were written before.
func (s *speedRun) opContest(l *Line, task string, fields map[string]any, limit float64, q kernels.Queue, op kernels.Op, tensors []kernels.Tensor, outputs ...kernels.Tensor) (*contest, error) {
	if err := q.Wait(); err != nil {
		return nil, err
	}
	peer, err := s.peer(l, task, fields)
	if err != nil {
		return nil, err
	}
	c := &contest{peer: peer, ours: func() error { q.Do(op); return nil }, wait: q.Wait}
	c.close = func() {
		for _, t := range append(tensors, outputs...) {
			t.Mem.Free()
		}
	}
	c.agree = func() (string, error) {
		theirs, err := output(s, peer)
		if err != nil {
			return "", err
		}
		q.Do(op)
		var mine []float32
		for _, t := range outputs {
			data := make([]byte, t.Len()*t.DType.Size())
			q.Read(data, t)
			if err := q.Wait(); err != nil {
				return "", err
			}
			mine = append(mine, kernels.DecodeFloats(t.DType, data)...)
		}
		if task == "copy" { // torch sends the end alone
			mine = mine[len(mine)-1:]
		}
		return near(mine, theirs, limit)
	}
	return c, nil
}

// copies measures the memory: a gigabyte from one place to another.
func (s *speedRun) copies() {
	s.measure("copy", 0, 0, func(l *Line) (*contest, error) {
		n := 1 << 28
		if s.tiny() {
			n = 1 << 12
		}
		q, err := s.dev.NewQueue()
		if err != nil {
			return nil, err
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(i)
		}
		from, err := bufferOf(s.dev, q, kernels.F32, kernels.EncodeFloats(kernels.F32, values), n)
		if err != nil {
			return nil, err
		}
		to, err := bufferOf(s.dev, q, kernels.F32, nil, n)
		if err != nil {
			return nil, err
		}
		c, err := s.opContest(l, "copy", map[string]any{"bytes": 4 * n}, 0, q, &kernels.Copy{Src: from, Dst: to}, []kernels.Tensor{from}, to)
		if c != nil {
			c.bytes = 8 * float64(n)
		}
		return c, err
	})
}

func (s *speedRun) products() {
	sizes := []int{4096, 8192}
	if s.tiny() {
		sizes = []int{64}
	}
	for _, n := range sizes {
		s.measure(fmt.Sprintf("product %d^3 bf16", n), 0, 0, func(l *Line) (*contest, error) {
			q, err := s.dev.NewQueue()
			if err != nil {
				return nil, err
			}
			fields := map[string]any{"n": n}
			var in []kernels.Tensor
			for _, name := range []string{"a", "b"} {
				data := normal(name, n*n, s.Seed, 0, 1)
				if fields[name], err = s.write(name, data); err != nil {
					return nil, err
				}
				t, err := bufferOf(s.dev, q, kernels.BF16, data, n, n)
				if err != nil {
					return nil, err
				}
				in = append(in, t)
			}
			out, err := bufferOf(s.dev, q, kernels.BF16, nil, n, n)
			if err != nil {
				return nil, err
			}
			c, err := s.opContest(l, "gemm", fields, 1e-2, q, &kernels.MatMul{A: in[0], B: in[1], Out: out, TransB: true}, in, out)
			if c != nil {
				c.flops = 2 * float64(n) * float64(n) * float64(n)
			}
			return c, err
		})
	}
}

// attentions are those of the tower and of the language model.
func (s *speedRun) attentions() {
	shapes := []struct {
		name   string
		dims   [4]int // B, T, H, D
		causal bool
	}{{"vit", [4]int{64, 257, 16, 64}, false}, {"lm", [4]int{8, 256, 32, 80}, true}, {"lm 2048", [4]int{2, 2048, 32, 80}, true}}
	if s.tiny() {
		shapes = shapes[1:2]
		shapes[0].dims = [4]int{1, 24, 2, 16}
	}
	for _, shape := range shapes {
		for _, backward := range []bool{false, true} {
			name := "attention " + shape.name
			if backward {
				name += " backward"
			}
			s.measure(name, 0.6, 1, func(l *Line) (*contest, error) { return s.attention(l, shape.dims, shape.causal, backward) })
		}
	}
}

func (s *speedRun) attention(l *Line, dims [4]int, causal, backward bool) (*contest, error) {
	q, err := s.dev.NewQueue()
	if err != nil {
		return nil, err
	}
	b, t, h, d := dims[0], dims[1], dims[2], dims[3]
	fields := map[string]any{"shape": dims[:], "causal": causal, "backward": backward}
	var in, grads []kernels.Tensor
	for _, name := range []string{"q", "k", "v", "dout"} {
		data := normal(name, b*t*h*d, s.Seed, 0, 1)
		if fields[name], err = s.write(name, data); err != nil {
			return nil, err
		}
		x, err := bufferOf(s.dev, q, kernels.BF16, data, dims[:]...)
		if err != nil {
			return nil, err
		}
		in = append(in, x)
	}
	for range 4 {
		x, err := bufferOf(s.dev, q, kernels.BF16, nil, dims[:]...)
		if err != nil {
			return nil, err
		}
		grads = append(grads, x)
	}
	out := grads[3]
	lse, err := bufferOf(s.dev, q, kernels.F32, nil, b*h*t)
	if err != nil {
		return nil, err
	}
	forward := &kernels.Attention{Q: in[0], K: in[1], V: in[2], Out: out, LSE: lse, Scale: scaleOf(d), Causal: causal}
	flops := 4 * float64(b*h) * float64(t) * float64(t) * float64(d)
	if causal {
		flops /= 2
	}
	all := append(append([]kernels.Tensor{lse}, in...), grads...)
	var c *contest
	if backward {
		flops *= 2.5
		q.Do(forward)
		op := &kernels.AttentionBackward{Forward: forward, DOut: in[3], DQ: kernels.Grad{T: grads[0]}, DK: kernels.Grad{T: grads[1]}, DV: kernels.Grad{T: grads[2]}}
		c, err = s.opContest(l, "attention", fields, 2e-2, q, op, append(all[:5:5], out), grads[:3]...)
	} else {
		c, err = s.opContest(l, "attention", fields, 2e-2, q, forward, all[:8], out)
	}
	if c != nil {
		c.flops = flops
	}
	return c, err
}

// memoryBound times ops whose bound is the memory, as shares of what copying reaches here.
func (s *speedRun) memoryBound() {
	rows, width := 16384, 4096
	if s.tiny() {
		rows, width = 8, 64
	}
	cases := map[string]func(g *optest.Gen) kernels.Op{
		"layernorm": func(g *optest.Gen) kernels.Op {
			return &kernels.LayerNorm{X: g.Act(rows, width), W: g.Stat(width), B: g.Stat(width), Eps: 1e-5, Out: g.Out(rows, width), Mean: g.StatOut(rows), RStd: g.StatOut(rows)}
		},
		"rmsnorm": func(g *optest.Gen) kernels.Op {
			return &kernels.RMSNorm{X: g.Act(rows, width), W: g.Stat(width), Eps: 1e-5, Out: g.Out(rows, width), RStd: g.StatOut(rows)}
		},
		"act": func(g *optest.Gen) kernels.Op {
			return &kernels.Act{Kind: kernels.GELU, X: g.Act(rows, width), Out: g.Out(rows, width)}
		},
		"gated_act": func(g *optest.Gen) kernels.Op {
			both := g.Act(rows, 2*width)
			return &kernels.GatedAct{Kind: kernels.SiLU, Gate: both.Slice(1, 0, width), Up: both.Slice(1, width, 2*width), Out: g.Out(rows, width)}
		},
		"add": func(g *optest.Gen) kernels.Op {
			return &kernels.Add{A: g.Act(rows, width), B: g.Act(rows, width), Out: g.Out(rows, width)}
		},
		"tanh_gate": func(g *optest.Gen) kernels.Op {
			return &kernels.TanhGate{X: g.Act(rows, width), Y: g.Act(rows, width), Gate: g.Stat(1), Out: g.Out(rows, width)}
		},
		"rotary": func(g *optest.Gen) kernels.Op {
			return &kernels.Rotary{X: g.Act(rows/8, 8, width/64, 64), Positions: g.Ints(0, 2048, rows/8, 8), Dims: 64, Base: 10000}
		},
		"cross_entropy": func(g *optest.Gen) kernels.Op {
			return &kernels.CrossEntropy{Logits: g.Act(rows/8, 8*width), Labels: g.Ints(0, 8*width, rows/8), LSE: g.StatOut(rows / 8), Loss: g.StatOut(2)}
		},
	}
	for i := range optest.Rows {
		row := &optest.Rows[i]
		make, ok := cases[row.Op]
		if row.Op == "adamw" && len(row.Speed) > 0 && !s.tiny() {
			make, ok = row.Speed[0].Make, true
		}
		if !ok {
			continue
		}
		for _, backward := range []bool{false, true} {
			if backward && row.Backward == nil {
				continue
			}
			name := row.Op
			if backward {
				name += " backward"
			}
			s.check(name+" bf16", func(l *Line) error { return s.bandwidthOf(l, row, make, backward) })
		}
	}
}

func (s *speedRun) bandwidthOf(l *Line, row *optest.Row, make func(g *optest.Gen) kernels.Op, backward bool) error {
	each, rounds := 100*time.Millisecond, 5
	if s.tiny() {
		each, rounds = time.Millisecond, 2
	}
	t, err := optest.TimeSpeed(s.dev, row, optest.SpeedCase{Name: row.Op, Make: make}, optest.BF16, backward, rounds, each)
	if err != nil {
		return err
	}
	if t == nil {
		return fmt.Errorf("the device does not support it")
	}
	l.Figures["ours_ms"], l.Figures["GB/s"] = 1000*t.Seconds, t.Bytes/t.Seconds/1e9
	if s.bandwidth > 0 {
		l.Of, l.Bar, l.Reach = "of the copy bandwidth", 0.85, 0.92
		l.Figures[l.Of] = t.Bytes / t.Seconds / s.bandwidth
	}
	return nil
}
