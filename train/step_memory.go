package train

// What steps keep on the device so that the host need not look: how many updates were made, the hyperparameters of the next
// ones, and what the last step found.

import (
	"fmt"

	"mmc4/kernels"
)

// tableRows is for how many updates hyperparameters lie ready.
const tableRows = 256

// stepMemory is a stepper's; its zero value is ready.
type stepMemory struct {
	table, hyper kernels.Tensor // fp32 [tableRows,6], and [6] of the step
	updates, run kernels.Tensor // int32 [1]: made so far, and whether the step is taken
	found        kernels.Tensor // fp32: the square of the norm, losses, what is watched

	count, first int // updates once all results were asked for, and those before the table's first row
	of           struct {
		AdamW
		Schedule
	} // what the table was made of
}

func (m *stepMemory) free() {
	for _, t := range []kernels.Tensor{m.table, m.found} {
		if !t.None() {
			t.Mem.Free()
		}
	}
	*m = stepMemory{}
}

// number is a place in what a step finds.
func (m *stepMemory) number(i int) kernels.Tensor { return m.found.Slice(0, i, i+1) }

// prepare readies the memory for a step of so many parts. The device may have made any number of the updates of steps that
// have begun.
func (m *stepMemory) prepare(s *Stepper, parts int) error {
	dev, queue, made := s.Pass.Device(), s.Pass.Queue(), s.Optimizer.Step
	if m.table.None() {
		buf, err := dev.Alloc(4 * (tableRows*kernels.HyperLen + kernels.HyperLen + 2))
		if err != nil {
			return fmt.Errorf("memory of steps: %w", err)
		}
		m.table, m.hyper = kernels.View(buf, 0, kernels.F32, tableRows, kernels.HyperLen), kernels.View(buf, tableRows*kernels.HyperLen, kernels.F32, kernels.HyperLen)
		at := m.table.Len() + m.hyper.Len()
		m.updates, m.run, m.count = kernels.View(buf, at, kernels.I32, 1), kernels.View(buf, at+1, kernels.I32, 1), -1
	}
	if numbers := 1 + parts + len(s.Watch); m.found.None() || m.found.Dims[0] < numbers {
		buf, err := dev.Alloc(4 * numbers)
		if err != nil {
			return fmt.Errorf("memory of steps: %w", err)
		}
		if !m.found.None() {
			m.found.Mem.Free()
		}
		m.found = kernels.View(buf, 0, kernels.F32, numbers)
	}
	if s.begun == 0 && m.count != made {
		queue.Write(m.updates, kernels.EncodeInts([]int32{int32(made)}))
		m.count = made
	}
	if m.of.AdamW != s.Optimizer.AdamW || m.of.Schedule != s.Schedule || made < m.first || made+s.begun >= m.first+tableRows {
		m.of.AdamW, m.of.Schedule, m.first = s.Optimizer.AdamW, s.Schedule, made
		values := make([]float32, 0, tableRows*kernels.HyperLen)
		for k := made; k < made+tableRows; k++ {
			values = append(values, s.Optimizer.hyper(s.Optimizer.LR*s.Schedule.At(k), k)...)
		}
		queue.Write(m.table, kernels.EncodeFloats(kernels.F32, values))
	}
	return nil
}
