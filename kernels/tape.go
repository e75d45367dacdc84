package kernels

// The tape of a Pass: which tensors gradients flow to, and what to do, last op first, to get them there.
//
// A node is the whole memory that an op wrote. A Tensor carries its node's number, and views keep it (Slice, Reshape,
// Split, Permute are plain Tensor methods): the gradient of a node has the same element layout as the node, so the
// gradient of a view is the same view of the node's gradient. That is why a packed q, k, v needs no copy in either
// direction.
//
// Gradient memory is recycled while the tape runs back: a node's gradient is given back once the op that made the node
// has passed it on.

type tape struct {
	nodes   []node
	entries []entry
	free    map[int][]Tensor // gradient memory given back, by bytes
	floor   int              // nodes below are of outside the block that is being recomputed
	paused  bool             // within the forward pass of a checkpointed block
}

type node struct {
	base    Tensor // contiguous: all that the op wrote
	grad    Tensor // of base's layout; none until someone wants to write it
	written bool   // grad holds something
	param   bool   // grad is a parameter's: always added to, never given back
}

// entry passes the gradient of a node on to the inputs of the op that made it, or, inPlace, turns the gradient of a
// node into the one before an op that changed the node.
type entry struct {
	node    int
	inPlace bool
	back    func(grad Tensor)
}

func (t *tape) clear() {
	clear(t.nodes)
	clear(t.entries)
	t.nodes, t.entries, t.free, t.floor, t.paused = t.nodes[:0], t.entries[:0], map[int][]Tensor{}, 0, false
}

// recording reports whether ops go on the tape.
func (p *Pass) recording() bool { return p.tape != nil && !p.tape.paused }

// tracked reports whether any of the tensors has a gradient, and ops go on the tape.
func (p *Pass) tracked(ts ...Tensor) bool {
	if !p.recording() {
		return false
	}
	for _, t := range ts {
		if t.node != 0 {
			return true
		}
	}
	return false
}

func (p *Pass) addNode(n node) int {
	p.tape.nodes = append(p.tape.nodes, n)
	return len(p.tape.nodes)
}

// record makes out a node whose gradient back passes on. out must be whole, as alloc gave it.
func (p *Pass) record(out Tensor, back func(grad Tensor)) Tensor {
	out.node = 0
	out.node = p.addNode(node{base: out})
	p.tape.entries = append(p.tape.entries, entry{node: out.node, back: back})
	return out
}

// Track makes a tensor one whose gradient is wanted: Grad has it after Backward. Without a tape it does nothing.
func (p *Pass) Track(x Tensor) Tensor {
	if p.recording() {
		x = p.Contiguous(x)
		x.node = 0
		x.node = p.addNode(node{base: x})
	}
	return x
}

// Use is a parameter as a tensor of the pass's type (fp32 if it has one element) for any method; what flows back is
// added to its Grad.
func (p *Pass) Use(w *Param) Tensor {
	t := p.weight(w)
	if t.Len() > 1 && t.DType != p.DType && !t.None() {
		t = p.Cast(t, p.DType)
	}
	return t
}

// weight is a parameter in the type that it has.
func (p *Pass) weight(w *Param) Tensor {
	t := w.Value
	if p.DType == BF16 && !w.Compute.None() {
		t = w.Compute
	}
	t.node = 0
	if p.recording() && w.Trainable {
		if w.Grad.None() {
			p.fail("use", "parameter %s is trainable but has no gradient (Param.Train)", w.Name)
			return t
		}
		t.node = p.addNode(node{base: t, grad: w.Grad, written: true, param: true})
	}
	return t
}

// Grad is the gradient of a tensor that was made by Track, after Backward; none if nothing flowed to it.
func (p *Pass) Grad(x Tensor) Tensor {
	if p.tape == nil || x.node == 0 {
		return Tensor{}
	}
	n := &p.tape.nodes[x.node-1]
	if !n.written {
		return Tensor{}
	}
	return n.view(x)
}

// view is the part of the node's gradient that belongs to a view of the node.
func (n *node) view(t Tensor) Tensor {
	g := t
	g.DType, g.Mem, g.Scales, g.node = n.grad.DType, n.grad.Mem, nil, 0
	g.Off = n.grad.Off + t.Off - n.base.Off
	return g
}

// take is memory for a gradient or a scrap of one; give recycles it.
func (p *Pass) take(dtype DType, dims ...int) Tensor {
	n := dtype.Size()
	for _, d := range dims {
		n *= d
	}
	if list := p.tape.free[n]; len(list) > 0 {
		t := list[len(list)-1]
		p.tape.free[n] = list[:len(list)-1]
		return View(t.Mem, t.Off*t.DType.Size()/dtype.Size(), dtype, dims...)
	}
	return p.alloc(dtype, dims...)
}

func (p *Pass) give(t Tensor) {
	n := t.Len() * t.DType.Size()
	p.tape.free[n] = append(p.tape.free[n], t)
}

// nodeOf is the node of a tracked tensor.
func (p *Pass) nodeOf(t Tensor) *node {
	if t.node <= len(p.tape.nodes) {
		if n := &p.tape.nodes[t.node-1]; n.base.Mem == t.Mem {
			return n
		}
	}
	p.fail("gradient", "%v is of another pass, or of a step before the last Reset", t)
	return &node{base: t}
}

// ensure gives the node of t gradient memory.
func (p *Pass) ensure(t Tensor) *node {
	n := p.nodeOf(t)
	if n.grad.None() {
		if t.node-1 < p.tape.floor {
			p.fail("block", "gradient flows to %v, which was made outside of the block and not named as its input", t)
		}
		n.grad = p.take(n.base.DType, n.base.Shape()...)
	}
	return n
}

// gradOf is where an op writes the gradient of its input t: the zero Grad if none is wanted.
func (p *Pass) gradOf(t Tensor) Grad {
	if t.node == 0 {
		return Grad{}
	}
	n := p.ensure(t)
	whole := t.Len() == n.base.Len()
	if !n.written && !whole {
		p.do(&Fill{Dst: n.grad})
	}
	g := Grad{T: n.view(t), Add: n.written || !whole}
	n.written = true
	return g
}

// gradsOf is gradOf for the inputs of one op that writes all their gradients at once. Views of one node must not overlap;
// where they make up the whole node nothing needs to be cleared before.
func (p *Pass) gradsOf(ts ...Tensor) []Grad {
	grads := make([]Grad, len(ts))
	done := make([]bool, len(ts))
	for i, t := range ts {
		if t.node == 0 || done[i] {
			continue
		}
		parts := []Tensor{t}
		for _, u := range ts[i+1:] {
			if u.node == t.node {
				parts = append(parts, u)
			}
		}
		n := p.ensure(t)
		add := n.written
		if len(parts) > 1 || t.Len() != n.base.Len() {
			disjoint, covered := partition(parts, n.base)
			if !disjoint {
				p.fail("gradient", "%v and another input of the same op may overlap; copy one of them", t)
			}
			if !add && !covered {
				p.do(&Fill{Dst: n.grad})
				add = true
			}
		}
		for j := i; j < len(ts); j++ {
			if ts[j].node == t.node {
				grads[j], done[j] = Grad{T: n.view(ts[j]), Add: add}, true
			}
		}
		n.written = true
	}
	return grads
}

// partition reports whether views of a base share no element, and whether they make up all of it. It sees this for views
// that are column ranges of the same matrix and says no to what it cannot see.
func partition(parts []Tensor, base Tensor) (disjoint, covered bool) {
	total := 0
	for _, t := range parts {
		total += t.Len()
	}
	if len(parts) == 1 {
		return true, total == base.Len()
	}
	type columns struct{ from, to int }
	var ranges []columns
	rows, stride := -1, 0
	for _, t := range parts {
		r, s, run, ok := t.matrix()
		if !ok || rows >= 0 && (r != rows || r > 1 && s != stride) {
			return false, false
		}
		rows, stride = r, s
		if r == 1 {
			stride = base.Len()
		}
		from := t.Off - base.Off
		if from < 0 || from+run > stride {
			return false, false
		}
		for _, c := range ranges {
			if from < c.to && c.from < from+run {
				return false, false
			}
		}
		ranges = append(ranges, columns{from, from + run})
	}
	return true, total == base.Len()
}

// matrix sees a view as rows of run contiguous elements, stride apart.
func (t Tensor) matrix() (rows, stride, run int, ok bool) {
	run, i := 1, t.Rank-1
	for ; i >= 0 && (t.Dims[i] == 1 || t.Strides[i] == run); i-- {
		run *= t.Dims[i]
	}
	rows = 1
	for ; i >= 0; i-- {
		switch {
		case t.Dims[i] == 1:
		case rows == 1:
			rows, stride = t.Dims[i], t.Strides[i]
		case t.Strides[i] != rows*stride:
			return 0, 0, 0, false
		default:
			rows *= t.Dims[i]
		}
	}
	return rows, stride, run, true
}

// passOn hands the gradient of a node as it is to the input t of the op that made it: without a copy when t's node has
// none yet. Call it last in an entry: grad may be t's afterwards. from is the node whose gradient it is.
func (p *Pass) passOn(from int, grad, t Tensor) {
	if t.node == 0 {
		return
	}
	n := p.nodeOf(t)
	if n.grad.None() && t.node-1 >= p.tape.floor && from-1 >= p.tape.floor && grad.DType == n.base.DType &&
		t.Off == n.base.Off && t.Len() == n.base.Len() && t.Contiguous() {
		n.grad, n.written = grad.Reshape(n.base.Shape()...), true
		p.tape.nodes[from-1].grad = Tensor{}
		return
	}
	g := p.gradOf(t)
	p.do(&Copy{Src: grad.Reshape(t.Shape()...), Dst: g.T, Add: g.Add})
}

// Backward queues the gradients of scale * loss, where loss has one element. What flows to parameters is added to their
// Grad. The tape is used up: the next step begins with Reset.
func (p *Pass) Backward(loss Tensor, scale float32) {
	if p.err == nil && loss.Len() != 1 {
		p.fail("backward", "the loss must have one element, not %v", loss)
	}
	if !p.canGoBack(loss) {
		return
	}
	g := p.gradOf(loss)
	p.do(&Fill{Dst: g.T, Value: scale})
	p.runBack(0)
}

// BackwardFrom is Backward from any tensor and its given gradient.
func (p *Pass) BackwardFrom(y, dy Tensor) {
	if !p.canGoBack(y) {
		return
	}
	g := p.gradOf(y)
	p.do(&Copy{Src: dy, Dst: g.T, Add: g.Add})
	p.runBack(0)
}

func (p *Pass) canGoBack(y Tensor) bool {
	switch {
	case p.err != nil:
	case p.tape == nil:
		p.fail("backward", "the pass keeps no tape (PassOptions.Grad)")
	case y.node == 0:
		p.fail("backward", "%v depends on nothing that is trained or tracked", y)
	}
	return p.err == nil
}

// runBack plays the entries from the last one down to first and takes them off the tape.
func (p *Pass) runBack(first int) {
	t := p.tape
	for i := len(t.entries) - 1; i >= first && p.err == nil; i-- {
		e := t.entries[i]
		t.entries = t.entries[:i]
		n := t.nodes[e.node-1]
		if !n.written {
			continue
		}
		e.back(n.grad)
		if m := &t.nodes[e.node-1]; !e.inPlace {
			if !m.grad.None() {
				p.give(m.grad)
			}
			m.grad, m.written = Tensor{}, false
		}
	}
}
