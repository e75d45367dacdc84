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

// scratch is memory of one worker that grows to what the largest op wanted.
type scratch struct {
	buf   []byte
	rows  int // block of A that is packed in it
	round int // product it belongs to
}

func (s *scratch) grow(d *Device, bytes int) error {
	if len(s.buf) >= bytes {
		return nil
	}
	s.free()
	b, err := d.Alloc(bytes)
	if err == nil {
		s.buf = b.(*buffer).data
	}
	return err
}

func (s *scratch) free() {
	old := buffer{data: s.buf}
	old.Free()
	s.buf, s.round = nil, 0
}

// room gives every worker so much scratch.
func (d *Device) room(bytes int) error {
	for w := range d.scratch {
		if err := d.scratch[w].grow(d, bytes); err != nil {
			return err
		}
	}
	return nil
}

func (d *Device) kind(t kernels.DType) *C.struct_gemm_kind {
	set := C.set_of(C.int(d.level))
	switch t {
	case kernels.I8:
		return &set.i8
	case kernels.BF16:
		return &set.bf16
	}
	return &set.f32
}

func panels(n int, kind *C.struct_gemm_kind) int { return (n + int(kind.width) - 1) / int(kind.width) }

// packedBytes is the size of B[n,k] packed.
func packedBytes(n, k int, kind *C.struct_gemm_kind) int {
	width, group := int(kind.width), int(kind.group)
	panel := (k + group - 1) / group * group * width * int(kind.b_size)
	if group == 4 {
		panel += 4 * width
	}
	return panels(n, kind) * panel
}

// packB packs panels [first,end) of B, whose element (n,k) lies at n*row + k*col, into to.
func (d *Device) packB(to unsafe.Pointer, b kernels.Tensor, n, k, row, col, first, end int) {
	kind := d.kind(b.DType)
	from, panel := pointer(b), C.size_t(packedBytes(1, k, kind))
	d.pool.spans(end-first, max(1, 1<<16/max(k, 1)/int(kind.width)), func(_, p0, p1 int) {
		C.gemm_pack_b(kind, to, C.int64_t(first), panel, from, C.int(b.DType), C.int64_t(row), C.int64_t(col), C.int64_t(n), C.int64_t(k), C.int64_t(first+p0), C.int64_t(first+p1))
	})
}

// Pack arranges a frozen weight [N,K] in panels.
func (d *Device) Pack(w kernels.Tensor) (kernels.Tensor, error) {
	n, k := w.Dims[0], w.Dims[1]
	buf, err := d.Alloc(packedBytes(n, k, d.kind(w.DType)))
	if err != nil {
		return w, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.packB(unsafe.Pointer(&buf.(*buffer).data[0]), w, n, k, w.Strides[0], w.Strides[1], 0, panels(n, d.kind(w.DType)))
	w.Mem, w.Off, w.Packed = buf, 0, true
	return w, nil
}

// fewRows is up to how many rows an unpacked B is read where it lies. Its sums are in another order than the packed one's.
const fewRows = C.FEW

func (d *Device) matmul(op *kernels.MatMul) error {
	m, n, k := op.Sizes()
	if m == 0 || n == 0 {
		return nil
	}
	b := op.B
	if b.DType == kernels.I8 && !op.TransB {
		var err error
		if b, err = d.widen(b); err != nil {
			return err
		}
	}
	kind := d.kind(b.DType)
	aRow, _ := op.A.RowStride()
	outRow, _ := op.Out.RowStride()
	g := C.struct_gemm{
		m: C.int64_t(m), n: C.int64_t(n), k: C.int64_t(k),
		a: pointer(op.A), a_row: C.int64_t(aRow), a_col: 1, a_type: C.int(op.A.DType),
		alpha: C.float(op.Alpha),
		bias:  pointer(op.Bias), bias_type: C.int(op.Bias.DType),
		act: C.int(op.Act),
		pre: pointer(op.Pre), pre_type: C.int(op.Pre.DType),
		out: pointer(op.Out), out_row: C.int64_t(outRow), out_type: C.int(op.Out.DType),
	}
	if op.Alpha == 0 {
		g.alpha = 1
	}
	if op.TransA {
		g.a_row, g.a_col = g.a_col, g.a_row
	}
	if op.Add {
		g.add = 1
	}
	if !op.Residual.None() {
		row, _ := op.Residual.RowStride()
		g.residual, g.residual_row, g.residual_type = pointer(op.Residual), C.int64_t(row), C.int(op.Residual.DType)
	}
	if b.Scales != nil {
		g.b_scale = (*C.float)(unsafe.Pointer(&b.Scales.(kernels.HostBuffer).Host()[0]))
	}
	row, col := b.Strides[0], b.Strides[1]
	if !op.TransB {
		row, col = col, row
	}
	switch {
	case b.Packed:
		g.b = pointer(b)
	case m <= fewRows && !op.TransA && op.A.DType == kernels.F32 && b.DType == kernels.F32 && (row == 1 || col == 1):
		g.b, g.b_row, g.b_col = pointer(b), C.int64_t(row), C.int64_t(col)
		d.pool.spans(n, C.RUN, func(_, from, to int) { C.gemm_few_rows(d.set(), &g, C.int64_t(from), C.int64_t(to)) })
		return nil
	default:
		if depth := d.depth(op, kind, n, k); depth < k {
			return d.inPieces(&g, kind, op, b, depth, row, col)
		}
		return d.packAndMultiply(&g, kind, b, m, n, k, row, col)
	}
	return d.tiles(&g, kind, m, k, 0, panels(n, kind))
}

const room = 8 << 20 // of B packed at a time: it stays in the last cache from packing to use

// depth is how many elements of k a product takes at a time: all, unless so few columns of B would fit the room that A had to be
// read many times over (the gradient of a language model's last states: k is the vocabulary). A frozen weight is never cut, so that
// its products are those of its packed form.
func (d *Device) depth(op *kernels.MatMul, kind *C.struct_gemm_kind, n, k int) int {
	const readings = 4
	plain := op.Act == kernels.NoActivation && op.Bias.None() && op.Residual.None() && op.Pre.None()
	if op.TransB || !plain || packedBytes(n, k, kind) <= readings*room {
		return k
	}
	return max(C.DEEP, room/packedBytes(n, 1, kind)/C.DEEP*C.DEEP)
}

// inPieces adds up products of `depth` elements of k in fp32: in place, or in scratch, from which a bf16 result is rounded once.
func (d *Device) inPieces(g *C.struct_gemm, kind *C.struct_gemm_kind, op *kernels.MatMul, b kernels.Tensor, depth, row, col int) error {
	m, n, k := op.Sizes()
	whole := *g
	if op.Out.DType != kernels.F32 {
		if err := d.sums.grow(d, 4*m*n); err != nil {
			return err
		}
		whole.out, whole.out_row, whole.out_type, whole.add = unsafe.Pointer(&d.sums.buf[0]), C.int64_t(n), C.int(kernels.F32), 0
	}
	for from := 0; from < k; from += depth {
		part, to := whole, min(k, from+depth)
		part.k = C.int64_t(to - from)
		part.a = unsafe.Add(g.a, from*int(g.a_col)*op.A.DType.Size())
		if from > 0 {
			part.add = 1
		}
		if err := d.packAndMultiply(&part, kind, b.Slice(0, from, to), m, n, to-from, row, col); err != nil {
			return err
		}
	}
	if op.Out.DType == kernels.F32 {
		return nil
	}
	sums := kernels.View(&buffer{data: d.sums.buf}, 0, kernels.F32, op.Out.Shape()...)
	return d.run(&kernels.Copy{Src: sums, Dst: op.Out, Add: op.Add})
}

// packAndMultiply takes columns of an unpacked B as many at a time as fit the room.
func (d *Device) packAndMultiply(g *C.struct_gemm, kind *C.struct_gemm_kind, b kernels.Tensor, m, n, k, row, col int) error {
	all, panel := panels(n, kind), packedBytes(1, k, kind)
	each := min(all, max(1, room/max(panel, 1)))
	if err := d.packed.grow(d, max(1, each*panel)); err != nil {
		return err
	}
	g.b = unsafe.Pointer(&d.packed.buf[0])
	for from := 0; from < all; from += each {
		to := min(all, from+each)
		g.b_first = C.int64_t(from)
		d.packB(g.b, b, n, k, row, col, from, to)
		if err := d.tiles(g, kind, m, k, from, to); err != nil {
			return err
		}
	}
	return nil
}

// widen is an int8 weight as bf16, in scratch.
func (d *Device) widen(w kernels.Tensor) (kernels.Tensor, error) {
	rows, n := w.Dims[0], w.Dims[1]
	if err := d.wide.grow(d, 2*rows*n); err != nil {
		return w, err
	}
	set, x, scales := d.set(), (*C.int8_t)(pointer(w)), (*C.float)(unsafe.Pointer(&w.Scales.(kernels.HostBuffer).Host()[0]))
	out := (*C.uint16_t)(unsafe.Pointer(&d.wide.buf[0]))
	d.rows(rows, n, func(from, to C.int64_t) {
		C.call_widen(set, x, C.int64_t(w.Strides[0]), scales, out, C.int64_t(n), from, to)
	})
	return kernels.View(&buffer{data: d.wide.buf}, 0, kernels.BF16, rows, n), nil
}

// tiles shares out blocks of rows times runs of the panels [first,end). The runs of one block follow each other, so that a
// worker packs a block of A once.
func (d *Device) tiles(g *C.struct_gemm, kind *C.struct_gemm_kind, m, k, first, end int) error {
	if err := d.room(int(C.gemm_scratch(kind, C.int64_t(m), C.int64_t(k)))); err != nil {
		return err
	}
	blocks, all := (m+C.ROWS-1)/C.ROWS, end-first
	runs := 1
	if d.pool.size > 1 {
		runs = min(all, max(1, 8*d.pool.size/blocks))
	}
	each := (all + runs - 1) / runs
	if int(C.gemm_depth(kind, C.int64_t(m), C.int64_t(k))) < k {
		each = min(each, C.BROAD/int(kind.width))
	}
	runs = (all + each - 1) / each
	d.round++
	round := d.round
	d.pool.run(blocks*runs, func(worker, unit int) {
		block, run := unit/runs, unit%runs
		s := &d.scratch[worker]
		pack := C.int(0)
		if s.round != round || s.rows != block {
			s.round, s.rows, pack = round, block, 1
		}
		C.gemm_unit(kind, g, C.int64_t(block*C.ROWS), C.int64_t(min(m, (block+1)*C.ROWS)),
			C.int64_t(first+run*each), C.int64_t(min(end, first+(run+1)*each)), (*C.char)(unsafe.Pointer(&s.buf[0])), pack)
	})
	return nil
}
