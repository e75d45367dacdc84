//go:build cuda && cgo

package cuda

import (
	"math/bits"

	"gorgonia.org/cu"

	"mmc4/kernels"
	"mmc4/kernels/cuda/driver"
)

// Products by cuBLASLt, where there is one: what its epilogues can do is done there, an activation that it does not know
// by a kernel afterwards, and everything else by the kernels of matmul_bf16.cu and matmul_f32.cu.

// workspaceBytes is what the vendor advises for Hopper.
const workspaceBytes = 32 << 20

// library is a stream's part of cuBLASLt: plans by what they were made for, nil for what it refuses. None is given back
// before the stream is: graphs know them by their addresses.
type library struct {
	workspace cu.DevicePtr
	plans     map[planKey]*driver.LtPlan
}

// planKey is a shape, and what the epilogue's vectors are aligned to: the library looks at that too.
type planKey struct {
	shape     driver.LtShape
	bias, aux uint32
}

func (l *library) close() {
	for _, p := range l.plans {
		if p != nil {
			p.Free()
		}
	}
	if l.workspace != 0 {
		_ = cu.MemFree(l.workspace)
	}
}

// libraryMatMul queues a product, and reports whether it could. The operands are as they lie, of one type; room holds a
// bias of another type than the product's.
//
// The library's matrices lie by columns: row by row, Out [M,N] is its [N,M], so its A is our B.
func (q *queue) libraryMatMul(op *kernels.MatMul, a, b matrix, room cu.DevicePtr) bool {
	if q.d.lt == nil || a.kind != b.kind || q.err != nil {
		return false
	}
	m, n, k := op.Sizes()
	product, tail, epilogue := op.Out, false, int32(0)
	switch {
	case op.Act == kernels.NoActivation:
		if !op.Pre.None() {
			return false
		}
	case !op.Residual.None():
		return false
	case op.Act == kernels.GELUTanh && op.Pre.None():
		epilogue = driver.LtGELU
	case op.Act == kernels.GELUTanh && op.Pre.DType == kernels.BF16 && op.Out.DType == kernels.BF16 && n%8 == 0:
		epilogue = driver.LtGELUKeep
	default:
		tail = true
		if !op.Pre.None() {
			product = op.Pre
		}
	}
	c := product
	if !op.Residual.None() {
		c = op.Residual
	}
	if c.DType != product.DType || a.kind == int32(kernels.F32) && product.DType != kernels.F32 {
		return false
	}
	d, from := vecOf(product), vecOf(c)
	o := driver.LtOperands{A: b.at, B: a.at, C: from.at, D: d.at, WorkspaceBytes: workspaceBytes, Alpha: op.Alpha}
	if o.Alpha == 0 {
		o.Alpha = 1
	}
	if op.Add || !op.Residual.None() {
		o.Beta = 1
	}
	if !op.Bias.None() {
		epilogue |= driver.LtBias
		o.Bias = uint64(address(op.Bias))
		if op.Bias.DType != product.DType {
			o.Bias = uint64(room)
			q.launch("act", q.d.over8(n), kernels.NoActivation, vecOf(op.Bias), vec{at: o.Bias, kind: d.kind}, n)
		}
	}
	s := driver.LtShape{M: int64(n), N: int64(m), K: int64(k), LdA: b.row, LdB: a.row, LdC: max(from.row, int64(n)), LdD: max(d.row, int64(n)),
		TypeAB: libraryType(kernels.DType(a.kind)), TypeD: libraryType(product.DType), TransA: 1 - b.transposed, TransB: a.transposed, Epilogue: max(epilogue, driver.LtPlain),
		AlignA: aligned(o.A), AlignB: aligned(o.B), AlignC: aligned(o.C), AlignD: aligned(o.D)}
	if epilogue&driver.LtKeep != 0 {
		o.Aux, s.LdAux = uint64(address(op.Pre)), int64(n)
	}
	done := q.libraryProduct(s, o)
	if done && tail {
		q.launch("matmul_tail", q.d.over(m*up(n, 8)), op.Act, d, vecOf(op.Out), n, up(n, 8), m)
	}
	return done
}

// libraryProduct queues a product of a shape, unless the library refuses it.
func (q *queue) libraryProduct(s driver.LtShape, o driver.LtOperands) (done bool) {
	q.fail(q.d.do(func() (err error) {
		l := &q.library
		if l.workspace == 0 {
			if l.workspace, err = cu.MemAlloc(workspaceBytes); err != nil {
				return failed("take cuBLASLt's workspace", err)
			}
			l.plans = map[planKey]*driver.LtPlan{}
		}
		o.Workspace = uint64(l.workspace)
		key := planKey{s, aligned(o.Bias), aligned(o.Aux)}
		plan, ok := l.plans[key]
		if !ok {
			if plan, err = q.d.lt.Plan(s, o); err != nil {
				return failed("plan a product", err)
			}
			l.plans[key] = plan
		}
		if plan == nil {
			return nil
		}
		done = true
		return q.multiply(plan, o)
	}))
	return done
}

func libraryType(t kernels.DType) int32 {
	if t == kernels.BF16 {
		return driver.LtBFloat16
	}
	return driver.LtFloat32
}

// aligned is the largest power of two up to 256 that divides an address.
func aligned(at uint64) uint32 { return 1 << min(bits.TrailingZeros64(at|256), 8) }
