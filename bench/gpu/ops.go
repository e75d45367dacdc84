package gpu

// The op table against ref, and the same under compute-sanitizer.

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/kernels/optest"
)

// ops compares every row of the table and every piece of a model.
func (r *run) ops() {
	dev, err := device.Open(r.Device)
	if err != nil {
		return // machine has said so
	}
	defer dev.Close()
	rounds := 60
	if r.tiny() {
		rounds = 3
	}
	for i := range optest.Rows {
		row := optest.Rows[i : i+1]
		r.check(row[0].Op, func(l *Line) error { return summed(l, optest.Compare(dev, row, rounds)) })
		if row[0].Backward != nil {
			r.check(row[0].Op+" backward beside differences", func(l *Line) error {
				return summed(l, optest.FiniteDifferences(dev, row, max(rounds/10, 1)))
			})
		}
	}
	for i := range optest.Pieces {
		r.check(optest.Pieces[i].Name, func(l *Line) error { return summed(l, optest.ComparePieces(dev, optest.Pieces[i:i+1])) })
	}
}

// summed makes one line of an op's reports.
func summed(l *Line, reports []optest.Report) error {
	var all []error
	l.Of = "worst error over tolerance"
	for _, report := range reports {
		l.Figures["instances"] += float64(report.Cases)
		l.Figures[l.Of] = max(l.Figures[l.Of], report.Worst)
		all = append(all, report.Errs...)
		for _, err := range report.Errs {
			if errors.Is(err, kernels.ErrDeviceLost) {
				return err
			}
		}
	}
	if l.Figures["instances"] == 0 {
		return errors.New("nothing ran")
	}
	return errors.Join(all...)
}

// sanitizer runs the ops phase once more under each of compute-sanitizer's tools.
func (r *run) sanitizer() {
	for _, tool := range []string{"memcheck", "racecheck", "initcheck", "synccheck"} {
		r.check(tool, func(l *Line) error {
			if r.Sanitize == "" {
				return skip("there is no compute-sanitizer here")
			}
			out := filepath.Join(r.Dir, "sanitizer-"+tool+".json")
			cmd := exec.CommandContext(r.ctx, r.Sanitize, "--tool", tool, "--error-exitcode", "9", "--print-limit", "5",
				r.Program, "gpu-check", "--phase", "ops", "--size", "tiny", "--device", r.Device, "--dir", r.Dir, "--out", out, "--budget", "3600")
			said, err := cmd.CombinedOutput()
			for line := range strings.Lines(string(said)) {
				if strings.Contains(line, "ERROR SUMMARY") || strings.Contains(line, "RACECHECK SUMMARY") {
					l.Note = strings.Trim(line, "= \n")
				}
			}
			if err != nil {
				return fmt.Errorf("%w: %s", err, tail(said))
			}
			return nil
		})
	}
}

// tail is the end of what a child said.
func tail(said []byte) string {
	const most = 1500
	return strings.TrimSpace(string(said[max(0, len(said)-most):]))
}
