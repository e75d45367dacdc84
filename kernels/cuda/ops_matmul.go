//go:build cuda && cgo

package cuda

import "mmc4/kernels"

// matrix is struct Matrix of matmul.cuh.
type matrix struct {
	at               uint64
	row              int64
	scales           uint64
	kind, transposed int32
}

// epilogue is struct Epilogue of matmul.cuh.
type epilogue struct {
	bias, pre, residual, out vec
	alpha                    float32
	act, add                 int32
	_                        int32
}

// matrixOf is an operand as [outer,K]; transposed says that it lies as [K,outer].
func matrixOf(t kernels.Tensor, transposed bool) matrix {
	row, _ := t.RowStride()
	m := matrix{at: uint64(address(t)), row: int64(row), kind: int32(t.DType), transposed: flag(transposed)}
	if t.Scales != nil {
		m.scales = uint64(t.Scales.(*buffer).at)
	}
	return m
}

// lies reports whether rows of K bf16 elements begin at multiples of 16 bytes.
func (m matrix) lies(k int) bool {
	return m.kind == int32(kernels.BF16) && m.transposed == 0 && m.at%16 == 0 && m.row%8 == 0 && k%8 == 0
}

func epilogueOf(op *kernels.MatMul) epilogue {
	e := epilogue{bias: vecOf(op.Bias), pre: vecOf(op.Pre), residual: vecOf(op.Residual), out: vecOf(op.Out), alpha: op.Alpha, act: int32(op.Act), add: flag(op.Add)}
	if e.alpha == 0 {
		e.alpha = 1
	}
	return e
}

// tiles is a launch of a block for each tile of a product.
func tiles(m, n, side, threads int) shape {
	return shape{grid: [3]int{((m + side - 1) / side) * ((n + side - 1) / side), 1, 1}, threads: threads}
}

// matMul chooses a kernel by the type of B: fp32 arithmetic, tensor cores for bf16 (and for int8 that stands for bf16), or
// int8 sums.
func (q *queue) matMul(op *kernels.MatMul) {
	m, n, k := op.Sizes()
	a, b, e := matrixOf(op.A, op.TransA), matrixOf(op.B, !op.TransB), epilogueOf(op)
	switch {
	case op.B.DType == kernels.F32:
		q.launch("matmul_f32", tiles(m, n, 64, 256), a, b, e, m, n, k)
	case op.B.DType == kernels.I8 && op.TransB:
		q.matMulInt8(op, a, e)
	case !a.lies(k) || !b.lies(k):
		q.launch("matmul_bf16", tiles(m, n, 64, 128), a, b, e, m, n, k)
	case tiles(m, n, 128, 256).grid[0] < q.d.processors: // more of the small tiles than processors would idle
		q.launch("matmul_bf16_64", tiles(m, n, 64, 128), a, b, e, m, n, k)
	default:
		q.launch("matmul_bf16_128", tiles(m, n, 128, 256), a, b, e, m, n, k)
	}
}

func (q *queue) matMulInt8(op *kernels.MatMul, a matrix, e epilogue) {
	m, n, k := op.Sizes()
	words := (k + 3) / 4
	parts, ok := q.scratchParts(m*words, m)
	if !ok {
		return
	}
	q.launch("quantize_rows", rowsOf(m), a, parts[0], parts[1], k, words)
	q.launch("matmul_int8", tiles(m, n, 64, 256), parts[0], parts[1], address(op.B), op.B.Scales.(*buffer).at, e, m, n, k, words)
}
