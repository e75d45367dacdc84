package optest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"mmc4/kernels"
)

// Gradients compares the gradients that a pass on a device gives with difference quotients, for a few elements of every
// parameter: the test of a piece of a model. loss computes one number from the parameters, which are trainable fp32, and
// must always do the same. Checkpoint makes Blocks recompute.
func Gradients(dev kernels.Device, params []*kernels.Param, checkpoint bool, loss func(p *kernels.Pass) kernels.Tensor) error {
	q, err := dev.NewQueue()
	if err != nil {
		return err
	}
	arena := kernels.NewArena(dev, 0)
	defer arena.Free()
	kernels.ZeroGrads(q, params)
	p := kernels.NewPass(dev, q, arena, kernels.PassOptions{Grad: true, Checkpoint: checkpoint})
	p.Backward(loss(p), 1)
	if err := p.Wait(); err != nil {
		return err
	}

	plain := kernels.NewPass(dev, q, arena, kernels.PassOptions{})
	value := func() (float64, error) {
		plain.Reset()
		v, err := plain.Float32(loss(plain))
		if err != nil {
			return 0, err
		}
		return float64(v[0]), nil
	}
	r := rand.New(rand.NewPCG(1, 2))
	for _, w := range params {
		values, err := plain.Float32(w.Value)
		if err != nil {
			return err
		}
		grads, err := plain.Float32(w.Grad)
		if err != nil {
			return err
		}
		var largest float64
		for _, g := range grads {
			largest = max(largest, math.Abs(float64(g)))
		}
		for range min(8, len(values)) {
			at := r.IntN(len(values))
			numeric, err := quotient(q, w, values, at, value)
			if err != nil {
				return fmt.Errorf("%s: %w", w.Name, err)
			}
			off := math.Abs(numeric - float64(grads[at]))
			if !(off <= differenceAbsolute+5*differenceRelative*largest) {
				return fmt.Errorf("%s: gradient of element %d is %v, the difference quotient %v (largest gradient %v)", w.Name, at, grads[at], numeric, largest)
			}
		}
	}
	return nil
}

// quotient is the derivative by one element of a parameter, which is put back.
func quotient(q kernels.Queue, w *kernels.Param, values []float32, at int, f func() (float64, error)) (float64, error) {
	const h = 1.0 / 64
	var fs [4]float64
	for i, d := range []float32{h, -h, 2 * h, -2 * h} {
		moved := append([]float32(nil), values...)
		moved[at] += d
		q.Write(w.Value, kernels.EncodeFloats(kernels.F32, moved))
		v, err := f()
		if err != nil {
			return 0, err
		}
		fs[i] = v
	}
	q.Write(w.Value, kernels.EncodeFloats(kernels.F32, values))
	return (8*(fs[0]-fs[1]) - (fs[2] - fs[3])) / (12 * h), nil
}
