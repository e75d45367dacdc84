//go:build cuda && cgo

package cuda

import (
	"fmt"

	"mmc4/kernels"
)

// attentionOp is struct AttentionOp of attention.cuh.
type attentionOp struct {
	tq, h, d, tk, hkv, tk2       int64
	q, k, v, k2, v2, out         heads
	slopes, keyMask              uint64
	textTime, keys, lse          uint64
	keysPerMedia, maskRow        int64
	scale                        float32
	causal, previous, hiddenOnce int32
}

// attentionGrads is struct AttentionGrads of attention_backward.cu.
type attentionGrads struct {
	dout, dq, dk, dv, dk2, dv2     heads
	delta                          uint64
	addQ, addK, addV, addK2, addV2 int32
	_                              int32
}

// OWN and OTHERS of attention.cuh: the rows a block has, and those it looks at at a time.
const (
	ownRows          = 16
	otherRows        = 32
	attentionThreads = 128
	side             = 64 // SIDE of attention_bf16.cuh
)

func attentionOf(op *kernels.Attention) attentionOp {
	a := attentionOp{tq: int64(op.Q.Dims[1]), h: int64(op.Q.Dims[2]), d: int64(op.Q.Dims[3]), tk: int64(op.K.Dims[1]), hkv: int64(op.K.Dims[2]),
		q: headsOf(op.Q), k: headsOf(op.K), v: headsOf(op.V), k2: headsOf(op.K2), v2: headsOf(op.V2), out: headsOf(op.Out),
		slopes: uint64(address(op.Slopes)), keyMask: uint64(address(op.KeyMask)), maskRow: int64(op.K.Dims[1]), keys: uint64(address(op.Keys)), lse: uint64(address(op.LSE)),
		scale: op.Scale, causal: flag(op.Causal), hiddenOnce: flag(op.HiddenOnce && op.Causal && !op.KeyMask.None())}
	if !op.K2.None() {
		a.tk2 = int64(op.K2.Dims[1])
	}
	if m := op.Media; m != nil {
		a.textTime, a.keysPerMedia, a.previous = uint64(address(m.TextTime)), int64(m.KeysPerMedia), flag(m.Previous)
	}
	return a
}

// onCores is the kernel on tensor cores for an op, or none: for bf16 whose rows lie at multiples of 16 bytes.
func onCores(name string, d int, tensors ...kernels.Tensor) (kernel string, width int, ok bool) {
	for _, t := range tensors {
		if t.None() {
			continue
		}
		h := headsOf(t)
		if t.DType != kernels.BF16 || h.at%16 != 0 || h.batch%8 != 0 || h.token%8 != 0 || h.head%8 != 0 {
			return "", 0, false
		}
	}
	for _, most := range []int{64, 80, 128} {
		if d <= most && d%8 == 0 {
			return fmt.Sprintf("%s_%d", name, most), max(64, up(most, 64)*64), true
		}
	}
	return "", 0, false
}

// coresTile is the bytes of SIDE rows of a head in shared memory: attention_bf16.cuh.
func coresTile(width int) int { return side * width * 2 }

// width is the kernel for heads of d features.
func width(name string, d int) string {
	switch {
	case d <= 64:
		return name + "_64"
	case d <= 128:
		return name + "_128"
	}
	return fmt.Sprintf("%s_%d", name, mostFeatures)
}

func (q *queue) attention(op *kernels.Attention) {
	b, tq, h, d := op.Q.Dims[0], op.Q.Dims[1], op.Q.Dims[2], op.Q.Dims[3]
	many := 1 // times side queries a block: two, where registers allow and no more are idle
	if d <= 80 && up(tq, 2*side)*2 <= up(tq, side) && op.Keys.None() {
		many = 2
	}
	if kernel, wide, ok := onCores(fmt.Sprintf("attention_bf16_%d", many*side), d, op.Q, op.K, op.V, op.K2, op.V2, op.Out); ok {
		q.launch(kernel, shape{grid: [3]int{up(tq, many*side) * h * b, 1, 1}, threads: attentionThreads, shared: (many + 4) * coresTile(wide)}, attentionOf(op))
		return
	}
	shared := 4 * (ownRows*d + otherRows*(d+1) + otherRows*d)
	q.launch(width("attention", d), shape{grid: [3]int{(tq + ownRows - 1) / ownRows * h * b, 1, 1}, threads: attentionThreads, shared: shared}, attentionOf(op))
}

func (q *queue) attentionBackward(op *kernels.AttentionBackward) {
	f := op.Forward
	b, tq, h, d := f.Q.Dims[0], f.Q.Dims[1], f.Q.Dims[2], f.Q.Dims[3]
	keys, hkv := f.K.Dims[1], f.K.Dims[2]
	if !f.K2.None() {
		keys += f.K2.Dims[1]
	}
	rows := b * h * tq
	parts, ok := q.scratchParts(rows)
	if !ok {
		return
	}
	a := attentionOf(f)
	g := attentionGrads{dout: headsOf(op.DOut), dq: headsOf(op.DQ.T), dk: headsOf(op.DK.T), dv: headsOf(op.DV.T), dk2: headsOf(op.DK2.T), dv2: headsOf(op.DV2.T),
		delta: uint64(parts[0]), addQ: flag(op.DQ.Add), addK: flag(op.DK.Add), addV: flag(op.DV.Add), addK2: flag(op.DK2.Add), addV2: flag(op.DV2.Add)}
	const warps = attentionThreads / 32
	q.launch("attention_delta", shape{grid: [3]int{(rows + warps - 1) / warps, 1, 1}, threads: attentionThreads}, a, g.dout, parts[0], rows)
	tensors := []kernels.Tensor{f.Q, f.K, f.V, f.K2, f.V2, op.DOut}
	dq, wide, ok := onCores("attention_bf16_dq", d, tensors...)
	if ok && op.DQ.Wanted() {
		q.launch(dq, shape{grid: [3]int{up(tq, side) * h * b, 1, 1}, threads: attentionThreads, shared: 6 * coresTile(wide)}, a, g)
	}
	keysWanted := op.DK.Wanted() || op.DV.Wanted() || op.DK2.Wanted() || op.DV2.Wanted()
	if dkv, _, _ := onCores("attention_bf16_dkv", d, tensors...); ok && keysWanted {
		tiles := up(f.K.Dims[1], side)
		if !f.K2.None() {
			tiles += up(f.K2.Dims[1], side)
		}
		q.launch(dkv, shape{grid: [3]int{tiles * hkv * b, 1, 1}, threads: attentionThreads, shared: 4 * coresTile(wide)}, a, g)
	}
	if ok {
		return
	}
	s := shape{threads: attentionThreads, shared: 4 * (2*ownRows*d + 2*otherRows*(d+1))}
	if op.DQ.Wanted() {
		s.grid = [3]int{(tq + ownRows - 1) / ownRows * h * b, 1, 1}
		q.launch(width("attention_dq", d), s, a, g)
	}
	if op.DK.Wanted() || op.DV.Wanted() || op.DK2.Wanted() || op.DV2.Wanted() {
		s.grid = [3]int{(keys + ownRows - 1) / ownRows * hkv * b, 1, 1}
		q.launch(width("attention_dkv", d), s, a, g)
	}
}

func (q *queue) put(op *kernels.Put) {
	n, s := op.Src.Len(), op.Src.Dims
	q.launch("put", q.d.over(n), headsOf(op.Src), headsOf(op.Dst), address(op.At), s[1], op.Dst.Dims[1], s[2], s[3], n)
}

func (q *queue) advance(op *kernels.Advance) {
	n := op.X.Len()
	q.launch("advance_ints", q.d.over(n), address(op.X), op.By, n)
}
