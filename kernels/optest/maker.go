package optest

import (
	"math/rand/v2"

	"mmc4/kernels"
)

// Maker makes the parameters of a small model on a device: for tests of what is written against a Pass. Equal calls make
// equal values on every device.
type Maker struct {
	Dev    kernels.Device
	Queue  kernels.Queue
	Params []*kernels.Param // the trainable ones
	// BF16 gives trainable matrices a bf16 copy, and makes frozen ones bf16.
	BF16 bool
	rand *rand.Rand
	err  error
}

// NewMaker makes a maker for a device.
func NewMaker(dev kernels.Device) (*Maker, error) {
	q, err := dev.NewQueue()
	return &Maker{Dev: dev, Queue: q, rand: rand.New(rand.NewPCG(3, 4))}, err
}

// Values is n normal values.
func (m *Maker) Values(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(0.5 * m.rand.NormFloat64())
	}
	return v
}

// Frozen is a parameter without a gradient. Its values are such as bf16 can hold.
func (m *Maker) Frozen(name string, dims ...int) *kernels.Param {
	n := 1
	for _, d := range dims {
		n *= d
	}
	dtype := kernels.F32
	if m.BF16 && len(dims) > 1 {
		dtype = kernels.BF16
	}
	values := kernels.DecodeFloats(kernels.BF16, kernels.EncodeFloats(kernels.BF16, m.Values(n)))
	p, err := kernels.NewParam(m.Dev, m.Queue, name, dtype, values, dims...)
	m.note(err)
	if err != nil {
		return &kernels.Param{Name: name}
	}
	return p
}

// Param is a trainable parameter.
func (m *Maker) Param(name string, dims ...int) *kernels.Param {
	p := m.Frozen(name, dims...)
	if m.err == nil {
		m.note(p.Train(m.Dev, m.Queue, m.BF16))
	}
	m.Params = append(m.Params, p)
	return p
}

func (m *Maker) note(err error) {
	if m.err == nil {
		m.err = err
	}
}

// Err is the first failure.
func (m *Maker) Err() error { return m.err }
