//go:build cuda && cgo

package cuda

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"

	"mmc4/kernels"
)

// Kernels' arguments: the structs of src/include, field by field.

// vec is struct Vec of tensor.cuh.
type vec struct {
	at   uint64
	row  int64
	kind int32
	_    int32
}

// heads is struct Heads of tensor.cuh.
type heads struct {
	at                 uint64
	batch, token, head int64
	kind               int32
	_                  int32
}

// address is the place of a tensor's first element, 0 for none.
func address(t kernels.Tensor) cu.DevicePtr {
	if t.None() {
		return 0
	}
	return t.Mem.(*buffer).at + cu.DevicePtr(t.Off*t.DType.Size())
}

func pointerTo(mem []byte) unsafe.Pointer { return unsafe.Pointer(&mem[0]) }

// vecOf is a tensor as kernels take it.
func vecOf(t kernels.Tensor) vec {
	if t.None() {
		return vec{}
	}
	row, _ := t.RowStride()
	return vec{at: uint64(address(t)), row: int64(row), kind: int32(t.DType)}
}

// scratchVec is fp32 memory of an op's own.
func scratchVec(at cu.DevicePtr) vec { return vec{at: uint64(at), kind: int32(kernels.F32)} }

func headsOf(t kernels.Tensor) heads {
	if t.None() {
		return heads{}
	}
	return heads{at: uint64(address(t)), batch: int64(t.Strides[0]), token: int64(t.Strides[1]), head: int64(t.Strides[2]), kind: int32(t.DType)}
}

func flag(b bool) int32 {
	if b {
		return 1
	}
	return 0
}

// shape is how a kernel is launched.
type shape struct {
	grid    [3]int
	threads int
	shared  int // dynamic shared memory, bytes
}

// threadsEach is the block of most kernels.
const threadsEach = 256

// over is a launch for n pieces of work: enough blocks to fill the GPU some times over, at most one thread a piece.
func (d *Device) over(n int) shape {
	return shape{grid: [3]int{min(up(n, threadsEach), 32*d.processors), 1, 1}, threads: threadsEach}
}

// over8 is a launch of kernels that take eight elements at a time: EACH8.
func (d *Device) over8(n int) shape { return d.over(up(n, 8)) }

// rowsOf is a launch of a block a row of n elements, eight a thread and turn (ROW8): threads are a power of two.
func rowsOf(rows, n int) shape {
	threads := 32
	for threads < threadsEach && 8*threads < n {
		threads *= 2
	}
	return shape{grid: [3]int{rows, 1, 1}, threads: threads}
}

// up is how many pieces of a size cover n.
func up(n, size int) int { return (n + size - 1) / size }

// launch queues a kernel. Its arguments must have the sizes that the kernel was compiled for.
func (q *queue) launch(name string, s shape, arguments ...any) {
	if q.err != nil {
		return
	}
	f, ok := q.d.functions[name]
	if !ok {
		q.fail(fmt.Errorf("cuda: no kernel %s", name))
		return
	}
	if len(arguments) != len(f.sizes) {
		q.fail(fmt.Errorf("cuda: kernel %s has %d arguments, not %d", name, len(f.sizes), len(arguments)))
		return
	}
	if s.shared > 0 {
		if err := q.d.allowShared(name, s.shared); err != nil {
			q.fail(failed("allow shared memory to "+name, err))
			return
		}
	}
	q.fail(q.enqueue(work{name: name, f: f.f, s: s}, func(l *launches) error {
		begin := len(l.bytes)
		for i, v := range arguments {
			for len(l.bytes)%8 != 0 {
				l.bytes = append(l.bytes, 0)
			}
			from := len(l.bytes)
			l.places = append(l.places, int32(from-begin))
			l.bytes = appendValue(l.bytes, v)
			if n := len(l.bytes) - from; n != f.sizes[i] {
				return fmt.Errorf("cuda: argument %d of kernel %s has %d bytes, not %d", i, name, n, f.sizes[i])
			}
		}
		return nil
	}))
}

// appendValue appends the bytes of an argument; what is not known is left out and shows as a wrong size.
func appendValue(to []byte, v any) []byte {
	switch v := v.(type) {
	case vec:
		return appendBytes(to, &v)
	case heads:
		return appendBytes(to, &v)
	case matrix:
		return appendBytes(to, &v)
	case epilogue:
		return appendBytes(to, &v)
	case walk:
		return appendBytes(to, &v)
	case channels:
		return appendBytes(to, &v)
	case attentionOp:
		return appendBytes(to, &v)
	case attentionGrads:
		return appendBytes(to, &v)
	case updates:
		return appendBytes(to, &v)
	case squares:
		return appendBytes(to, &v)
	case cu.DevicePtr:
		return appendBytes(to, &v)
	case int:
		return appendBytes(to, &v)
	case int32:
		return appendBytes(to, &v)
	case kernels.Activation:
		wide := int32(v)
		return appendBytes(to, &wide)
	case float32:
		return appendBytes(to, &v)
	case float64:
		return appendBytes(to, &v)
	}
	return to
}
