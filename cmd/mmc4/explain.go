package main

import (
	"context"

	"mmc4/internal/storage"
	"mmc4/pipeline/audit"
)

type explainCmd struct {
	common
	Top       int    `help:"How many causes to tell." default:"12" placeholder:"N"`
	RunFolder string `arg:"" name:"run" help:"The run: a folder, s3://bucket/prefix or https://host/path."`
}

func (explainCmd) Help() string {
	return `Tells where the documents and images of a run went: the funnel of all rules in their order, the causes of loss with hosts,
examples and what to do, and the command that changes a limit without fetching again.

Example:
  mmc4 explain RUN`
}

func (c *explainCmd) Run(ctx context.Context, o *output) error {
	run, err := storage.Open(ctx, c.RunFolder, storage.Options{})
	if err != nil {
		return usageError{err}
	}
	m, err := audit.ReadManifest(ctx, run)
	if err != nil {
		return err
	}
	e, err := audit.Explain(ctx, run, m)
	if err != nil {
		return err
	}
	if c.JSON {
		return o.record(true, e, "")
	}
	return audit.WriteExplanation(o.out, e, c.Top)
}
