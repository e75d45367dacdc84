//go:build cgo

package cpu

/*
#include "set_call.h"
*/
import "C"

import (
	"unsafe"

	"mmc4/kernels"
)

// fewQueries is up to how many queries of a key head it pays to leave the keys where they lie.
const fewQueries = 4

func headsOf(t kernels.Tensor) C.struct_heads {
	return C.struct_heads{at: pointer(t), _type: C.int(t.DType),
		batch: C.int64_t(t.Strides[0]), token: C.int64_t(t.Strides[1]), head: C.int64_t(t.Strides[2])}
}

func attentionOf(op *kernels.Attention) C.struct_attention {
	q, k := op.Q.Dims, op.K.Dims
	a := C.struct_attention{
		b: C.int64_t(q[0]), tq: C.int64_t(q[1]), h: C.int64_t(q[2]), d: C.int64_t(q[3]),
		tk: C.int64_t(k[1]), hkv: C.int64_t(k[2]),
		q: headsOf(op.Q), k: headsOf(op.K), v: headsOf(op.V), out: headsOf(op.Out),
		scale:    C.float(op.Scale),
		slopes:   (*C.float)(pointer(op.Slopes)),
		key_mask: (*C.uint8_t)(pointer(op.KeyMask)),
		lse:      (*C.float)(pointer(op.LSE)),
	}
	if !op.K2.None() {
		a.tk2, a.k2, a.v2 = C.int64_t(op.K2.Dims[1]), headsOf(op.K2), headsOf(op.V2)
	}
	if op.Causal {
		a.causal = 1
	}
	if op.HiddenOnce && op.Causal && !op.KeyMask.None() {
		a.hidden_once = 1
	}
	if m := op.Media; m != nil {
		a.text_time, a.keys_per_media = (*C.int32_t)(pointer(m.TextTime)), C.int64_t(m.KeysPerMedia)
		if m.Previous {
			a.previous = 1
		}
	}
	return a
}

// firstKeys is an op without Keys: of the keys that there are, and the mask's part for them.
func (d *Device) firstKeys(op *kernels.Attention) (*kernels.Attention, error) {
	first := op.First(int(*(*int32)(pointer(op.Keys))))
	if op.KeyMask.None() {
		return first, nil
	}
	rows, all, keys := op.K.Dims[0], op.K.Dims[1], first.K.Dims[1]
	if err := d.mask.grow(d, rows*keys); err != nil {
		return nil, err
	}
	mask := host(op.KeyMask)
	for row := range rows {
		copy(d.mask.buf[row*keys:(row+1)*keys], mask[row*all:])
	}
	first.KeyMask = kernels.View(&buffer{data: d.mask.buf}, 0, kernels.U8, rows, keys)
	return first, nil
}

func (d *Device) attention(op *kernels.Attention) error {
	if !op.Keys.None() {
		var err error
		if op, err = d.firstKeys(op); err != nil {
			return err
		}
	}
	a, set := attentionOf(op), C.set_of(C.int(d.level))
	few := C.int(0)
	if int(a.tq*a.h/a.hkv) <= fewQueries {
		few = 1
	}
	if err := d.room(4 * int(C.call_attention_scratch(set, &a))); err != nil {
		return err
	}
	d.round++
	d.pool.run(int(a.b*a.hkv), func(worker, unit int) {
		s := &d.scratch[worker]
		s.round = 0
		C.call_attention(set, &a, few, C.int64_t(unit)/a.hkv, C.int64_t(unit)%a.hkv, (*C.float)(unsafe.Pointer(&s.buf[0])))
	})
	return nil
}

func (d *Device) attentionBackward(op *kernels.AttentionBackward) error {
	a, set := attentionOf(op.Forward), C.set_of(C.int(d.level))
	g := C.struct_attention_grads{
		dout: headsOf(op.DOut),
		dq:   headsOf(op.DQ.T), add_q: flag(op.DQ.Add),
		dk: headsOf(op.DK.T), add_k: flag(op.DK.Add),
		dv: headsOf(op.DV.T), add_v: flag(op.DV.Add),
		dk2: headsOf(op.DK2.T), add_k2: flag(op.DK2.Add),
		dv2: headsOf(op.DV2.T), add_v2: flag(op.DV2.Add),
	}
	if err := d.room(4 * int(C.call_attention_backward_scratch(set, &a))); err != nil {
		return err
	}
	d.pool.run(int(a.b*a.hkv), func(worker, unit int) {
		s := &d.scratch[worker]
		s.round = 0
		C.call_attention_backward(set, &a, &g, C.int64_t(unit)/a.hkv, C.int64_t(unit)%a.hkv, (*C.float)(unsafe.Pointer(&s.buf[0])))
	})
	return nil
}

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
