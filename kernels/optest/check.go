package optest

import "mmc4/kernels"

// TB is what Check needs of a testing.T.
type TB interface {
	Helper()
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
}

// Check is the whole test of a device: Compare and FiniteDifferences over the table, and ComparePieces. It fails on any
// error, and for every op of which nothing ran.
func Check(t TB, dev kernels.Device, rounds int) {
	t.Helper()
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
