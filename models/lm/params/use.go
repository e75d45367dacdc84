package params

// Parameters in use: freezing, training, reading values and gradients back in the files' layout, counting.

import (
	"fmt"
	"slices"

	"mmc4/kernels"
	"mmc4/models/weights"
)

// Count is the number of elements of all weights.
func Count(ws []*Weight) int64 {
	var n int64
	for _, w := range ws {
		n += int64(w.Len())
	}
	return n
}

// Train makes weights trainable; bf16 keeps a copy in that type to compute with.
func Train(dev kernels.Device, queue kernels.Queue, bf16 bool, ws ...*Weight) error {
	for _, w := range ws {
		if w.Param.Trainable {
			continue
		}
		if err := w.Param.Train(dev, queue, bf16); err != nil {
			return err
		}
	}
	return nil
}

// Free gives the memory of weights back to the device; several may share it.
func Free(ws ...*Weight) {
	freed := map[kernels.Buffer]bool{nil: true}
	for _, w := range ws {
		p := w.Param
		for _, t := range []kernels.Tensor{p.Value, p.Packed, p.Compute, p.Grad} {
			for _, b := range []kernels.Buffer{t.Mem, t.Scales} {
				if !freed[b] {
					freed[b] = true
					b.Free()
				}
			}
		}
		*p = kernels.Param{Name: p.Name}
	}
}

// Values reads a weight in the layout of files; it waits for the pass's queue.
func (w *Weight) Values(p *kernels.Pass) ([]float32, error) { return w.read(p, w.Param.Value) }

// Grads reads a weight's gradient in the layout of files.
func (w *Weight) Grads(p *kernels.Pass) ([]float32, error) { return w.read(p, w.Param.Grad) }

func (w *Weight) read(p *kernels.Pass, t kernels.Tensor) ([]float32, error) {
	if t.None() {
		return nil, fmt.Errorf("weight %s: only its packed form was kept, or it has no gradient", w.Name)
	}
	values, err := p.Float32(t)
	if err == nil && w.Conv1D {
		values = Turn(values, w.Shape[1], w.Shape[0])
	}
	return values, err
}

// Tensor is the weight as a file stores it, under a prefix.
func (w *Weight) Tensor(p *kernels.Pass, prefix string) (weights.Tensor, error) {
	values, err := w.Values(p)
	if err != nil {
		return weights.Tensor{}, err
	}
	shape := w.Shape
	if w.Rows != nil {
		shape = w.Dims()
	}
	return weights.FromFloat32(prefix+w.Name, values, shape...), nil
}

// Pack arranges frozen matrices for the device; it waits for what was written before. keep leaves the plain form too,
// which gradients need on their way through and lookups in a table.
func Pack(dev kernels.Device, queue kernels.Queue, keep bool, matrices ...*kernels.Param) error {
	if err := queue.Wait(); err != nil {
		return fmt.Errorf("weights: %w", err)
	}
	for _, p := range matrices {
		if p.Trainable || !p.Packed.None() {
			continue
		}
		if err := p.Pack(dev, keep); err != nil {
			return err
		}
	}
	return nil
}

// KeepRows clears the gradient of a trained table but for some rows.
func KeepRows(queue kernels.Queue, table *kernels.Param, ids ...int) {
	rows := table.Grad.Dims[0]
	keep := append([]int(nil), ids...)
	slices.Sort(keep)
	from := 0
	clear := func(to int) {
		if to > from {
			queue.Do(&kernels.Fill{Dst: table.Grad.Slice(0, from, to)})
		}
	}
	for _, id := range keep {
		if id < from || id >= rows {
			continue
		}
		clear(id)
		from = id + 1
	}
	clear(rows)
}
