package kernels

// Embedding is Out[i] = Table[IDs[i]], with Add: Out[i] += it (positions on top of tokens). An id outside the table
// makes the row NaN: the host checks ids before it queues them.
type Embedding struct {
	Table Tensor // [V,C]
	IDs   Tensor // int32 [n]
	Out   Tensor // [.., C] of n rows
	Add   bool
}

func (*Embedding) Name() string { return "embedding" }

func (op *Embedding) Check() error {
	c := checker{op: "embedding"}
	c.dense("Table", op.Table)
	c.dense("Out", op.Out)
	c.need(c.err != nil || op.Table.Rank == 2 && op.Table.Dims[1] == op.Out.Dim(-1) || c.not("Table %v and Out %v do not fit", op.Table, op.Out))
	if c.err == nil {
		c.ints("IDs", op.IDs, op.Out.Rows())
	}
	return c.err
}

// EmbeddingBackward is DTable[IDs[i]] += DOut[i], in the order of i for each row of the table (deterministic). An id
// outside the table (-1) passes nothing. Without DTable.Add the table's gradient is cleared first.
type EmbeddingBackward struct {
	IDs    Tensor // int32 [n]
	DOut   Tensor // [.., C] of n rows
	DTable Grad   // [V,C]; each row is summed in fp32 and rounded once
}

func (*EmbeddingBackward) Name() string { return "embedding_backward" }

func (op *EmbeddingBackward) Check() error {
	c := checker{op: "embedding_backward"}
	c.dense("DOut", op.DOut)
	c.need(op.DTable.Wanted() || c.not("DTable is missing"))
	if c.err == nil {
		c.dense("DTable", op.DTable.T)
		c.need(op.DTable.T.Rank == 2 && op.DTable.T.Dims[1] == op.DOut.Dim(-1) || c.not("DTable %v and DOut %v do not fit", op.DTable.T, op.DOut))
		c.ints("IDs", op.IDs, op.DOut.Rows())
	}
	return c.err
}

// IgnoreLabel marks a row without loss.
const IgnoreLabel = -100

// CrossEntropy is the loss of softmax(Logits) against labels, natural logarithm. Loss[0] is the mean over rows whose
// label is not IgnoreLabel (NaN when there is none, as PyTorch has it), Loss[1] the number of those rows. The host checks
// that other labels are in [0,V) before it queues them.
type CrossEntropy struct {
	Logits Tensor // [.., V], rows may be strided
	Labels Tensor // int32 [rows]
	LSE    Tensor // fp32 [rows]: log-sum-exp of each row, kept for the gradient
	Loss   Tensor // fp32 [2]
}

func (*CrossEntropy) Name() string { return "cross_entropy" }

func (op *CrossEntropy) Check() error {
	c := checker{op: "cross_entropy"}
	c.float("Logits", op.Logits)
	if c.err == nil {
		_, ok := op.Logits.RowStride()
		c.need(ok || c.not("Logits %v has no single row stride", op.Logits))
		c.ints("Labels", op.Labels, op.Logits.Rows())
		c.denseLen("LSE", op.LSE, op.Logits.Rows())
		c.denseLen("Loss", op.Loss, 2)
	}
	return c.err
}

// CrossEntropyBackward is DLogits = (softmax(Logits) - onehot) * DLoss[0] / Loss[1]; rows without loss get zeros.
// DLogits may be Logits.
type CrossEntropyBackward struct {
	Logits, Labels, LSE, Loss Tensor
	DLoss                     Tensor // fp32 [1]
	DLogits                   Grad   // as Logits
}

func (*CrossEntropyBackward) Name() string { return "cross_entropy_backward" }

func (op *CrossEntropyBackward) Check() error {
	c := checker{op: "cross_entropy_backward"}
	c.need(op.DLogits.Wanted() || c.not("DLogits is missing"))
	if c.err == nil {
		if err := (&CrossEntropy{op.Logits, op.Labels, op.LSE, op.Loss}).Check(); err != nil {
			return err
		}
		c.denseLen("DLoss", op.DLoss, 1)
		c.float("DLogits", op.DLogits.T)
		c.need(op.DLogits.T.Dims == op.Logits.Dims || c.not("DLogits %v does not match %v", op.DLogits.T, op.Logits))
	}
	return c.err
}

// LogSoftmax is Out = X - log(sum(exp(X))) over the last dimension.
type LogSoftmax struct{ X, Out Tensor }

func (*LogSoftmax) Name() string { return "log_softmax" }

func (op *LogSoftmax) Check() error {
	c := checker{op: "log_softmax"}
	c.dense("X", op.X)
	c.like("Out", op.Out, op.X)
	return c.err
}

// ArgMax is Out[i] = the first index of the largest element of row i; greedy decoding. NaN is larger than all.
type ArgMax struct {
	X   Tensor // [.., V]
	Out Tensor // int32 [rows]
}

func (*ArgMax) Name() string { return "argmax" }

func (op *ArgMax) Check() error {
	c := checker{op: "argmax"}
	c.dense("X", op.X)
	if c.err == nil {
		c.ints("Out", op.Out, op.X.Rows())
	}
	return c.err
}
