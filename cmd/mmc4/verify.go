package main

import (
	"context"
	"fmt"

	"mmc4/internal/storage"
	"mmc4/pipeline/audit"
)

type verifyCmd struct {
	common
	Workers   int    `help:"Files checked at a time (0: one a CPU)." placeholder:"N"`
	Problems  int64  `help:"The most problems to list (100 unless told)." default:"100" placeholder:"N"`
	RunFolder string `arg:"" name:"run" help:"The run: a folder, s3://bucket/prefix or https://host/path."`
}

func (verifyCmd) Help() string {
	return `Reads a whole run and holds it against its manifest and against itself: files, sizes and SHA-256; columns; every row, its
match and its picture's bytes; the limits of every rule; and the books: each document is in docs or has a reject, each of its
images is kept or has exactly one reject, each image that was asked for has its outcome. Exit code 1 when something is wrong.

Example:
  mmc4 verify RUN`
}

func (c *verifyCmd) Run(ctx context.Context, o *output) error {
	run, err := storage.Open(ctx, c.RunFolder, storage.Options{})
	if err != nil {
		return usageError{err}
	}
	v, err := audit.Verify(ctx, run, audit.Options{Workers: c.Workers, Problems: c.Problems})
	if err != nil {
		return err
	}
	if c.JSON {
		if err := o.record(true, v, ""); err != nil {
			return err
		}
	} else {
		for _, p := range v.Problems {
			o.say(false, "%s", p)
		}
	}
	what := fmt.Sprintf("%d files, %d bytes; %d documents with %d images, %d rejects, %d image URLs", v.Files, v.Bytes, v.Documents, v.Images, v.Rejects, v.ImageURLs)
	if v.Pairs > 0 {
		what = fmt.Sprintf("%d files, %d bytes; %d pairs, %d rejects, %d image URLs", v.Files, v.Bytes, v.Pairs, v.Rejects, v.ImageURLs)
	}
	if v.OK {
		o.say(c.JSON, "ok: %s", what)
		return nil
	}
	if more := v.Total - int64(len(v.Problems)); more > 0 {
		o.say(c.JSON, "and %d more", more)
	}
	o.say(c.JSON, "%d problem(s) in %s", v.Total, what)
	return errFailed
}
