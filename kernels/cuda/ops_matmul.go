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
	m := matrix{at: uint64(address(t)), row: int64(max(row, t.Dim(-1))), kind: int32(t.DType), transposed: flag(transposed)}
	if t.Scales != nil {
		m.scales = uint64(t.Scales.(*buffer).at)
	}
	return m
}

// lies reports whether rows are bf16 and begin at multiples of 16 bytes, as the tensor cores' kernels read them.
func (m matrix) lies() bool { return m.kind == int32(kernels.BF16) && m.at%16 == 0 && m.row%8 == 0 }

func epilogueOf(op *kernels.MatMul) epilogue {
	e := epilogue{bias: vecOf(op.Bias), pre: vecOf(op.Pre), residual: vecOf(op.Residual), out: vecOf(op.Out), alpha: op.Alpha, act: int32(op.Act), add: flag(op.Add)}
	if e.alpha == 0 {
		e.alpha = 1
	}
	return e
}

// tiles is a launch of a block for each tile of a product.
func tiles(m, n, side, threads, shared int) shape {
	return shape{grid: [3]int{up(m, side) * up(n, side), 1, 1}, threads: threads, shared: shared}
}

// matMul chooses by the type of B: fp32 arithmetic, tensor cores for bf16 (and for int8 that stands for bf16), or int8
// sums. What cuBLASLt can, it does.
func (q *queue) matMul(op *kernels.MatMul) {
	m, n, k := op.Sizes()
	a, b, e := matrixOf(op.A, op.TransA), matrixOf(op.B, !op.TransB), epilogueOf(op)
	switch {
	case op.B.DType == kernels.F32:
		parts, ok := q.scratchParts(n)
		if ok && !q.libraryMatMul(op, a, b, parts[0]) {
			q.launch("matmul_f32", tiles(m, n, 64, 256, 0), a, b, e, m, n, k)
		}
	case op.B.DType == kernels.I8 && op.TransB:
		q.matMulInt8(op, a, e)
	default:
		q.matMulBF16(op, a, b, e)
	}
}

// matMulBF16 brings both operands to bf16 rows that tensor cores read, where they are not, and multiplies.
func (q *queue) matMulBF16(op *kernels.MatMul, a, b matrix, e epilogue) {
	m, n, k := op.Sizes()
	operands := []struct {
		*matrix
		t kernels.Tensor
	}{{&a, op.A}, {&b, op.B}}
	room := []int{n} // for the library's bias
	for _, x := range operands {
		if !x.lies() {
			room = append(room, x.t.Rows()*up(x.t.Dim(-1), 8)*4) // bf16
		}
	}
	parts, ok := q.scratchParts(room...)
	if !ok {
		return
	}
	next := 1
	for _, x := range operands {
		if x.lies() {
			continue
		}
		rows, cols := x.t.Rows(), x.t.Dim(-1)
		width := up(cols, 8) * 8
		q.launch("round_rows", q.d.over8(rows*width), *x.matrix, parts[next], rows, cols, width)
		*x.matrix = matrix{at: uint64(parts[next]), row: int64(width), kind: int32(kernels.BF16), transposed: x.transposed}
		next++
	}
	if q.libraryMatMul(op, a, b, parts[0]) {
		return
	}
	name := [...]string{"n", "t"}[a.transposed] + [...]string{"n", "t"}[b.transposed]
	if tiles(m, n, 128, 0, 0).grid[0] < q.d.processors { // more of the small tiles than processors would idle
		q.launch("matmul_bf16_64_"+name, tiles(m, n, 64, 128, stageBytes(64)), a, b, e, m, n, k)
	} else {
		q.launch("matmul_bf16_128_"+name, tiles(m, n, 128, 128, stageBytes(128)), a, b, e, m, n, k)
	}
}

// stageBytes is the shared memory of matmul_bf16.cu: STAGES of BK elements of A's and B's sides.
func stageBytes(side int) int { return 3 * 64 * 2 * side * 2 }

func (q *queue) matMulInt8(op *kernels.MatMul, a matrix, e epilogue) {
	m, n, k := op.Sizes()
	words := (k + 3) / 4
	parts, ok := q.scratchParts(m*words, m)
	if !ok {
		return
	}
	q.launch("quantize_rows", rowsOf(m, k), a, parts[0], parts[1], k, words)
	q.launch("matmul_int8", tiles(m, n, 64, 256, 0), parts[0], parts[1], address(op.B), op.B.Scales.(*buffer).at, e, m, n, k, words)
}
