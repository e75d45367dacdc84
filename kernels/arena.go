package kernels

import "fmt"

// Arena hands out memory of a device in stack order: what a step computes in is taken piece by piece, and given back
// all at once. It asks the device for chunks while a first step shows how much is needed; Reset then makes one chunk
// of that size, so a steady-state step asks the device for nothing.
//
// An Arena is for one goroutine, and for work on one queue: memory given back is reused by later work of that queue
// while earlier work may still be running.
type Arena struct {
	dev    Device
	limit  int // bytes, 0 for none
	chunks []chunk
	cur    int // chunk in use
	used   int // bytes in use, gaps at ends of chunks not counted
	peak   int
	need   int // largest bytes in use, gaps counted
}

type chunk struct {
	buf  Buffer
	size int
	top  int
}

// Mark is a place in an arena's stack.
type Mark struct{ cur, top, used int }

const (
	arenaAlign    = 256
	arenaMinChunk = 1 << 20
)

// NewArena makes an empty arena. limit bounds the bytes in use at once; 0 means that only the device bounds them.
func NewArena(dev Device, limit int) *Arena { return &Arena{dev: dev, limit: limit, cur: -1} }

// Alloc takes a contiguous tensor of undefined content, 256-byte aligned. The error is or wraps ErrOutOfMemory.
func (a *Arena) Alloc(dtype DType, dims ...int) (Tensor, error) {
	n := 1
	for _, d := range dims {
		n *= d
	}
	bytes := max(n*dtype.Size(), 1)
	size := (bytes + arenaAlign - 1) / arenaAlign * arenaAlign
	if a.limit > 0 && a.used+size > a.limit {
		return Tensor{}, fmt.Errorf("%w: %v%v needs %d bytes, %d of the limit of %d are in use", ErrOutOfMemory, dtype, dims, size, a.used, a.limit)
	}
	for a.cur < 0 || a.chunks[a.cur].top+size > a.chunks[a.cur].size {
		if a.cur+1 < len(a.chunks) {
			a.cur++
			a.chunks[a.cur].top = 0
			continue
		}
		if err := a.grow(size); err != nil {
			return Tensor{}, fmt.Errorf("%v%v: %w", dtype, dims, err)
		}
	}
	c := &a.chunks[a.cur]
	t := View(c.buf, c.top/dtype.Size(), dtype, dims...)
	c.top += size
	a.used += size
	a.peak = max(a.peak, a.used)
	span := 0
	for i := range a.chunks[:a.cur+1] {
		span += a.chunks[i].top
	}
	a.need = max(a.need, span)
	return t, nil
}

// grow adds a chunk that is at least as large as all before it together, and makes it the one in use.
func (a *Arena) grow(size int) error {
	total := 0
	for _, c := range a.chunks {
		total += c.size
	}
	want := max(size, total, arenaMinChunk)
	buf, err := a.dev.Alloc(want)
	if err != nil && want > size {
		want = size
		buf, err = a.dev.Alloc(want)
	}
	if err != nil {
		return err
	}
	a.chunks = append(a.chunks, chunk{buf: buf, size: want})
	a.cur = len(a.chunks) - 1
	return nil
}

// Mark remembers what is in use now.
func (a *Arena) Mark() Mark {
	m := Mark{cur: a.cur, used: a.used}
	if a.cur >= 0 {
		m.top = a.chunks[a.cur].top
	}
	return m
}

// Release gives back all that was taken since the mark.
func (a *Arena) Release(m Mark) {
	a.cur, a.used = m.cur, m.used
	if a.cur >= 0 {
		a.chunks[a.cur].top = m.top
	} else if len(a.chunks) > 0 {
		a.cur, a.chunks[0].top = 0, 0
	}
}

// Reset gives back everything. If the work since the last Reset needed more than one chunk, it waits for the queue and
// replaces the chunks by one that would have sufficed.
func (a *Arena) Reset(q Queue) error {
	if len(a.chunks) > 1 {
		if err := q.Record().Wait(); err != nil {
			return err
		}
		need := a.need
		a.Free()
		if err := a.grow(need); err != nil {
			return err
		}
	}
	a.Release(Mark{cur: -1})
	return nil
}

// Peak is the largest number of bytes that were in use at once since the arena was made.
func (a *Arena) Peak() int { return a.peak }

// Held is the number of bytes taken from the device.
func (a *Arena) Held() int {
	n := 0
	for _, c := range a.chunks {
		n += c.size
	}
	return n
}

// Free returns all memory to the device; the queue's work must be done. The arena can be used again.
func (a *Arena) Free() {
	for _, c := range a.chunks {
		c.buf.Free()
	}
	a.chunks, a.cur, a.used = nil, -1, 0
}
