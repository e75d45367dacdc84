package optest

import (
	"errors"

	"mmc4/kernels"
)

// TB is what Check needs of a testing.T.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Check is the whole test of a device: Compare and FiniteDifferences over the table, ComparePieces, and copies that do not fit. It
// fails on any error, and for every op of which nothing ran.
func Check(t TB, dev kernels.Device, rounds int) {
	t.Helper()
	refusesWhatDoesNotFit(t, dev)
	reports := append(Compare(dev, Rows, rounds), FiniteDifferences(dev, Rows, max(rounds/4, 1))...)
	reports = append(reports, ComparePieces(dev, Pieces)...)
	skipped, cases := 0, 0
	for _, r := range reports {
		for _, err := range r.Errs {
			t.Errorf("%s: %v", dev.Name(), err)
		}
		if r.Cases == 0 && r.Mode != Mixed {
			t.Errorf("%s: nothing ran of %s %v", dev.Name(), r.Op, r.Mode)
		}
		cases += r.Cases
		skipped += r.Skipped
	}
	t.Logf("%s (%s): %d instances ran, %d of mixed types are not supported", dev.Name(), dev.Profile(), cases, skipped)
}

// refusesWhatDoesNotFit copies other sizes than a tensor's, and to and from one with gaps: each must be the queue's error.
func refusesWhatDoesNotFit(t TB, dev kernels.Device) {
	t.Helper()
	queue, err := dev.NewQueue()
	if err != nil {
		t.Errorf("%s: %v", dev.Name(), err)
		return
	}
	buf, err := dev.Alloc(64)
	if err != nil {
		t.Errorf("%s: %v", dev.Name(), err)
		return
	}
	defer buf.Free()
	matrix := kernels.View(buf, 0, kernels.F32, 4, 4)
	for name, c := range map[string]struct {
		x     kernels.Tensor
		bytes int
	}{"too few bytes": {matrix, 63}, "too many bytes": {matrix, 65}, "gaps": {matrix.Slice(1, 0, 2), 32}} {
		for _, copies := range []func(){func() { queue.Write(c.x, make([]byte, c.bytes)) }, func() { queue.Read(make([]byte, c.bytes), c.x) }} {
			copies()
			var shape *kernels.ShapeError
			if err := queue.Wait(); !errors.As(err, &shape) {
				t.Errorf("%s: %s: %v", dev.Name(), name, err)
			}
		}
	}
}
