//go:build cuda && cgo

package cuda

import (
	"fmt"
	"runtime"
	"sync"

	"gorgonia.org/cu"

	"mmc4/kernels"
)

// queue is a stream with the reads that have not reached the host yet.
type queue struct {
	*stream
	err error

	mu    sync.Mutex // events are waited for on other goroutines
	reads []read
	marks int // made so far
}

// read is a copy that lies in pinned memory and goes to data once its mark has passed.
type read struct {
	data, from []byte
	mark       int // the first one behind it
}

// NewQueue makes a queue. A queue that is garbage leaves its stream to the next.
func (d *Device) NewQueue() (kernels.Queue, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	var s *stream
	if n := len(d.idle); n > 0 {
		s, d.idle = d.idle[n-1], d.idle[:n-1]
		for _, c := range s.chunks {
			c.number = 0 // whoever wanted to read from it is gone
		}
		_ = s.flush() // and so is who would have heard of a failure
	} else {
		s = &stream{d: d}
		err := d.do(func() (err error) {
			s.s, err = cu.MakeStream(cu.NonBlocking)
			return failed("make a stream", err)
		})
		if err != nil {
			return nil, err
		}
		d.streams = append(d.streams, s)
	}
	q := &queue{stream: s}
	runtime.AddCleanup(q, func(s *stream) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.idle = append(d.idle, s)
	}, s)
	return q, nil
}

func (q *queue) fail(err error) {
	if q.err == nil {
		q.err = err
	}
}

func (q *queue) Do(op kernels.Op) {
	if q.err != nil {
		return
	}
	if q.err = op.Check(); q.err != nil {
		return
	}
	if !computable(op) { // run says so of what is not known
		q.fail(fmt.Errorf("cuda: %s: %w", op.Name(), kernels.ErrUnsupported))
		return
	}
	q.run(op)
}

// fits reports whether data is a contiguous tensor's, and makes it the queue's error if not.
func (q *queue) fits(what string, t kernels.Tensor, data []byte) bool {
	if !t.Contiguous() || t.Len()*t.DType.Size() != len(data) {
		q.fail(&kernels.ShapeError{Op: what, Why: fmt.Sprintf("%v does not fit %d bytes, or is not contiguous", t, len(data))})
	}
	return q.err == nil
}

// Write copies data to pinned memory, and queues the copies from there.
func (q *queue) Write(dst kernels.Tensor, data []byte) {
	if q.err != nil || !q.fits("write", dst, data) {
		return
	}
	q.fail(q.flush())
	for at := address(dst); len(data) > 0; {
		piece, err := q.pinned(len(data))
		if err != nil {
			q.fail(err)
			return
		}
		n := copy(piece, data)
		q.fail(q.d.do(func() error {
			return failed("copy to the GPU", cu.MemcpyHtoDAsync(at, pointerTo(piece), int64(n), q.s))
		}))
		at, data = at+cu.DevicePtr(n), data[n:]
	}
}

// Read queues copies to pinned memory; settle brings them to data.
func (q *queue) Read(data []byte, src kernels.Tensor) {
	if q.err != nil || !q.fits("read", src, data) {
		return
	}
	q.fail(q.flush())
	for at := address(src); len(data) > 0; {
		piece, err := q.pinned(len(data))
		if err != nil {
			q.fail(err)
			return
		}
		n := len(piece)
		q.fail(q.d.do(func() error {
			return failed("copy from the GPU", cu.MemcpyDtoHAsync(pointerTo(piece), at, int64(n), q.s))
		}))
		q.mu.Lock()
		q.reads = append(q.reads, read{data: data[:n], from: piece, mark: q.marks + 1})
		q.mu.Unlock()
		at, data = at+cu.DevicePtr(n), data[n:]
	}
}

// pinned is up to so many bytes of pinned memory for the next copy. When all chunks are full it waits for the oldest.
func (q *queue) pinned(bytes int) ([]byte, error) {
	const align = 64
	bytes = min(bytes, chunkBytes)
	n := len(q.chunks)
	if n == 0 || q.chunks[n-1].full || q.chunks[n-1].used+bytes > chunkBytes {
		if err := q.d.do(q.nextChunk); err != nil {
			return nil, err
		}
		n = len(q.chunks)
	}
	c := q.chunks[n-1]
	piece := c.mem[c.used : c.used+bytes : c.used+bytes]
	c.used = min((c.used+bytes+align-1)/align*align, chunkBytes)
	return piece, nil
}

// nextChunk closes the chunk that is being filled and begins another.
func (q *queue) nextChunk() error {
	if n := len(q.chunks); n > 0 && !q.chunks[n-1].full {
		c := q.chunks[n-1]
		c.full, c.number = true, q.nextMark()
		if err := c.behind.Record(q.s); err != nil {
			return failed("record an event", err)
		}
	}
	if len(q.chunks) > 0 {
		oldest := q.chunks[0]
		err := oldest.behind.Query()
		if notReady(err) && len(q.chunks) == mostChunks {
			err = oldest.behind.Synchronize()
		}
		if err == nil {
			q.settle(oldest.number)
			oldest.used, oldest.full = 0, false
			q.chunks = append(append(q.chunks[:0], q.chunks[1:]...), oldest)
			return nil
		}
		if !notReady(err) {
			return failed("wait for a copy", err)
		}
	}
	c, err := newChunk()
	if err == nil {
		q.chunks = append(q.chunks, c)
	}
	return err
}

// nextMark is the number of a new mark.
func (q *queue) nextMark() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.marks++
	return q.marks
}

// settle brings the reads before a mark to where they were wanted.
func (q *queue) settle(mark int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := 0
	for n < len(q.reads) && q.reads[n].mark <= mark {
		copy(q.reads[n].data, q.reads[n].from)
		n++
	}
	q.reads = append(q.reads[:0], q.reads[n:]...)
}

// Wait waits for the stream.
func (q *queue) Wait() error {
	q.fail(q.flush())
	q.fail(q.d.do(func() error { return failed("wait", q.s.Synchronize()) }))
	err := q.err
	q.err = nil
	if err == nil {
		q.settle(q.nextMark())
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.reads = nil
	return err
}
