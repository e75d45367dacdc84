//go:build cuda && cgo

package cuda

import (
	"math"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/optest"
)

// coresRow is attention as the tensor cores' kernels take it: bf16, rows at multiples of 16 bytes, all kinds of masks over
// several tiles of queries and keys. The table of ops has few such instances.
var coresRow = optest.Row{
	Op:      "attention",
	Outputs: []string{"Out", "LSE"},
	Make:    makeCores,
	Backward: func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		return &kernels.AttentionBackward{Forward: f.(*kernels.Attention), DOut: dOut,
			DK: grad("K"), DV: grad("V"), DK2: grad("K2"), DV2: grad("V2"), DQ: grad("Q")}
	},
	Wrt:       []string{"K", "V", "K2", "V2", "Q"},
	Tame:      true,
	Tolerance: 5e-5,
	Rounded:   2e-2,
	Floor:     0.1,
}

func makeCores(g *optest.Gen) kernels.Op {
	widths := []int{8, 24, 64, 72, 80, 96, 128}
	d, hkv := widths[g.IntN(len(widths))], 1+g.IntN(2)
	h, tq, tk := hkv*(1+g.IntN(2)), g.Size(100), 1+g.Size(140)
	op := &kernels.Attention{Scale: float32(1 / math.Sqrt(float64(d)))}
	media := 0
	switch g.IntN(6) {
	case 0:
		op.Causal, tk = true, tq+g.IntN(90)
	case 1: // queries that see no key
		op.Causal, tk = true, 2+tq/2
	case 2:
		media = 1 + g.IntN(5)
		tk = media * (2 + g.IntN(40))
	case 3:
		tk2 := g.Size(80)
		op.K2, op.V2 = g.Act(1, tk2, hkv, d), g.Act(1, tk2, hkv, d)
	}
	op.Q, op.K, op.V = g.Act(1, tq, h, d), g.Act(1, tk, hkv, d), g.Act(1, tk, hkv, d)
	op.Out, op.LSE = g.Out(1, tq, h, d), g.StatOut(1, h, tq)
	if op.Causal && g.Chance(40) {
		op.Slopes = g.Stat(h)
	}
	if media == 0 && op.K2.None() && g.Chance(40) {
		op.KeyMask, op.HiddenOnce = g.Bytes(2, 1, tk), g.Chance(50)
	}
	if media > 0 {
		op.Media = &kernels.MediaMask{TextTime: g.Ints(0, media+2, 1, tq), KeysPerMedia: tk / media, Previous: g.Chance(30)}
	}
	return op
}

func TestAttentionOnCores(t *testing.T) {
	d, row, eligible := open(t), coresRow, 0
	row.Make = func(g *optest.Gen) kernels.Op {
		op := makeCores(g).(*kernels.Attention)
		well := true
		for _, x := range []kernels.Tensor{op.Q, op.K, op.V, op.K2, op.V2, op.Out} {
			well = well && (x.None() || x.DType == kernels.BF16 && x.Off%8 == 0)
		}
		if well {
			eligible++
		}
		return op
	}
	for _, r := range optest.Compare(d, []optest.Row{row}, rounds()) {
		if r.Mode != optest.BF16 { // TestOps has the others
			continue
		}
		for _, err := range r.Errs {
			t.Error(err)
		}
	}
	if eligible < rounds()/4 {
		t.Errorf("%d instances for tensor cores", eligible)
	}
}
