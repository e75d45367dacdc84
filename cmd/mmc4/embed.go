package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mmc4/models/clip"
	"mmc4/pipeline"
	"mmc4/pipeline/features"
)

type embedCmd struct {
	common
	CLIP    string `name:"clip" help:"The CLIP model: demo (small, inside the program) or a folder with config, weights and tokenizer." placeholder:"demo|DIR" required:""`
	Out     string `help:"FILE.parquet, or FILE.npy with FILE.jsonl beside it; a path or s3://. With --tokens a folder." placeholder:"FILE" required:""`
	Tokens  bool   `help:"Keep what the image tower makes of every picture, and of its mirror picture, for mmc4 train (visual_tokens.path)."`
	Text    bool   `help:"Embed sentences instead of pictures: the lines of a list, or those of a run's documents."`
	Batch   int    `help:"Pictures the model takes at a time; sentences: four times as many." default:"8" placeholder:"N"`
	Workers int    `help:"Pictures decoded at a time (the number of CPUs unless told)." placeholder:"N"`
	Device  string `help:"Where CLIP runs: auto, ref, cpu or cuda." default:"auto" placeholder:"NAME"`
	DType   string `name:"dtype" help:"Number type: fp32, bf16 or int8." default:"fp32" enum:"fp32,bf16,int8"`
	Check   bool   `help:"Look for NaN and infinity in the weights first."`
	Input   string `arg:"" help:"A folder of pictures, a list (a path or address a line), or a finished run; paths or s3://, lists and runs by https:// too."`
}

func (embedCmd) Help() string {
	return `Turns pictures or sentences into CLIP features of norm 1, a row each, in the order of the input (folders by name). Pictures that
cannot be read are named and left out (exit code 3). Parquet has name, doc_id, place, text and features; an npy file has a line of
FILE.jsonl for each row. docs/models.md tells what a model's folder holds.

With --tokens, OUT is a folder of visual tokens for trainings with that image tower frozen; pictures that are there already are read, but not computed again.

Example:
  mmc4 embed --clip ViT-L-14/ --out photos.parquet photos/
  mmc4 embed --clip ViT-L-14/ --tokens --out tokens/ run/
  mmc4 embed --clip ViT-L-14/ --text --out captions.npy captions.txt`
}

func (c *embedCmd) Run(ctx context.Context, o *output) error {
	if c.Tokens && c.Text {
		return usagef("--tokens are of pictures, --text asks for sentences")
	}
	model, dev, err := openCLIP(ctx, c.CLIP, c.Device, clip.Options{DType: dtypes[c.DType], Batch: c.Batch, Check: c.Check})
	if err != nil {
		return err
	}
	defer dev.Close()
	defer model.Close()
	last := time.Now()
	config := features.Config{Input: c.Input, Text: c.Text, Out: c.Out, Model: model, Batch: c.Batch, Workers: c.Workers, Profile: dev.Profile() + " " + c.DType}
	report := features.Report{
		Rows: func(rows int64, perSecond float64) {
			if now := time.Now(); now.Sub(last) >= logEvery {
				last = now
				fmt.Fprintf(o.err, "%d rows, %.1f/s\n", rows, perSecond)
			}
		},
		Bad: func(b features.Bad) {
			if c.JSON {
				_ = o.record(true, b, "")
				return
			}
			fmt.Fprintf(o.err, "left out: %s: %s\n", b.Name, b.Why)
		},
	}
	var summary features.Summary
	if c.Tokens {
		summary, err = features.Tokens(ctx, config, dev, dtypes[c.DType], report)
	} else {
		summary, err = features.Embed(ctx, config, report)
	}
	if errors.Is(err, features.ErrUsage) {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	words := fmt.Sprintf("%d rows of %d numbers in %s: %.1f s, %.1f/s, the model was busy %.0f %% of the time",
		summary.Rows, summary.Dim, summary.Out, summary.Seconds, summary.PerSecond, 100*summary.Busy)
	if c.Tokens {
		words = fmt.Sprintf("visual tokens of %d pictures and their mirror pictures in %s, of the tower %.16s: %.1f s, %.1f/s", summary.Rows, summary.Out, summary.Model, summary.Seconds, summary.PerSecond)
	}
	if err := o.record(c.JSON, summary, words); err != nil {
		return err
	}
	if summary.Bad > 0 {
		return fmt.Errorf("%d of %d pictures, see above: %w", summary.Bad, summary.Bad+summary.Rows, pipeline.ErrPartial)
	}
	return nil
}
