package kernels

import "maps"

// Block runs body on x, as one layer of a model; the result has x's shape. All that body allocates but its result is given
// back when it is not needed again:
//
//   - without a tape, at once;
//   - with a tape and Checkpoint, at once too, and body runs again when gradients come back (so it may have no
//     effects besides its result);
//   - with a tape alone everything stays, as if body were called directly.
//
// Tracked tensors from outside that body uses besides x and parameters must be named as inputs.
func (p *Pass) Block(x Tensor, body func(x Tensor) Tensor, inputs ...Tensor) Tensor {
	if p.recording() && !p.Checkpoint {
		return body(x)
	}
	record := p.recording()
	out := p.alloc(x.DType, x.Shape()...)
	mark := p.arena.Mark()
	if record {
		p.tape.paused = true
	}
	p.do(&Copy{Src: body(x).untracked(), Dst: out})
	p.arena.Release(mark)
	if !record {
		return out
	}
	p.tape.paused = false
	return p.record(out, func(grad Tensor) { p.recompute(x, grad, body, inputs) })
}

func (t Tensor) untracked() Tensor {
	t.node = 0
	return t
}

// recompute runs body once more, now on the tape, and its gradients back.
func (p *Pass) recompute(x, grad Tensor, body func(x Tensor) Tensor, inputs []Tensor) {
	t := p.tape
	for _, in := range append([]Tensor{x}, inputs...) {
		if in.node != 0 {
			p.ensure(in)
		}
	}
	mark, firstNode, firstEntry, floor := p.arena.Mark(), len(t.nodes), len(t.entries), t.floor
	free := make(map[int][]Tensor, len(t.free))
	for n, list := range t.free {
		free[n] = append([]Tensor(nil), list...)
	}
	t.floor = firstNode

	if out := body(x); p.tracked(out) {
		g := p.gradOf(out)
		p.do(&Copy{Src: grad, Dst: g.T, Add: g.Add})
		p.runBack(firstEntry)
	}

	clear(t.nodes[firstNode:])
	t.nodes, t.entries, t.floor = t.nodes[:firstNode], t.entries[:firstEntry], floor
	t.free = maps.Clone(free)
	p.arena.Release(mark)
}
