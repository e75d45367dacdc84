package kernels

import "fmt"

// Param is a weight of a model. Frozen ones (not Trainable) get no gradient, but gradients flow through them.
type Param struct {
	Name string

	// Value is the weight: fp32 where it is trained, else fp32, bf16 or int8. It may be none when Packed is there
	// and no gradient is to flow through.
	Value Tensor

	// Packed is the device's arrangement of a frozen matrix, which Linear uses when it is there (see Pack).
	Packed Tensor

	// Compute is a bf16 copy of a trained matrix or table, which AdamW keeps up to date; a pass that computes in
	// bf16 uses it when it is there.
	Compute Tensor

	// Grad is fp32, of Value's shape, when Trainable. Passes add to it; ZeroGrads clears it.
	Grad      Tensor
	Trainable bool

	adopted bool // Value lies in memory of the host that is not the parameter's own: it is never written to
}

// Adopter is what a device implements that can compute from the host's own memory: Adopt makes a buffer of data without a
// copy, or says no (alignment). data must stay unchanged and alive. Mapped weight files become parameters this way.
type Adopter interface {
	Adopt(data []byte) (Buffer, bool)
}

// NewParam makes a frozen parameter from host values. With I8 the rows of a matrix are rounded by Quantize.
func NewParam(dev Device, q Queue, name string, dtype DType, values []float32, dims ...int) (*Param, error) {
	if dtype != I8 {
		return NewParamBytes(dev, q, name, dtype, EncodeFloats(dtype, values), dims...)
	}
	if len(dims) != 2 {
		return nil, fmt.Errorf("parameter %s: only a matrix can be int8, not %v", name, dims)
	}
	bytes, scales := Quantize(values, dims[0])
	p, err := NewParamBytes(dev, q, name, I8, bytes, dims...)
	if err != nil {
		return nil, err
	}
	buf, err := dev.Alloc(4 * len(scales))
	if err != nil {
		return nil, fmt.Errorf("parameter %s: %w", name, err)
	}
	q.Write(View(buf, 0, F32, len(scales)), EncodeFloats(F32, scales))
	p.Value.Scales = buf
	return p, nil
}

// NewParamBytes makes a frozen parameter from the bytes of its elements, little-endian: without a copy when the
// device is an Adopter and can use them where they lie.
func NewParamBytes(dev Device, q Queue, name string, dtype DType, data []byte, dims ...int) (*Param, error) {
	p := &Param{Name: name}
	n := dtype.Size()
	for _, d := range dims {
		n *= d
	}
	if n != len(data) || len(dims) > MaxRank {
		return nil, fmt.Errorf("parameter %s: %v%v does not fit %d bytes", name, dtype, dims, len(data))
	}
	if ad, ok := dev.(Adopter); ok {
		if buf, ok := ad.Adopt(data); ok {
			p.Value, p.adopted = View(buf, 0, dtype, dims...), true
			return p, nil
		}
	}
	buf, err := dev.Alloc(max(len(data), 1))
	if err != nil {
		return nil, fmt.Errorf("parameter %s: %w", name, err)
	}
	p.Value = View(buf, 0, dtype, dims...)
	q.Write(p.Value, data)
	return p, nil
}

// Train makes the parameter trainable: an fp32 Value, a cleared gradient and, with bf16 and more than one dimension, a
// Compute copy. The Value stays where it is if it is fp32 memory of the device; else it is copied and the memory of before given
// back. Nobody else may use that.
func (p *Param) Train(dev Device, q Queue, bf16 bool) error {
	alloc := func(dtype DType) (Tensor, error) {
		buf, err := dev.Alloc(max(p.Value.Len()*dtype.Size(), 1))
		if err != nil {
			return Tensor{}, fmt.Errorf("parameter %s: %w", p.Name, err)
		}
		return View(buf, 0, dtype, p.Value.Shape()...), nil
	}
	if p.Value.DType != F32 && p.Value.DType != BF16 {
		return fmt.Errorf("parameter %s: %v cannot be trained", p.Name, p.Value)
	}
	before, packed, value := p.Value, p.Packed, p.Value
	var compute Tensor
	grad, err := alloc(F32)
	if err != nil {
		return err
	}
	if p.adopted || before.DType != F32 {
		if value, err = alloc(F32); err != nil {
			return err
		}
		q.Do(&Copy{Src: before, Dst: value})
	}
	if bf16 && before.Rank > 1 {
		if compute, err = alloc(BF16); err != nil {
			return err
		}
		q.Do(&Copy{Src: before, Dst: compute})
	}
	q.Do(&Fill{Dst: grad})
	p.Value, p.Compute, p.Grad, p.Packed, p.Trainable, p.adopted = value, compute, grad, Tensor{}, true, false
	if value.Mem == before.Mem && packed.None() {
		return nil
	}
	if err := q.Wait(); err != nil { // what is copied from is still read
		return fmt.Errorf("parameter %s: %w", p.Name, err)
	}
	if value.Mem != before.Mem {
		before.Mem.Free()
	}
	if !packed.None() && packed.Mem != before.Mem {
		packed.Mem.Free()
	}
	return nil
}

// Pack arranges a frozen matrix [N,K] for Linear. Without keep the Value is let go: enough for inference.
// The work that wrote the Value must be done (Queue.Wait), and nobody else may use its memory.
func (p *Param) Pack(dev Device, keep bool) error {
	if p.Trainable || p.Value.Rank != 2 {
		return fmt.Errorf("parameter %s: only a frozen matrix can be packed, not %v", p.Name, p.Value)
	}
	packed, err := dev.Pack(p.Value)
	if err != nil {
		return fmt.Errorf("parameter %s: %w", p.Name, err)
	}
	p.Packed = packed
	if !keep {
		if p.Value.Mem != packed.Mem {
			p.Value.Mem.Free()
		}
		p.Value = Tensor{}
	}
	return nil
}

// Shape is the parameter's shape.
func (p *Param) Shape() []int {
	if p.Value.None() {
		return p.Packed.Shape()
	}
	return p.Value.Shape()
}

// ZeroGrads clears the gradients of the trainable ones.
func ZeroGrads(q Queue, params []*Param) {
	for _, p := range params {
		if p.Trainable {
			q.Do(&Fill{Dst: p.Grad})
		}
	}
}
