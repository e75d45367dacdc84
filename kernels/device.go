package kernels

import (
	"errors"
	"fmt"
)

// Buffer is memory of one device. Free returns it; views of it are then dead. A Buffer that is never freed lives as
// long as its device.
type Buffer interface {
	Bytes() int
	Free()
}

// HostBuffer is a Buffer that the host can look at: what ref and cpu use. Devices call Host, nobody else needs to.
type HostBuffer interface {
	Buffer
	Host() []byte // 64-byte aligned
}

// Event marks a place in a queue's work.
type Event interface {
	// Wait blocks until all work queued before the event is done, and returns the queue's first error.
	Wait() error
	// Done reports whether that work is done, without blocking.
	Done() bool
}

// Queue takes work and does it in the order given. It is for one goroutine at a time.
//
// The first failure sticks: later work is dropped, and Wait and every Event say what failed. So callers queue a whole
// step and look once.
type Queue interface {
	// Do queues an op. An op whose Check fails is not queued and becomes the queue's error.
	Do(op Op)
	// Write copies host data into a contiguous tensor. data may be reused when Write returns.
	Write(dst Tensor, data []byte)
	// Read copies a contiguous tensor to the host; data is valid after the next Wait or Event behind it.
	Read(data []byte, src Tensor)
	// Record marks this place.
	Record() Event
	// After makes later work here wait for an event of another queue of the same device.
	After(Event)
	// Wait blocks until everything queued is done, and returns and clears the first error.
	Wait() error
}

// Device is a place where tensors live and ops run. Its methods are safe for concurrent use.
type Device interface {
	// Name is what --device says: ref, cpu, cuda, or cuda:1.
	Name() string
	// Profile names everything that numbers may depend on, for the manifest: "cpu avx512-bf16 v2", "cuda sm_90".
	Profile() string
	// Alloc takes memory, 256-byte aligned, of undefined content. It fails with ErrOutOfMemory.
	Alloc(bytes int) (Buffer, error)
	// NewQueue makes a queue.
	NewQueue() (Queue, error)
	// Pack arranges a frozen weight [N,K] (fp32, bf16 or int8 with scales) as the device's MatMul likes it best as B
	// with TransB. The result may be w itself.
	Pack(w Tensor) (Tensor, error)
	// Supports reports whether the device computes an op of these types; used to choose, and by tests to skip.
	Supports(op Op) bool
	// Close frees all that is left.
	Close() error
}

// Errors that devices return, wrapped with what was asked.
var (
	ErrOutOfMemory = errors.New("out of device memory")
	ErrDeviceLost  = errors.New("device lost")
	ErrUnsupported = errors.New("not supported by this device")
)

// ShapeError says that an op's tensors do not fit together.
type ShapeError struct {
	Op  string
	Why string
}

func (e *ShapeError) Error() string { return fmt.Sprintf("%s: %s", e.Op, e.Why) }
