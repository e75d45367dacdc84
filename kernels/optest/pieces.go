package optest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"mmc4/kernels"
	"mmc4/kernels/ref"
)

// Piece is a small piece of a model: it makes its parameters and returns a function from them to one number.
type Piece struct {
	Name string
	Make func(m *Maker) func(p *kernels.Pass) kernels.Tensor
}

// Pieces are what the project's models are made of.
var Pieces = []Piece{
	{"two transformer blocks", func(m *Maker) func(p *kernels.Pass) kernels.Tensor {
		x, one, two := m.Param("x", 2, pieceTokens, pieceWidth), NewTransformer(m, "one"), NewTransformer(m, "two")
		return func(p *kernels.Pass) kernels.Tensor {
			positions := p.FromInt32([]int32{0, 1, 2, 3, 4, 0, 0, 1, 2, 3}, 2, pieceTokens)
			return Weigh(p, two.Forward(p, one.Forward(p, p.Use(x), positions), positions))
		}
	}},
	{"perceiver", perceiver},
	{"gated block", gatedBlock},
	{"tied head", tiedHead},
	{"CLIP's loss", clipLoss},
}

const pieceWidth, pieceHead, pieceTokens = 8, 4, 5

// Transformer is a block of a language model: packed projection, rotary queries and keys, causal attention, GELU.
type Transformer struct {
	ln1, b1, qkv, bias, out, ln2, up, down *kernels.Param
}

// NewTransformer makes one of width 8 with 2 heads.
func NewTransformer(m *Maker, name string) *Transformer {
	const w = pieceWidth
	return &Transformer{m.Param(name+".ln1", w), m.Param(name+".b1", w), m.Param(name+".qkv", 3*w, w), m.Param(name+".bias", 3*w),
		m.Param(name+".out", w, w), m.Param(name+".ln2", w), m.Param(name+".up", 2*w, w), m.Param(name+".down", w, 2*w)}
}

// Forward runs it on x [B,T,8] with int32 positions [B,T].
func (m *Transformer) Forward(p *kernels.Pass, x, positions kernels.Tensor) kernels.Tensor {
	return p.Block(x, func(x kernels.Tensor) kernels.Tensor {
		const h = pieceWidth / pieceHead
		qkv := p.Linear(p.LayerNorm(x, m.ln1, m.b1, 1e-5), m.qkv, m.bias).Split(2, pieceHead) // [B,T,3H,D]
		q, k, v := qkv.Slice(2, 0, h), qkv.Slice(2, h, 2*h), qkv.Slice(2, 2*h, 3*h)
		p.Rotary(q, positions, pieceHead, 100)
		p.Rotary(k, positions, 2, 100)
		a := p.Attention(kernels.Attention{Q: q, K: k, V: v, Scale: 0.5, Causal: true})
		x = p.LinearAdd(a.Reshape(x.Shape()...), m.out, nil, x)
		u := p.LinearAct(p.RMSNorm(x, m.ln2, 1e-5), m.up, nil, kernels.GELU)
		return p.LinearAdd(u, m.down, nil, x)
	})
}

func perceiver(m *Maker) func(p *kernels.Pass) kernels.Tensor {
	const w, latents, patches, h = pieceWidth, 3, 4, pieceWidth / pieceHead
	media, start := m.Param("media", 2, patches, w), m.Param("latents", latents, w)
	nm, nl, q, kv, out := m.Param("nm", w), m.Param("nl", w), m.Param("q", w, w), m.Param("kv", 2*w, w), m.Param("out", w, w)
	return func(p *kernels.Pass) kernels.Tensor {
		x := p.Use(media)
		l := p.Repeat(p.Use(start), 2)
		for range 2 {
			l = p.Block(l, func(l kernels.Tensor) kernels.Tensor {
				xn, ln := p.LayerNorm(x, nm, nil, 1e-5), p.LayerNorm(l, nl, nil, 1e-5)
				kv1, kv2 := p.Linear(xn, kv, nil).Split(2, pieceHead), p.Linear(ln, kv, nil).Split(2, pieceHead)
				a := p.Attention(kernels.Attention{Q: p.Linear(ln, q, nil).Split(2, pieceHead), Scale: 0.5,
					K: kv1.Slice(2, 0, h), V: kv1.Slice(2, h, 2*h), K2: kv2.Slice(2, 0, h), V2: kv2.Slice(2, h, 2*h)})
				return p.LinearAdd(a.Reshape(l.Shape()...), out, nil, l)
			}, x)
		}
		return Weigh(p, l)
	}
}

func gatedBlock(m *Maker) func(p *kernels.Pass) kernels.Tensor {
	const w, perMedia, h = pieceWidth, 2, pieceWidth / pieceHead
	text, media := m.Param("text", 2, pieceTokens, w), m.Param("media", 2, 2*perMedia, w)
	norm, q, kv, out, attnGate := m.Param("norm", w), m.Param("q", w, w), m.Frozen("kv", 2*w, w), m.Param("out", w, w), m.Param("attn_gate", 1)
	ffNorm, up, down, ffGate := m.Param("ff_norm", w), m.Param("up", 2*w, w), m.Frozen("down", w, 2*w), m.Param("ff_gate", 1)
	times := []int32{0, 1, 1, 2, 3, 0, 0, 2, 2, 1} // before any image, and after more images than there are
	return func(p *kernels.Pass) kernels.Tensor {
		images := p.Use(media)
		mask := &kernels.MediaMask{TextTime: p.FromInt32(times, 2, pieceTokens), KeysPerMedia: perMedia}
		x := p.Block(p.Use(text), func(x kernels.Tensor) kernels.Tensor {
			pair := p.Linear(images, kv, nil).Split(2, pieceHead)
			a := p.Attention(kernels.Attention{Q: p.Linear(p.LayerNorm(x, norm, nil, 1e-5), q, nil).Split(2, pieceHead), Scale: 0.5,
				K: pair.Slice(2, 0, h), V: pair.Slice(2, h, 2*h), Media: mask})
			x = p.TanhGate(x, p.Linear(a.Reshape(x.Shape()...), out, nil), attnGate)
			return p.TanhGate(x, p.Linear(p.LinearAct(p.LayerNorm(x, ffNorm, nil, 1e-5), up, nil, kernels.GELU), down, nil), ffGate)
		}, images)
		return Weigh(p, x)
	}
}

// tiedHead is a table of tokens at both ends, a clamp, a SwiGLU, fp32 logits whose gradient is written over them.
func tiedHead(m *Maker) func(p *kernels.Pass) kernels.Tensor {
	const w, v = pieceWidth, 11
	table, positions, norm, gateUp, down := m.Param("table", v, w), m.Param("positions", pieceTokens, w), m.Param("norm", w), m.Param("gate_up", 4*w, w), m.Frozen("down", w, 2*w)
	return func(p *kernels.Pass) kernels.Tensor {
		ids := p.FromInt32([]int32{1, 4, 4, 0, 10, 3, 3, 3, 9, 2}, 2, pieceTokens)
		x := p.EmbedWith(kernels.EmbedArgs{Table: table, IDs: ids, Positions: positions, PosIDs: p.FromInt32([]int32{0, 1, 2, 3, 4, 0, 1, 2, 3, 4}, 2, pieceTokens)})
		both := p.Clamp(p.Linear(p.RMSNorm(x, norm, 1e-5), gateUp, nil), -100, 100)
		x = p.LinearAdd(p.GatedAct(both.Slice(2, 0, 2*w), both.Slice(2, 2*w, 4*w), kernels.SiLU), down, nil, x)
		logits := p.LinearWith(kernels.LinearArgs{X: x, W: table, Alpha: 0.5, DType: kernels.F32})
		loss, _ := p.CrossEntropyInPlace(logits, p.FromInt32([]int32{4, 4, 0, kernels.IgnoreLabel, 3, 3, kernels.IgnoreLabel, 9, 2, 1}, 2*pieceTokens))
		return loss
	}
}

func clipLoss(m *Maker) func(p *kernels.Pass) kernels.Tensor {
	const w, n = pieceWidth, 3
	cls, patches, positions, proj, text, scale := m.Param("cls", w), m.Param("patches", n, 4, w), m.Param("positions", 5, w), m.Param("proj", w, 6), m.Param("text", n, 6), m.Param("scale", 1)
	return func(p *kernels.Pass) kernels.Tensor {
		x := p.Concat(1, p.Repeat(p.Use(cls), n).Reshape(n, 1, w), p.Use(patches))
		x = p.Act(p.Add(x, p.Use(positions), 0), kernels.QuickGELU)
		image := p.L2Norm(p.MatMul(p.Contiguous(x.Slice(1, 0, 1)).Reshape(n, w), p.Use(proj), false, false, 0, 0))
		logits := p.ScaleBy(p.MatMul(image, p.L2Norm(p.Use(text)), false, true, 0, kernels.F32), p.Use(scale), true)
		labels := p.FromInt32([]int32{0, 1, 2}, n)
		rows, _ := p.CrossEntropy(logits, labels)
		columns, _ := p.CrossEntropy(p.Contiguous(logits.Permute(1, 0)), labels)
		return p.Add(rows, columns, 1)
	}
}

// Weigh makes one number of a tensor: its product with fixed random numbers.
func Weigh(p *kernels.Pass, y kernels.Tensor) kernels.Tensor {
	r := rand.New(rand.NewPCG(5, uint64(y.Len())))
	c := make([]float32, y.Len())
	for i := range c {
		c[i] = float32(r.NormFloat64())
	}
	y = p.Contiguous(y)
	return p.MatMul(y.Reshape(1, y.Len()), p.FromFloat32(c, 1, len(c)), false, true, 0, kernels.F32)
}

// ComparePieces compares the gradients of Pieces on a device with those on ref: fp32 and bf16 (relative L2 error of 8e-2,
// the project's limit), kept and recomputed.
func ComparePieces(dev kernels.Device, pieces []Piece) []Report {
	var reports []Report
	for _, piece := range pieces {
		for _, mode := range []Mode{FP32, BF16} {
			report := Report{Op: piece.Name, Mode: mode}
			want, err := piece.gradients(ref.New(), FP32, false)
			if err != nil {
				report.Errs = append(report.Errs, fmt.Errorf("%s on ref: %w", piece.Name, err))
			}
			limit := 1e-4
			if mode == BF16 {
				limit = 8e-2
			}
			for _, checkpoint := range []bool{false, true} {
				got, err := piece.gradients(dev, mode, checkpoint)
				report.Cases++
				if err != nil {
					report.Errs = append(report.Errs, fmt.Errorf("%s %v, checkpoint %v: %w", piece.Name, mode, checkpoint, err))
					continue
				}
				off := relativeL2(got, want)
				report.Worst = max(report.Worst, off/limit)
				if !(off <= limit) {
					report.Errs = append(report.Errs, fmt.Errorf("%s %v, checkpoint %v: gradients are off by %.3g, allowed %.3g", piece.Name, mode, checkpoint, off, limit))
				}
			}
			reports = append(reports, report)
		}
	}
	return reports
}

// gradients runs a piece once and returns all gradients, one behind the other.
func (piece *Piece) gradients(dev kernels.Device, mode Mode, checkpoint bool) ([]float32, error) {
	m, err := NewMaker(dev)
	if err != nil {
		return nil, err
	}
	m.BF16 = mode == BF16
	o := kernels.PassOptions{Grad: true, Checkpoint: checkpoint}
	if m.BF16 {
		o.DType = kernels.BF16
	}
	loss := piece.Make(m)
	if m.Err() != nil {
		return nil, m.Err()
	}
	arena := kernels.NewArena(dev, 0)
	defer arena.Free()
	p := kernels.NewPass(dev, m.Queue, arena, o)
	p.Backward(loss(p), 1)
	var all []float32
	for _, w := range m.Params {
		g, err := p.Float32(w.Grad)
		if err != nil {
			return nil, err
		}
		all = append(all, g...)
	}
	return all, nil
}

func relativeL2(got, want []float32) float64 {
	var off, size float64
	for i := range want {
		d := float64(got[i]) - float64(want[i])
		off, size = off+d*d, size+float64(want[i])*float64(want[i])
	}
	return math.Sqrt(off / size)
}
