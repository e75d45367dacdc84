package main

import (
	"context"

	"mmc4/internal/storage"
	"mmc4/pipeline/audit"
	page "mmc4/pipeline/report"
)

type reportCmd struct {
	common
	RunFolder string `arg:"" name:"run" help:"The run: a folder or s3://bucket/prefix."`
}

func (reportCmd) Help() string {
	return `Writes RUN/report.html anew: one self-contained page with the funnel, distributions, losses, 50 documents laid out with
their pictures, and rejects with their reasons. A build writes it at its end.

Example:
  mmc4 report RUN`
}

func (c *reportCmd) Run(ctx context.Context, o *output) error {
	run, err := storage.Open(ctx, c.RunFolder, storage.Options{})
	if err != nil {
		return usageError{err}
	}
	m, err := audit.ReadManifest(ctx, run)
	if err != nil {
		return err
	}
	out, err := page.Write(ctx, run, m)
	if err != nil {
		return err
	}
	m.Put(out)
	if err := m.Write(ctx, run); err != nil {
		return err
	}
	written := struct {
		Report string `json:"report"`
	}{run.Location(page.Name)}
	return o.record(c.JSON, written, written.Report)
}
