//go:build cgo

package cpu

/*
#cgo CFLAGS: -O3 -Wall -Wno-unused-function -Wno-unused-parameter -Wno-unknown-pragmas
#cgo LDFLAGS: -lm
#include "level.h"
*/
import "C"

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"unsafe"

	"mmc4/kernels"
	"mmc4/kernels/ref"
)

// Available reports whether this program has the device.
const Available = true

// level is an instruction set, in rising order; level.h has the same numbers.
type level int

const (
	portable level = iota
	avx2
	avx512
	avx512BF16
)

var levelNames = []string{"portable", "avx2", "avx512", "avx512-bf16"}

func (l level) String() string { return levelNames[l] }

// Detected is the best instruction set of this processor that the device knows.
func Detected() string { return level(C.cpu_level()).String() }

// Device computes on the cores of this machine.
type Device struct {
	level   level
	pool    *pool
	rest    kernels.Queue // does the ops that are not worth C
	mu      sync.Mutex    // one op at a time: it has all threads
	scratch []scratch     // of each worker
	packed  scratch       // B of a product that came unpacked
	mask    scratch       // of the keys that attention sees so far
	round   int           // products so far
	wide    scratch       // int8 B as bf16
	sums    scratch       // of a bf16 product of a long k
	turns   []*turns      // tables of rotary positions
}

// New makes a device of n threads; 0 means one for each core this process may use.
func New(threads int) (*Device, error) {
	best := level(C.cpu_level())
	if name := os.Getenv("MMC4_CPU"); name != "" {
		chosen := level(-1)
		for i, known := range levelNames {
			if name == known {
				chosen = level(i)
			}
		}
		if chosen < 0 {
			return nil, fmt.Errorf("MMC4_CPU=%s: one of %s is possible", name, strings.Join(levelNames, ", "))
		}
		if chosen > best {
			return nil, fmt.Errorf("MMC4_CPU=%s: this processor has no more than %s", name, best)
		}
		best = chosen
	}
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	rest, err := ref.New().NewQueue()
	if err != nil {
		return nil, err
	}
	return &Device{level: best, pool: newPool(threads), rest: rest, scratch: make([]scratch, threads)}, nil
}

// numbers is raised when an op gives other bits than the versions before: 2 since sums of products are cut into pieces.
const numbers = 2

func (d *Device) Name() string    { return "cpu" }
func (d *Device) Profile() string { return fmt.Sprintf("cpu %v v%d", d.level, numbers) }

// Threads is how many threads ops use at most.
func (d *Device) Threads() int { return d.pool.size }

// Close ends the threads and gives back what ops worked in; buffers are their owners'.
func (d *Device) Close() error {
	d.pool.close()
	for _, s := range append(d.scratch, d.packed, d.mask, d.wide, d.sums) {
		s.free()
	}
	d.scratch = nil
	return nil
}

// buffer is anonymous mapped memory: page-aligned, zeroed by the kernel when first touched, and unknown to the
// garbage collector.
type buffer struct {
	data []byte
	once sync.Once
}

func (b *buffer) Bytes() int   { return len(b.data) }
func (b *buffer) Host() []byte { return b.data }
func (b *buffer) Free() {
	b.once.Do(func() {
		if len(b.data) > 0 {
			_ = syscall.Munmap(b.data)
		}
	})
}

func (d *Device) Alloc(bytes int) (kernels.Buffer, error) {
	data, err := syscall.Mmap(-1, 0, max(bytes, 1), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return nil, fmt.Errorf("%w: %d bytes: %v", kernels.ErrOutOfMemory, bytes, err)
	}
	hugePages(data)
	return &buffer{data: data}, nil
}

// adopted is memory of someone else, held in place while it is in use.
type adopted struct {
	data []byte
	pin  runtime.Pinner
}

func (b *adopted) Bytes() int   { return len(b.data) }
func (b *adopted) Host() []byte { return b.data }
func (b *adopted) Free() {
	if _, live := held.LoadAndDelete(b); live {
		b.pin.Unpin()
	}
}

// held keeps adopted buffers that nobody has freed: a pin that is garbage ends the program.
var held sync.Map

// Adopt uses memory where it lies; any alignment of its elements will do.
func (d *Device) Adopt(data []byte) (kernels.Buffer, bool) {
	if len(data) == 0 || uintptr(unsafe.Pointer(&data[0]))%4 != 0 {
		return nil, false
	}
	b := &adopted{data: data}
	b.pin.Pin(&data[0])
	held.Store(b, nil)
	return b, true
}

// pointer is the address of a tensor's first element, nil for none. Device memory holds no Go pointers and does not
// move, so C may have it.
func pointer(t kernels.Tensor) unsafe.Pointer {
	if t.None() {
		return nil
	}
	host := t.Mem.(kernels.HostBuffer).Host()
	off := t.Off * t.DType.Size()
	if t.Packed || len(host) == 0 {
		off = 0
	}
	if len(host) == 0 {
		return nil
	}
	return unsafe.Pointer(&host[off])
}
