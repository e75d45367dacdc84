package kernels

// Single rows of a frozen table that are trained: the few tokens that a model adds to a vocabulary. Neither the table's
// gradient nor its moments are ever in memory, and no product makes them.

// Rows are the trained rows of a frozen table or matrix [V,C].
type Rows struct {
	IDs   []int  // which rows
	Param *Param // [len(IDs),C], trained
}

// runs calls f for stretches of consecutive ids: rows [from,to) of Param are rows id.. of the table.
func (r *Rows) runs(f func(id, from, to int)) {
	for from := 0; from < len(r.IDs); {
		to := from + 1
		for to < len(r.IDs) && r.IDs[to] == r.IDs[to-1]+1 {
			to++
		}
		f(r.IDs[from], from, to)
		from = to
	}
}

// Spread copies the trained rows into tensors [V,C] that hold the whole: after the optimizer, for lookups.
func (r *Rows) Spread(q Queue, tables ...Tensor) {
	for _, table := range tables {
		r.runs(func(id, from, to int) {
			q.Do(&Copy{Src: r.Param.Value.Slice(0, from, to), Dst: table.Slice(0, id, id+to-from)})
		})
	}
}

// EmbedRows is EmbedWith of a frozen table into which rows were Spread. a.GradIDs is the place in rows of every id, -1 for
// the others.
func (p *Pass) EmbedRows(a EmbedArgs, rows *Rows) Tensor {
	out := p.EmbedWith(a)
	if !p.recording() {
		return out
	}
	if out.node != 0 {
		p.fail("embed rows", "%s or its positions are trained as a whole too", a.Table.Name)
	}
	weight := p.weight(rows.Param)
	return p.record(out, func(d Tensor) {
		p.do(&EmbeddingBackward{IDs: a.GradIDs, DOut: d, DTable: p.gradOf(weight)})
	})
}

// LinearRows is LinearWith of a frozen matrix, without bias, activation and residual. Whatever W says of the trained rows, Param's
// are used.
func (p *Pass) LinearRows(a LinearArgs, rows *Rows) Tensor {
	a.X = p.rowed(a.X)
	out := p.LinearWith(a)
	weight := p.weight(rows.Param)
	rows.runs(func(id, from, to int) {
		p.do(&MatMul{A: a.X, B: weight.Slice(0, from, to).untracked(), TransB: true, Out: out.Slice(-1+out.Rank, id, id+to-from), Alpha: a.Alpha})
	})
	if !p.tracked(out) {
		if p.recording() {
			p.fail("linear rows", "%s: no gradient flows to its input", a.W.Name)
		}
		return out
	}
	// Runs before LinearWith's own entry: the columns of the trained rows are used up here, and cleared for it.
	p.tape.entries = append(p.tape.entries, entry{node: out.node, inPlace: true, back: func(d Tensor) {
		g := p.gradOf(weight)
		rows.runs(func(id, from, to int) {
			columns := d.matrix2().Slice(1, id, id+to-from)
			p.do(&MatMul{A: columns, TransA: true, B: a.X.matrix2(), Out: g.T.Slice(0, from, to), Alpha: a.Alpha, Add: true})
			if dx := p.gradOf(a.X); dx.Wanted() {
				p.do(&MatMul{A: columns, B: weight.Slice(0, from, to).untracked(), Out: dx.T, Alpha: a.Alpha, Add: dx.Add})
			}
			zero := p.take(d.DType, columns.Shape()...)
			p.do(&Fill{Dst: zero})
			p.do(&Copy{Src: zero, Dst: columns})
			p.give(zero)
		})
	}})
	return out
}
