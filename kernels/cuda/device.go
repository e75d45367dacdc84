//go:build cuda && cgo

package cuda

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"gorgonia.org/cu"

	"mmc4/kernels"
	"mmc4/kernels/cuda/driver"
)

// Device is one GPU.
type Device struct {
	index      int
	dev        cu.Device
	ctx        cu.CUContext // the primary context: cuBLASLt and NCCL would use it too
	arch       string
	processors int // streaming multiprocessors
	module     cu.Module
	functions  map[string]function
	lt         *driver.Lt // nil where there is no cuBLASLt

	mu      sync.Mutex
	closed  bool
	buffers map[*buffer]bool
	streams []*stream  // all
	idle    []*stream  // of queues that are garbage
	events  []cu.Event // unused
	shared  map[string]int
}

// Count is how many GPUs there are, or why none can be used.
func Count() (int, error) {
	if err := driver.Open(); err != nil {
		return 0, err
	}
	n, err := cu.NumDevices()
	if err == nil && n == 0 {
		err = fmt.Errorf("the NVIDIA driver knows no GPU; nvidia-smi may say more")
	}
	return n, err
}

// New opens the GPU of an index.
func New(index int) (*Device, error) {
	if err := driver.Open(); err != nil {
		return nil, err
	}
	d := &Device{index: index, buffers: map[*buffer]bool{}, shared: map[string]int{}}
	var err error
	if d.dev, err = cu.GetDevice(index); err != nil {
		return nil, failed(fmt.Sprintf("open GPU %d", index), err)
	}
	major, err := d.dev.Attribute(cu.ComputeCapabilityMajor)
	if err != nil {
		return nil, failed("ask the GPU", err)
	}
	minor, err := d.dev.Attribute(cu.ComputeCapabilityMinor)
	if err != nil {
		return nil, failed("ask the GPU", err)
	}
	if d.processors, err = d.dev.Attribute(cu.MultiprocessorCount); err != nil {
		return nil, failed("ask the GPU", err)
	}
	image, arch, err := imageFor(major, minor)
	if err != nil {
		return nil, err
	}
	d.arch = arch
	if d.ctx, err = d.dev.RetainPrimaryCtx(); err != nil {
		return nil, failed("make a context", err)
	}
	err = d.do(func() (err error) {
		if d.module, d.functions, err = loadKernels(image); err != nil {
			return err
		}
		if d.lt, err = driver.NewLt(); err != nil {
			_ = d.module.Unload()
		}
		return err
	})
	if err != nil {
		_ = d.dev.ReleasePrimaryCtx()
		return nil, err
	}
	return d, nil
}

// do calls f on a thread where the device's context is current.
func (d *Device) do(f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cu.SetCurrentContext(d.ctx); err != nil {
		return failed("use the context", err)
	}
	return f()
}

// Name is cuda for the first GPU, cuda:1 for the next.
func (d *Device) Name() string {
	if d.index == 0 {
		return "cuda"
	}
	return fmt.Sprintf("cuda:%d", d.index)
}

// Profile names the code that runs and the GPU.
func (d *Device) Profile() string {
	name, err := d.dev.Name()
	if err != nil {
		name = "GPU without a name"
	}
	products := "own products"
	if d.lt != nil {
		products = fmt.Sprintf("cuBLASLt %d", d.lt.Version())
	}
	return fmt.Sprintf("cuda %s (%s), %s", d.arch, name, products)
}

// Calls says how often each of the driver's functions was called since the program began, by its name.
func (d *Device) Calls() map[string]int { return driver.Calls() }

// buffer is memory of the device.
type buffer struct {
	d    *Device
	at   cu.DevicePtr
	size int
}

func (b *buffer) Bytes() int { return b.size }

// Free waits for the device: work that is queued may still use the memory.
func (b *buffer) Free() {
	b.d.mu.Lock()
	live, streams := b.d.buffers[b], slices.Clone(b.d.streams)
	delete(b.d.buffers, b)
	b.d.mu.Unlock()
	if live {
		for _, s := range streams {
			s.send()
		}
		_ = b.d.do(func() error { return cu.MemFree(b.at) })
	}
}

// Alloc takes memory from the driver: arenas ask rarely.
func (d *Device) Alloc(bytes int) (kernels.Buffer, error) {
	b := &buffer{d: d, size: bytes}
	err := d.do(func() (err error) {
		b.at, err = cu.MemAlloc(int64(max(bytes, 1)))
		return failed(fmt.Sprintf("take %d bytes", bytes), err)
	})
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.buffers[b] = true
	return b, nil
}

// Pack returns the weight itself: the kernels read it as it lies.
func (d *Device) Pack(w kernels.Tensor) (kernels.Tensor, error) { return w, nil }

// Close gives everything back. Queues and buffers must not be used any more.
func (d *Device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil
	}
	d.closed = true
	return d.do(func() error {
		for _, s := range d.streams {
			s.close()
		}
		if d.lt != nil {
			d.lt.Close()
		}
		for _, e := range d.events {
			_ = cu.DestroyEvent(&e)
		}
		for b := range d.buffers {
			_ = cu.MemFree(b.at)
		}
		d.buffers = map[*buffer]bool{}
		_ = d.module.Unload() // the context may go on: it is the primary one
		return failed("release the context", d.dev.ReleasePrimaryCtx())
	})
}

// allowShared lets a kernel have more dynamic shared memory than the usual 48 KiB.
func (d *Device) allowShared(name string, bytes int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if bytes <= 48<<10 || bytes <= d.shared[name] {
		return nil
	}
	if err := d.do(func() error { return driver.AllowShared(d.functions[name].f, bytes) }); err != nil {
		return err
	}
	d.shared[name] = bytes
	return nil
}
