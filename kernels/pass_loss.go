package kernels

// Tables, losses and choices.

// EmbedArgs is a lookup of tokens, and of positions added on top.
type EmbedArgs struct {
	Table *Param // [V,C]
	IDs   Tensor // int32 [..], each in [0,V)
	// GradIDs, when there, takes the place of IDs for the gradient: rows of -1 pass none (a padding id, or all but
	// the ids that are trained).
	GradIDs   Tensor
	Positions *Param // [T,C], or nil
	PosIDs    Tensor // int32 [..] of as many elements as IDs
}

// Embed is table[ids], of shape [.., C].
func (p *Pass) Embed(table *Param, ids Tensor) Tensor {
	return p.EmbedWith(EmbedArgs{Table: table, IDs: ids})
}

// EmbedWith is Table[IDs] + Positions[PosIDs].
func (p *Pass) EmbedWith(a EmbedArgs) Tensor {
	table := p.weight(a.Table)
	out := p.alloc(p.DType, append(append([]int(nil), a.IDs.Shape()...), table.Dim(-1))...)
	p.do(&Embedding{Table: table.untracked(), IDs: a.IDs, Out: out})
	var positions Tensor
	if a.Positions != nil {
		positions = p.weight(a.Positions)
		p.do(&Embedding{Table: positions.untracked(), IDs: a.PosIDs, Out: out, Add: true})
	}
	if !p.tracked(table, positions) {
		return out
	}
	if a.GradIDs.None() {
		a.GradIDs = a.IDs
	}
	return p.record(out, func(d Tensor) {
		if g := p.gradOf(table); g.Wanted() {
			p.do(&EmbeddingBackward{IDs: a.GradIDs, DOut: d, DTable: g})
		}
		if g := p.gradOf(positions); g.Wanted() {
			p.do(&EmbeddingBackward{IDs: a.PosIDs, DOut: d, DTable: g})
		}
	})
}

// Rows picks rows of x [.., C], seen as a matrix, by their numbers: int32 [n]. The result is [n,C].
func (p *Pass) Rows(x, ids Tensor) Tensor {
	x = p.Contiguous(x)
	table := x.Reshape(x.Rows(), x.Dim(-1))
	out := p.alloc(x.DType, ids.Len(), x.Dim(-1))
	p.do(&Embedding{Table: table, IDs: ids, Out: out})
	if !p.tracked(x) {
		return out
	}
	return p.record(out, func(d Tensor) {
		p.do(&EmbeddingBackward{IDs: ids, DOut: d, DTable: p.gradOf(table)})
	})
}

// CrossEntropy is the mean loss of logits [.., V] against labels int32 [rows] (IgnoreLabel: no loss): fp32 [1], and the
// number of rows with loss: fp32 [1].
func (p *Pass) CrossEntropy(logits, labels Tensor) (loss, count Tensor) {
	return p.crossEntropy(logits, labels, false)
}

// CrossEntropyInPlace is CrossEntropy for logits that nothing else reads once gradients flow back: their gradient
// is written over them, which saves the largest tensor of a language model's step.
func (p *Pass) CrossEntropyInPlace(logits, labels Tensor) (loss, count Tensor) {
	return p.crossEntropy(logits, labels, true)
}

func (p *Pass) crossEntropy(logits, labels Tensor, inPlace bool) (loss, count Tensor) {
	logits = p.rowed(logits)
	op := &CrossEntropy{Logits: logits, Labels: labels, LSE: p.alloc(F32, logits.Rows()), Loss: p.alloc(F32, 2)}
	p.do(op)
	count = op.Loss.Slice(0, 1, 2)
	if !p.tracked(logits) {
		return op.Loss.Slice(0, 0, 1), count
	}
	out := p.record(op.Loss, func(d Tensor) {
		n := p.nodeOf(logits)
		if inPlace && n.grad.None() && logits.node-1 >= p.tape.floor && logits.Len() == n.base.Len() {
			n.grad = n.base.untracked()
		}
		g := p.gradOf(logits)
		p.do(&CrossEntropyBackward{Logits: logits, Labels: labels, LSE: op.LSE, Loss: op.Loss, DLoss: d.Slice(0, 0, 1), DLogits: g})
	})
	return out.Slice(0, 0, 1), count
}

// LogSoftmax is fp32 log-probabilities over the last dimension. It passes no gradient.
func (p *Pass) LogSoftmax(x Tensor) Tensor {
	x = p.Contiguous(x)
	out := p.alloc(F32, x.Shape()...)
	p.do(&LogSoftmax{X: x, Out: out})
	return out
}

// ArgMax is the index of the first largest element of each row: int32, of x's shape without the last dimension.
func (p *Pass) ArgMax(x Tensor) Tensor {
	x = p.Contiguous(x)
	out := p.alloc(I32, x.Dims[:max(x.Rank-1, 0)]...)
	p.do(&ArgMax{X: x, Out: out})
	return out
}
