//go:build cgo

package cpu

/*
#include "set_call.h"
*/
import "C"

import (
	"math"
	"unsafe"

	"mmc4/kernels"
)

// Row operations at the ends of a model: embeddings, positions, losses, the optimizer, pixels; and copies.

// patchify copies pixels of one type: patch by patch, rows of a patch at a time.
func (d *Device) patchify(op *kernels.Patchify) {
	from, to, size := host(op.X), host(op.Out), op.X.DType.Size()
	channels, h, w, p := op.X.Dims[1], op.X.Dims[2], op.X.Dims[3], op.Patch
	across, down, run := w/p, h/p, p*size
	d.pool.spans(op.X.Dims[0]*down, 1, func(_, strip, _ int) {
		out := to[strip*across*channels*p*run:]
		for patch := range across {
			for c := range channels {
				at := ((strip/down*channels+c)*h+strip%down*p)*w*size + patch*run
				for range p {
					copy(out[:run], from[at:])
					out, at = out[run:], at+w*size
				}
			}
		}
	})
}

func (d *Device) embedding(op *kernels.Embedding) {
	n := op.Out.Dim(-1)
	set, table, out := d.set(), vec(op.Table), vec(op.Out)
	d.rows(op.Out.Rows(), n, func(from, to C.int64_t) {
		C.call_embedding(set, table, int32s(op.IDs), C.int64_t(op.Table.Dims[0]), out, flag(op.Add), C.int64_t(n), from, to)
	})
}

// embeddingBackward shares out columns, so that each row of the table is summed in the order of the tokens.
func (d *Device) embeddingBackward(op *kernels.EmbeddingBackward) {
	n, v := op.DOut.Dim(-1), op.DTable.T.Dims[0]
	set, dout, table := d.set(), vec(op.DOut), vec(op.DTable.T)
	if !op.DTable.Add {
		clear(host(op.DTable.T))
	}
	d.pool.spans(n, 256, func(_, from, to int) {
		C.call_embedding_backward(set, int32s(op.IDs), C.int64_t(v), C.int64_t(op.DOut.Rows()), dout, table, C.int64_t(n), C.int64_t(from), C.int64_t(to))
	})
}

// turns are the cosines and sines of rotary positions, as far as they have been wanted.
type turns struct {
	base     float32
	dims     int
	cos, sin []float32 // [position][dims/2]
}

func (d *Device) turnsFor(base float32, dims, positions int) *turns {
	for _, t := range d.turns {
		if t.base == base && t.dims == dims {
			t.grow(positions)
			return t
		}
	}
	t := &turns{base: base, dims: dims}
	t.grow(positions)
	d.turns = append(d.turns, t)
	return t
}

func (t *turns) grow(positions int) {
	half := t.dims / 2
	for p := len(t.cos) / max(half, 1); p < positions; p++ {
		for i := range half {
			angle := float64(p) * math.Pow(float64(t.base), -2*float64(i)/float64(t.dims))
			t.cos = append(t.cos, float32(math.Cos(angle)))
			t.sin = append(t.sin, float32(math.Sin(angle)))
		}
	}
}

// rotary leaves negative and far positions to ref: the table would not do for them.
func (d *Device) rotary(op *kernels.Rotary) bool {
	const far = 1 << 16
	rows := op.X.Dims[0] * op.X.Dims[1]
	most := int32(-1)
	for _, p := range unsafe.Slice((*int32)(pointer(op.Positions)), rows) {
		if p < 0 || p >= far {
			return false
		}
		most = max(most, p)
	}
	if most < 0 {
		return true
	}
	t := d.turnsFor(op.Base, op.Dims, int(most)+1)
	sign := C.float(1)
	if op.Inverse {
		sign = -1
	}
	x := C.struct_vec{at: pointer(op.X), _type: C.int(op.X.DType)}
	heads, tokens := op.X.Dims[2], op.X.Dims[1]
	set, s := d.set(), op.X.Strides
	cos, sin := (*C.float)(unsafe.Pointer(&t.cos[0])), (*C.float)(unsafe.Pointer(&t.sin[0]))
	d.rows(rows, heads*op.Dims, func(from, to C.int64_t) {
		C.call_rotary(set, x, C.int64_t(s[1]), C.int64_t(s[2]), int32s(op.Positions), cos, sin, C.int64_t(op.Dims), sign,
			C.int64_t(heads), C.int64_t(tokens), C.int64_t(s[0]), from, to)
	})
	return true
}

func (d *Device) crossEntropy(op *kernels.CrossEntropy) error {
	n, rows := op.Logits.Dim(-1), op.Logits.Rows()
	if err := d.packed.grow(d, max(1, 4*rows)); err != nil {
		return err
	}
	losses := unsafe.Slice((*float32)(unsafe.Pointer(&d.packed.buf[0])), rows)
	set, logits := d.set(), vec(op.Logits)
	d.rows(rows, n, func(from, to C.int64_t) {
		C.call_cross_entropy(set, logits, int32s(op.Labels), float32s(op.LSE), (*C.float)(unsafe.Pointer(unsafe.SliceData(losses))), C.int64_t(n), from, to)
	})
	sum, count := 0.0, 0
	for i, label := range unsafe.Slice((*int32)(pointer(op.Labels)), rows) {
		if label != kernels.IgnoreLabel {
			sum += float64(losses[i])
			count++
		}
	}
	out := unsafe.Slice((*float32)(pointer(op.Loss)), 2)
	out[0], out[1] = float32(sum/float64(count)), float32(count)
	return nil
}

func (d *Device) crossEntropyBackward(op *kernels.CrossEntropyBackward) {
	n := op.Logits.Dim(-1)
	by := C.float(scalar(op.DLoss, 0) / scalar(op.Loss, 1))
	set, logits, dlogits := d.set(), vec(op.Logits), vec(op.DLogits.T)
	d.rows(op.Logits.Rows(), n, func(from, to C.int64_t) {
		C.call_cross_entropy_backward(set, logits, int32s(op.Labels), float32s(op.LSE), by, dlogits, flag(op.DLogits.Add), C.int64_t(n), from, to)
	})
}

func (d *Device) logSoftmax(op *kernels.LogSoftmax) {
	n := op.X.Dim(-1)
	set, x, out := d.set(), vec(op.X), vec(op.Out)
	d.rows(op.X.Rows(), n, func(from, to C.int64_t) { C.call_log_softmax(set, x, out, C.int64_t(n), from, to) })
}

func (d *Device) adamW(op *kernels.AdamW) {
	if !op.Go.None() && *(*int32)(pointer(op.Go)) == 0 {
		return
	}
	scale := float32(1)
	if !op.Scale.None() {
		scale = scalar(op.Scale, 0)
	}
	set, hyper := d.set(), float32s(op.Hyper)
	for i := range op.Params {
		p := &op.Params[i]
		grad, w, m, v, rounded := vec(p.Grad), float32s(p.W), float32s(p.M), float32s(p.V), (*C.uint16_t)(pointer(p.Copy))
		d.elements(p.W.Len(), func(from, to C.int64_t) {
			C.call_adamw(set, w, m, v, grad, C.float(scale), rounded, hyper, C.float(p.Decay), from, to)
		})
	}
}

func (d *Device) sumSquares(op *kernels.SumSquares) {
	sum := 0.0
	for _, x := range op.Xs {
		sum += float64(d.dot(x, x))
	}
	setScalar(op.Out, false, float32(sum))
}

func (d *Device) normalizePixels(op *kernels.NormalizePixels) {
	set, out := d.set(), vec(op.Out)
	pixels := op.X.Dims[1] * op.X.Dims[2]
	var mean, std [3]C.float
	for i := range mean {
		mean[i], std[i] = C.float(op.Mean[i]), C.float(op.Std[i])
	}
	d.pool.spans(op.X.Dims[0], 1, func(_, from, to int) {
		C.call_normalize_pixels(set, (*C.uint8_t)(pointer(op.X)), out, &mean[0], &std[0], C.int64_t(pixels), C.int64_t(from), C.int64_t(to))
	})
}

// copyFloats does copies of floating tensors: the last dimension in C, the others here.
func (d *Device) copyFloats(op *kernels.Copy) {
	if op.Src.Len() == 0 {
		return
	}
	src, dst, set := op.Src, op.Dst, d.set()
	for src.Rank > 1 && src.Strides[src.Rank-2] == src.Dims[src.Rank-1]*src.Strides[src.Rank-1] &&
		dst.Strides[dst.Rank-2] == dst.Dims[dst.Rank-1]*dst.Strides[dst.Rank-1] { // one longer row
		for _, t := range []*kernels.Tensor{&src, &dst} {
			t.Dims[t.Rank-2] *= t.Dims[t.Rank-1]
			t.Strides[t.Rank-2] = t.Strides[t.Rank-1]
			t.Rank--
		}
	}
	n := 1
	if src.Rank > 0 {
		n = src.Dims[src.Rank-1]
	} else {
		src.Rank, dst.Rank, src.Dims[0], dst.Dims[0] = 1, 1, 1, 1
	}
	last := src.Rank - 1
	from, to := C.struct_vec{at: pointer(op.Src), _type: C.int(src.DType)}, C.struct_vec{at: pointer(op.Dst), _type: C.int(dst.DType)}
	if last == 0 { // one row: share out its elements
		d.elements(n, func(a, b C.int64_t) {
			C.call_convert(set, from, a*C.int64_t(src.Strides[0]), to, a*C.int64_t(dst.Strides[0]), b-a, C.int64_t(src.Strides[0]), C.int64_t(dst.Strides[0]), flag(op.Add))
		})
		return
	}
	d.rows(src.Rows(), n, func(a, b C.int64_t) {
		for r := int(a); r < int(b); r++ {
			at, fromAt, toAt := r, 0, 0
			for i := last - 1; i >= 0; i-- {
				fromAt += at % src.Dims[i] * src.Strides[i]
				toAt += at % src.Dims[i] * dst.Strides[i]
				at /= src.Dims[i]
			}
			C.call_convert(set, from, C.int64_t(fromAt), to, C.int64_t(toAt), C.int64_t(n), C.int64_t(src.Strides[last]), C.int64_t(dst.Strides[last]), flag(op.Add))
		}
	})
}
