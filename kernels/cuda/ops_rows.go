//go:build cuda && cgo

package cuda

import (
	"math"

	"mmc4/kernels"
)

// Ops on rows: sums, norms, losses, embeddings, positions.

// columnPieces is how sum_rows_pieces and norm_backward_pieces cut a matrix: into pieces of `each` rows, for a block of each
// 256 columns. There are at most some 128, which are summed one after the other.
func columnPieces(rows, cols int) (each, pieces int, s shape) {
	each = max(64, up(up(rows, 128), 8)*8)
	pieces = up(rows, each)
	return each, pieces, shape{grid: [3]int{up(cols, 256), pieces, 1}, threads: threadsEach}
}

func (q *queue) sumRows(op *kernels.SumRows) {
	rows, cols := op.X.Rows(), op.X.Dim(-1)
	each, pieces, s := columnPieces(rows, cols)
	parts, ok := q.scratchParts(pieces * cols)
	if !ok {
		return
	}
	q.launch("sum_rows_pieces", s, vecOf(op.X), parts[0], each, rows, cols)
	q.launch("sum_rows_finish", q.d.over(cols), parts[0], pieces, cols, vecOf(op.Out.T), flag(op.Out.Add))
}

func (q *queue) layerNorm(op *kernels.LayerNorm) {
	q.launch("norm_rows", rowsOf(op.X.Rows(), op.X.Dim(-1)), vecOf(op.X), vecOf(op.W), vecOf(op.B), int32(1), op.Eps, vecOf(op.Out), address(op.Mean), address(op.RStd), op.X.Dim(-1))
}

func (q *queue) rmsNorm(op *kernels.RMSNorm) {
	q.launch("norm_rows", rowsOf(op.X.Rows(), op.X.Dim(-1)), vecOf(op.X), vecOf(op.W), vec{}, int32(0), op.Eps, vecOf(op.Out), address(kernels.Tensor{}), address(op.RStd), op.X.Dim(-1))
}

func (q *queue) normBackward(op *kernels.LayerNormBackward) {
	rows, cols := op.X.Rows(), op.X.Dim(-1)
	if op.DW.Wanted() || op.DB.Wanted() { // first: DX may stand where DOut does
		each, pieces, s := columnPieces(rows, cols)
		parts, ok := q.scratchParts(pieces*cols, pieces*cols)
		if !ok {
			return
		}
		q.launch("norm_backward_pieces", s, vecOf(op.X), address(op.Mean), address(op.RStd), vecOf(op.DOut), parts[0], parts[1], each, rows, cols)
		for i, g := range []kernels.Grad{op.DW, op.DB} {
			if g.Wanted() {
				q.launch("sum_rows_finish", q.d.over(cols), parts[i], pieces, cols, vecOf(g.T), flag(g.Add))
			}
		}
	}
	if op.DX.Wanted() {
		q.launch("norm_backward", rowsOf(rows, cols), vecOf(op.X), vecOf(op.W), address(op.Mean), address(op.RStd), vecOf(op.DOut), vecOf(op.DX.T), flag(op.DX.Add), cols)
	}
}

func (q *queue) l2Norm(op *kernels.L2Norm) {
	q.launch("l2norm", rowsOf(op.X.Rows(), op.X.Dim(-1)), vecOf(op.X), vecOf(op.Out), address(op.Norm), op.X.Dim(-1))
}

func (q *queue) l2NormBackward(op *kernels.L2NormBackward) {
	q.launch("l2norm_backward", rowsOf(op.Out.Rows(), op.Out.Dim(-1)), vecOf(op.Out), address(op.Norm), vecOf(op.DOut), vecOf(op.DX.T), flag(op.DX.Add), op.Out.Dim(-1))
}

func (q *queue) crossEntropy(op *kernels.CrossEntropy) {
	rows := op.Logits.Rows()
	parts, ok := q.scratchParts(rows)
	if !ok {
		return
	}
	q.launch("cross_entropy", rowsOf(rows, op.Logits.Dim(-1)), vecOf(op.Logits), address(op.Labels), address(op.LSE), parts[0], op.Logits.Dim(-1))
	q.launch("cross_entropy_mean", rowsOf(1, rows), parts[0], address(op.Labels), address(op.Loss), rows)
}

func (q *queue) crossEntropyBackward(op *kernels.CrossEntropyBackward) {
	q.launch("cross_entropy_backward", rowsOf(op.Logits.Rows(), op.Logits.Dim(-1)), vecOf(op.Logits), address(op.Labels), address(op.LSE), address(op.Loss), address(op.DLoss),
		vecOf(op.DLogits.T), flag(op.DLogits.Add), op.Logits.Dim(-1))
}

func (q *queue) logSoftmax(op *kernels.LogSoftmax) {
	q.launch("log_softmax", rowsOf(op.X.Rows(), op.X.Dim(-1)), vecOf(op.X), vecOf(op.Out), op.X.Dim(-1))
}

func (q *queue) argMax(op *kernels.ArgMax) {
	q.launch("argmax", rowsOf(op.X.Rows(), op.X.Dim(-1)), vecOf(op.X), address(op.Out), op.X.Dim(-1))
}

func (q *queue) embedding(op *kernels.Embedding) {
	q.launch("embedding", rowsOf(op.Out.Rows(), op.Out.Dim(-1)), vecOf(op.Table), op.Table.Dims[0], address(op.IDs), vecOf(op.Out), flag(op.Add), op.Out.Dim(-1))
}

func (q *queue) embeddingBackward(op *kernels.EmbeddingBackward) {
	table := op.DTable.T
	if n := table.Len(); !op.DTable.Add {
		q.launch("fill", q.d.over8(n), vecOf(table), float32(0), n)
	}
	tokens, rows, n := op.DOut.Rows(), table.Dims[0], op.DOut.Dim(-1)
	parts, ok := q.scratchParts(rows, tokens, tokens) // int32
	if !ok {
		return
	}
	last, next, heads := parts[0], parts[1], parts[2]
	const chain = 1024 // CHAIN of embedding.cu
	q.launch("embedding_lists", shape{grid: [3]int{1, 1, 1}, threads: chain}, address(op.IDs), tokens, rows, last, next, heads)
	q.launch("embedding_backward", rowsOf(tokens, n), address(op.IDs), next, heads, vecOf(op.DOut), vecOf(table), flag(op.DTable.Add), n)
}

func (q *queue) rotary(op *kernels.Rotary) {
	n := op.X.Dims[0] * op.X.Dims[1] * (op.Dims / 2)
	q.launch("rotary", q.d.over(n), headsOf(op.X), address(op.Positions), op.X.Dims[1], op.X.Dims[2], int32(op.Dims), math.Log2(float64(op.Base)), flag(op.Inverse), n)
}
