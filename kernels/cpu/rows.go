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

// How much a unit of work takes: enough that a call into C is nothing beside it.
const elementsEach = 1 << 14

func vec(t kernels.Tensor) C.struct_vec {
	row, _ := t.RowStride()
	if t.None() {
		row = 0
	}
	return C.struct_vec{at: pointer(t), _type: C.int(t.DType), row: C.int64_t(row)}
}

func float32s(t kernels.Tensor) *C.float { return (*C.float)(pointer(t)) }
func int32s(t kernels.Tensor) *C.int32_t { return (*C.int32_t)(pointer(t)) }

// scalar reads element i of an fp32 tensor.
func scalar(t kernels.Tensor, i int) float32 {
	return *(*float32)(unsafe.Add(pointer(t), 4*i))
}

func setScalar(t kernels.Tensor, add bool, v float32) {
	p := (*float32)(pointer(t))
	if add {
		v += *p
	}
	*p = v
}

func (d *Device) set() *C.struct_set { return C.set_of(C.int(d.level)) }

// elements shares out n elements, rows shares out rows of width elements.
func (d *Device) elements(n int, f func(from, to C.int64_t)) {
	d.pool.spans(n, elementsEach, func(_, from, to int) { f(C.int64_t(from), C.int64_t(to)) })
}

func (d *Device) rows(n, width int, f func(from, to C.int64_t)) {
	d.pool.spans(n, max(1, elementsEach/max(width, 1)), func(_, from, to int) { f(C.int64_t(from), C.int64_t(to)) })
}

// dot is the sum of products of all elements: by fixed pieces, added in order.
func (d *Device) dot(x, y kernels.Tensor) float32 {
	parts := make([]float64, (x.Len()+elementsEach-1)/elementsEach)
	set, xv, yv := d.set(), vec(x), vec(y)
	d.elements(x.Len(), func(from, to C.int64_t) {
		parts[from/elementsEach] = float64(C.call_dot(set, xv, yv, from, to))
	})
	sum := 0.0
	for _, p := range parts {
		sum += p
	}
	return float32(sum)
}

// fill clears, or writes one element and copies what is there behind it.
func (d *Device) fill(op *kernels.Fill) {
	data, one := host(op.Dst), kernels.EncodeFloats(op.Dst.DType, []float32{op.Value})
	d.elements(op.Dst.Len(), func(from, to C.int64_t) {
		part := data[int(from)*len(one) : int(to)*len(one)]
		if op.Value == 0 && !math.Signbit(float64(op.Value)) {
			clear(part)
			return
		}
		for n := copy(part, one); n < len(part); n *= 2 {
			copy(part[n:], part[:n])
		}
	})
}

func (d *Device) act(op *kernels.Act) {
	set, kind, x, out := d.set(), C.int(op.Kind), vec(op.X), vec(op.Out)
	d.elements(op.X.Len(), func(from, to C.int64_t) { C.call_act(set, kind, x, out, from, to) })
}

func (d *Device) actBackward(op *kernels.ActBackward) {
	set, kind, x, dout, dx, add := d.set(), C.int(op.Kind), vec(op.X), vec(op.DOut), vec(op.DX.T), flag(op.DX.Add)
	d.elements(op.X.Len(), func(from, to C.int64_t) { C.call_act_backward(set, kind, x, dout, dx, add, from, to) })
}

// ofRows is a contiguous tensor seen as rows of a width, whatever its own dimensions.
func ofRows(t kernels.Tensor, width int) C.struct_vec {
	v := vec(t)
	v.row = C.int64_t(width)
	return v
}

func (d *Device) gatedAct(op *kernels.GatedAct) {
	n := op.Gate.Dim(-1)
	set, kind, gate, up, out := d.set(), C.int(op.Kind), vec(op.Gate), vec(op.Up), ofRows(op.Out, n)
	d.rows(op.Gate.Rows(), n, func(from, to C.int64_t) { C.call_gated_act(set, kind, gate, up, out, C.int64_t(n), from, to) })
}

func (d *Device) gatedActBackward(op *kernels.GatedActBackward) {
	n := op.Gate.Dim(-1)
	set, kind, gate, up, dout := d.set(), C.int(op.Kind), vec(op.Gate), vec(op.Up), ofRows(op.DOut, n)
	dgate, addGate, dup, addUp := vec(op.DGate.T), flag(op.DGate.Add), vec(op.DUp.T), flag(op.DUp.Add)
	d.rows(op.Gate.Rows(), n, func(from, to C.int64_t) {
		C.call_gated_act_backward(set, kind, gate, up, dout, dgate, addGate, dup, addUp, C.int64_t(n), from, to)
	})
}

// addScaled is out = a + scale*b, b repeating over a.
func (d *Device) addScaled(a, b kernels.Tensor, scale float32, out kernels.Tensor) {
	set, av, bv, ov, nb := d.set(), vec(a), vec(b), vec(out), C.int64_t(b.Len())
	d.elements(a.Len(), func(from, to C.int64_t) { C.call_add(set, av, bv, nb, C.float(scale), ov, from, to) })
}

func (d *Device) add(op *kernels.Add) {
	scale := op.Scale
	if scale == 0 {
		scale = 1
	}
	d.addScaled(op.A, op.B, scale, op.Out)
}

func (d *Device) mul(op *kernels.Mul) {
	set, a, b, out := d.set(), vec(op.A), vec(op.B), vec(op.Out)
	d.elements(op.A.Len(), func(from, to C.int64_t) { C.call_mul(set, a, b, out, from, to) })
}

func (d *Device) scale(x kernels.Tensor, by float32, to kernels.Grad) {
	set, xv, out, add := d.set(), vec(x), vec(to.T), flag(to.Add)
	d.elements(x.Len(), func(from, to C.int64_t) { C.call_scale(set, xv, C.float(by), out, add, from, to) })
}

// factor is f(S) of ScaleBy.
func factor(s kernels.Tensor, exp bool) float32 {
	if exp {
		return float32(math.Exp(float64(scalar(s, 0))))
	}
	return scalar(s, 0)
}

func (d *Device) scaleBy(op *kernels.ScaleBy) {
	d.scale(op.X, factor(op.S, op.Exp), kernels.Grad{T: op.Out})
}

func (d *Device) scaleByBackward(op *kernels.ScaleByBackward) {
	by := factor(op.S, op.Exp)
	if op.DS.Wanted() {
		slope := float32(1)
		if op.Exp {
			slope = by
		}
		setScalar(op.DS.T, op.DS.Add, slope*d.dot(op.X, op.DOut))
	}
	if op.DX.Wanted() {
		d.scale(op.DOut, by, op.DX)
	}
}

func (d *Device) tanhGate(op *kernels.TanhGate) {
	d.addScaled(op.X, op.Y, float32(math.Tanh(float64(scalar(op.Gate, 0)))), op.Out)
}

func (d *Device) tanhGateBackward(op *kernels.TanhGateBackward) {
	gate := math.Tanh(float64(scalar(op.Gate, 0)))
	if op.DGate.Wanted() {
		setScalar(op.DGate.T, op.DGate.Add, float32(1-gate*gate)*d.dot(op.Y, op.DOut))
	}
	if op.DY.Wanted() {
		d.scale(op.DOut, float32(gate), op.DY)
	}
}

func (d *Device) layerNorm(op *kernels.LayerNorm) {
	n := op.X.Dim(-1)
	set, x, w, b, out := d.set(), vec(op.X), vec(op.W), vec(op.B), vec(op.Out)
	mean, rstd := float32s(op.Mean), float32s(op.RStd)
	d.rows(op.X.Rows(), n, func(from, to C.int64_t) {
		C.call_layernorm(set, x, w, b, C.float(op.Eps), out, mean, rstd, C.int64_t(n), from, to)
	})
}

func (d *Device) rmsNorm(op *kernels.RMSNorm) {
	n := op.X.Dim(-1)
	set, x, w, out, rstd := d.set(), vec(op.X), vec(op.W), vec(op.Out), float32s(op.RStd)
	d.rows(op.X.Rows(), n, func(from, to C.int64_t) {
		C.call_rmsnorm(set, x, w, C.float(op.Eps), out, rstd, C.int64_t(n), from, to)
	})
}

// normBackward sums DW and DB over pieces of rows, then the pieces in order.
func (d *Device) normBackward(op *kernels.LayerNormBackward) error {
	n, rows := op.X.Dim(-1), op.X.Rows()
	const each = 64
	pieces := (rows + each - 1) / each
	if err := d.packed.grow(d, max(1, 2*4*n*pieces)); err != nil {
		return err
	}
	parts := unsafe.Slice((*float32)(unsafe.Pointer(&d.packed.buf[0])), 2*n*pieces)
	clear(parts)
	set, x, w, dout, dx := d.set(), vec(op.X), vec(op.W), vec(op.DOut), vec(op.DX.T)
	d.pool.spans(rows, each, func(_, from, to int) {
		piece := parts[2*n*(from/each):]
		var dw, db *C.float
		if op.DW.Wanted() {
			dw = (*C.float)(unsafe.Pointer(&piece[0]))
		}
		if op.DB.Wanted() {
			db = (*C.float)(unsafe.Pointer(&piece[n]))
		}
		C.call_norm_backward(set, x, w, float32s(op.Mean), float32s(op.RStd), dout, dx, flag(op.DX.Add), dw, db, C.int64_t(n), C.int64_t(from), C.int64_t(to))
	})
	for i, g := range []kernels.Grad{op.DW, op.DB} {
		if g.Wanted() {
			part := C.struct_vec{at: unsafe.Pointer(&parts[i*n]), _type: C.int(kernels.F32), row: C.int64_t(2 * n)}
			C.call_sum_rows(set, part, vec(g.T), flag(g.Add), C.int64_t(pieces), 0, C.int64_t(n))
		}
	}
	return nil
}

func (d *Device) sumRows(op *kernels.SumRows) {
	n := op.X.Dim(-1)
	set, x, out := d.set(), vec(op.X), vec(op.Out.T)
	d.pool.spans(n, 512, func(_, from, to int) {
		C.call_sum_rows(set, x, out, flag(op.Out.Add), C.int64_t(op.X.Rows()), C.int64_t(from), C.int64_t(to))
	})
}
