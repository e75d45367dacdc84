package optest

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"mmc4/kernels"
)

// The limits of a difference quotient in fp32: relative to a tensor's largest gradient, and for gradients that are zero.
const (
	differenceRelative = 2e-3
	differenceAbsolute = 2e-4
)

// FiniteDifferences compares the backward ops of a device with difference quotients of ref's forward ops, on
// small instances.
func FiniteDifferences(dev kernels.Device, rows []Row, rounds int) []Report {
	var reports []Report
	for i := range rows {
		row := &rows[i]
		if row.Backward == nil {
			continue
		}
		report := Report{Op: row.Op + " gradient"}
		for seed := range uint64(rounds) {
			g := NewGen(FP32, seed)
			g.Small = true
			f := row.Make(g)
			if err := g.run(f); err != nil {
				report.fail(seed, f, err)
				continue
			}
			report.Cases++
			worst, err := row.differences(dev, g, f)
			report.Worst = max(report.Worst, worst)
			if err != nil {
				report.fail(seed, f, err)
			}
		}
		reports = append(reports, report)
	}
	return reports
}

func (r *Row) differences(dev kernels.Device, g *Gen, f kernels.Op) (worst float64, err error) {
	inputs, targets := map[string]kernels.Tensor{}, map[string]kernels.Tensor{}
	for _, fd := range fields(f) {
		inputs[fd.name] = *fd.tensor
	}
	inner := r.Backward
	probe := *r
	probe.Backward = func(f kernels.Op, dOut kernels.Tensor, grad func(string) kernels.Grad) kernels.Op {
		return inner(f, dOut, func(input string) kernels.Grad {
			got := grad(input)
			if got.Wanted() {
				targets[input] = got.T
			}
			return got
		})
	}
	op, dOut := probe.backwardOf(g, f, func(string) bool { return true })
	q, err := dev.NewQueue()
	if err != nil {
		return 0, err
	}
	got, err := runOnce(dev, q, op, false)
	if err != nil {
		return 0, err
	}

	out := inputs[r.Outputs[0]]
	cotangent := values(dOut, dOut.Mem.(kernels.HostBuffer).Host())
	loss := func() float64 {
		if err := g.run(f); err != nil {
			return math.NaN()
		}
		sum := 0.0
		for i, v := range values(out, out.Mem.(kernels.HostBuffer).Host()) {
			sum += v * cotangent[i]
		}
		return sum
	}
	for _, name := range slices.Sorted(maps.Keys(targets)) {
		analytic := values(targets[name], got[targets[name].Mem])
		numeric := quotients(inputs[name], loss)
		var largest, off float64
		for i := range numeric {
			largest = max(largest, math.Abs(numeric[i]), math.Abs(analytic[i]))
			off = max(off, math.Abs(numeric[i]-analytic[i]))
		}
		allowed := differenceAbsolute + differenceRelative*largest
		worst = max(worst, off/allowed)
		if !(off <= allowed) {
			return worst, fmt.Errorf("gradient of %s is off by %.3g, allowed %.3g: %s", name, off, allowed, firstDifference(analytic, numeric))
		}
	}
	return worst, nil
}

// quotients is the derivative of f by every element of an fp32 tensor on a ref device, by fourth-order central
// differences.
func quotients(x kernels.Tensor, f func() float64) []float64 {
	const h = 1.0 / 64
	mem := x.Mem.(kernels.HostBuffer).Host()
	var out []float64
	elements(x, func(at int) {
		cell := mem[4*at : 4*at+4]
		old := kernels.DecodeFloats(kernels.F32, cell)[0]
		shifted := func(d float32) float64 {
			copy(cell, kernels.EncodeFloats(kernels.F32, []float32{old + d}))
			return f()
		}
		near := shifted(h) - shifted(-h)
		far := shifted(2*h) - shifted(-2*h)
		copy(cell, kernels.EncodeFloats(kernels.F32, []float32{old}))
		out = append(out, (8*near-far)/(12*h))
	})
	return out
}
