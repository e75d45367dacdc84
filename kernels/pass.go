package kernels

import "fmt"

// PassOptions say how a pass computes.
type PassOptions struct {
	// DType is the type of activations and their gradients: F32 (also when 0) or BF16.
	DType DType
	// Grad makes the pass keep a tape, so that Backward works.
	Grad bool
	// Checkpoint makes Blocks keep their input only and run again when gradients come back: less memory, more work.
	Checkpoint bool
}

// Pass is what models compute with: a queue, memory for results, and perhaps a tape. Methods take tensors and
// parameters, take memory for the result from the arena, queue the op and return the result at once.
//
// Nothing returns an error: the first failure (shapes that do not fit, no memory) sticks and later methods return
// tensors of the right shapes without computing; ask Err or a method that reads results. Tensors of a pass are dead
// after Reset, or after the end of the Block that made them.
//
// Floating inputs that an op wants contiguous are copied when they are not. Shapes are those of the inputs: methods see
// [.., C] as rows where their op does. Results have the type of the first input; products, lookups and pictures, and what
// is uploaded or taken from a parameter, have the type of the pass. Losses and gates are fp32.
type Pass struct {
	PassOptions
	dev   Device
	queue Queue
	arena *Arena
	tape  *tape
	err   error
}

// NewPass makes a pass. The arena is the pass's alone.
func NewPass(dev Device, queue Queue, arena *Arena, o PassOptions) *Pass {
	if o.DType == 0 {
		o.DType = F32
	}
	p := &Pass{PassOptions: o, dev: dev, queue: queue, arena: arena}
	if o.Grad {
		p.tape = &tape{}
		p.tape.clear()
	}
	return p
}

// Reset begins a new step: memory is given back, the tape and the error are cleared.
func (p *Pass) Reset() {
	if p.tape != nil {
		p.tape.clear()
	}
	p.err = p.arena.Reset(p.queue)
}

// Err is the first failure of a method since Reset. Failures of the device show in Wait.
func (p *Pass) Err() error { return p.err }

// Wait blocks until all queued work is done and returns the first failure.
func (p *Pass) Wait() error {
	if err := p.queue.Wait(); p.err == nil {
		p.err = err
	}
	return p.err
}

// Device, Queue and Arena are what the pass works with.
func (p *Pass) Device() Device { return p.dev }
func (p *Pass) Queue() Queue   { return p.queue }
func (p *Pass) Arena() *Arena  { return p.arena }

// Fail makes err the pass's error if it has none yet: for models that find something wrong on their way.
func (p *Pass) Fail(err error) {
	if p.err == nil {
		p.err = err
	}
}

func (p *Pass) fail(op, format string, args ...any) {
	p.Fail(&ShapeError{Op: op, Why: fmt.Sprintf(format, args...)})
}

// do queues an op unless the pass has failed.
func (p *Pass) do(op Op) {
	if p.err != nil {
		return
	}
	if p.err = op.Check(); p.err == nil {
		p.queue.Do(op)
	}
}

// Do queues any op. It goes on no tape.
func (p *Pass) Do(op Op) { p.do(op) }

// nowhere stands for memory that could not be had, in tensors of a pass that has failed.
type nowhere struct{}

func (nowhere) Bytes() int { return 0 }
func (nowhere) Free()      {}

// alloc takes memory of the step.
func (p *Pass) alloc(dtype DType, dims ...int) Tensor {
	if p.err == nil {
		t, err := p.arena.Alloc(dtype, dims...)
		if err == nil {
			return t
		}
		p.err = err
	}
	return View(nowhere{}, 0, dtype, dims...)
}

// Alloc is memory of the step, of undefined content.
func (p *Pass) Alloc(dtype DType, dims ...int) Tensor { return p.alloc(dtype, dims...) }

// like is memory for a result of x's type and shape.
func (p *Pass) like(x Tensor) Tensor { return p.alloc(x.DType, x.Shape()...) }

// rows is memory for a result of x's shape but for the last dimension.
func (p *Pass) rows(dtype DType, x Tensor, last int) Tensor {
	dims := x.Dims
	if x.Rank > 0 {
		dims[x.Rank-1] = last
	}
	return p.alloc(dtype, dims[:x.Rank]...)
}

// Upload copies bytes of elements to the device.
func (p *Pass) Upload(dtype DType, data []byte, dims ...int) Tensor {
	t := p.alloc(dtype, dims...)
	if t.Len()*dtype.Size() != len(data) {
		p.fail("upload", "%v does not hold %d bytes", t, len(data))
	}
	if p.err == nil {
		p.queue.Write(t, data)
	}
	return t
}

// FromFloat32 uploads numbers in the pass's type.
func (p *Pass) FromFloat32(values []float32, dims ...int) Tensor {
	return p.Upload(p.DType, EncodeFloats(p.DType, values), dims...)
}

// FromInt32 uploads ids, labels, positions.
func (p *Pass) FromInt32(values []int32, dims ...int) Tensor {
	return p.Upload(I32, EncodeInts(values), dims...)
}

// FromUint8 uploads pixels or a mask.
func (p *Pass) FromUint8(values []byte, dims ...int) Tensor { return p.Upload(U8, values, dims...) }

// Float32 reads a floating tensor of any strides; it waits for all queued work.
func (p *Pass) Float32(t Tensor) ([]float32, error) {
	mark := p.arena.Mark()
	defer p.arena.Release(mark)
	src := t.untracked()
	if !src.Contiguous() {
		src = p.alloc(t.DType, t.Shape()...)
		p.do(&Copy{Src: t.untracked(), Dst: src})
	}
	data := make([]byte, t.Len()*t.DType.Size())
	if err := p.download(data, src); err != nil {
		return nil, err
	}
	return DecodeFloats(t.DType, data), nil
}

// Int32 reads a contiguous int32 tensor; it waits for all queued work.
func (p *Pass) Int32(t Tensor) ([]int32, error) {
	data := make([]byte, 4*t.Len())
	if err := p.download(data, t); err != nil {
		return nil, err
	}
	return DecodeInts(data), nil
}

func (p *Pass) download(data []byte, t Tensor) error {
	if p.err == nil {
		p.queue.Read(data, t)
	}
	return p.Wait()
}
