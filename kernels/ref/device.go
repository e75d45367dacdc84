package ref

import (
	"fmt"
	"sync/atomic"
	"unsafe"

	"mmc4/kernels"
)

// Device is the reference device. Everything is done when its call returns.
type Device struct {
	live  atomic.Int64
	limit int64
}

// New makes a reference device.
func New() *Device { return &Device{} }

// NewLimited makes one that has only so many bytes of memory: for tests of what happens when it runs out.
func NewLimited(bytes int) *Device { return &Device{limit: int64(bytes)} }

func (*Device) Name() string    { return "ref" }
func (*Device) Profile() string { return "ref float64" }
func (*Device) Close() error    { return nil }

// Live is the number of bytes allocated and not freed.
func (d *Device) Live() int { return int(d.live.Load()) }

type buffer struct {
	dev  *Device // nil for adopted memory
	data []byte
	free atomic.Bool
}

func (b *buffer) Bytes() int   { return len(b.data) }
func (b *buffer) Host() []byte { return b.data }

func (b *buffer) Free() {
	if b.free.CompareAndSwap(false, true) && b.dev != nil {
		b.dev.live.Add(-int64(len(b.data)))
		b.data = nil // a use after Free is an index error, not a wrong number
	}
}

const align = 256

// Alloc takes memory and fills it with ones: as floats these are NaN, so a read of what nobody wrote shows.
func (d *Device) Alloc(bytes int) (kernels.Buffer, error) {
	if live := d.live.Add(int64(bytes)); d.limit > 0 && live > d.limit {
		d.live.Add(-int64(bytes))
		return nil, fmt.Errorf("%w: %d bytes asked of ref, %d of %d in use", kernels.ErrOutOfMemory, bytes, live-int64(bytes), d.limit)
	}
	raw := make([]byte, bytes+align)
	skip := (align - int(uintptr(unsafe.Pointer(&raw[0]))%align)) % align
	data := raw[skip : skip+bytes : skip+bytes]
	for i := range data {
		data[i] = 0xff
	}
	return &buffer{dev: d, data: data}, nil
}

// Adopt uses host memory as it lies.
func (*Device) Adopt(data []byte) (kernels.Buffer, bool) { return &buffer{data: data}, true }

// Pack returns the weight itself.
func (*Device) Pack(w kernels.Tensor) (kernels.Tensor, error) { return w, nil }

// Supports is true of every op of the table, of every type.
func (*Device) Supports(op kernels.Op) bool { return find(op) != nil }

// NewQueue makes a queue that does everything at once.
func (*Device) NewQueue() (kernels.Queue, error) { return &queue{}, nil }

type queue struct{ err error }

func (q *queue) Do(op kernels.Op) {
	if q.err != nil {
		return
	}
	if q.err = op.Check(); q.err != nil {
		return
	}
	run := find(op)
	if run == nil {
		q.err = fmt.Errorf("ref: %s: %w", op.Name(), kernels.ErrUnsupported)
		return
	}
	run()
}

func (q *queue) Write(dst kernels.Tensor, data []byte) {
	if q.err == nil && q.transfer("write", dst, data) {
		copy(bytesOf(dst), data)
	}
}

func (q *queue) Read(data []byte, src kernels.Tensor) {
	if q.err == nil && q.transfer("read", src, data) {
		copy(data, bytesOf(src))
	}
}

func (q *queue) transfer(what string, t kernels.Tensor, data []byte) bool {
	if !t.Contiguous() || t.Len()*t.DType.Size() != len(data) {
		q.err = &kernels.ShapeError{Op: what, Why: fmt.Sprintf("%v does not fit %d bytes, or is not contiguous", t, len(data))}
	}
	return q.err == nil
}

func (q *queue) Record() kernels.Event { return event{q.err} }
func (q *queue) After(e kernels.Event) {
	if err := e.Wait(); q.err == nil {
		q.err = err
	}
}

func (q *queue) Wait() error {
	err := q.err
	q.err = nil
	return err
}

type event struct{ err error }

func (e event) Wait() error { return e.err }
func (event) Done() bool    { return true }
