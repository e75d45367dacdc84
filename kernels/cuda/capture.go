//go:build cuda && cgo

package cuda

import (
	"mmc4/kernels"
	"mmc4/kernels/cuda/driver"
)

// captured is ops as one CUDA graph.
type captured struct {
	q     *queue
	graph *driver.Graph
}

// Capture makes a graph of ops that this queue has done before: their plans and scratch memory are there, so that nothing is
// allocated while the stream is captured.
func (q *queue) Capture(ops []kernels.Op) (kernels.Captured, error) {
	if err := q.flush(); err != nil {
		q.fail(err)
	}
	l := &q.launches
	q.captured = true
	l.hold(true)
	for _, op := range ops {
		if q.err == nil {
			q.run(op)
		}
	}
	defer l.hold(false)
	if q.err != nil {
		return nil, q.err
	}
	c := &captured{q: q}
	err := q.d.do(func() (err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		c.graph, err = driver.Capture(q.s, func() error { return q.launchAll(l.list) })
		return failed("capture a recording", err)
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Do launches the graph behind what waits.
func (c *captured) Do() {
	if c.q.err != nil {
		return
	}
	c.q.fail(c.q.flush())
	c.q.fail(failed("launch a recording", c.graph.Launch(c.q.d.ctx, c.q.s)))
}

func (c *captured) Free() { c.graph.Free() }
