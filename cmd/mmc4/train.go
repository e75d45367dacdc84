package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mmc4/pipeline"
	"mmc4/train"
)

type trainCmd struct {
	common
	DryRun    bool     `name:"dry-run" help:"Say parameters, memory, steps, hours and cost, here and on known GPUs; read no data."`
	ShowBatch bool     `name:"show-batch" help:"Show the first batch of each stream as the model sees it, and write it to OUT/batch.html."`
	Out       string   `help:"Where checkpoints and logs go: a folder or s3://bucket/prefix (the config's name without ending unless told)." placeholder:"DIR"`
	Export    string   `help:"Instead of training, write the model of OUT's newest checkpoint (--resume: of that one) to a folder, LoRA merged." placeholder:"DIR"`
	Resume    string   `help:"auto (the newest checkpoint of OUT, if any), no, or the path of a checkpoint." default:"auto" placeholder:"auto|PATH|no"`
	Compat    string   `help:"Do as another program does, with its defects: open_flamingo-2.0." enum:",open_flamingo-2.0" default:"" placeholder:"NAME"`
	Set       []string `help:"One setting, such as optimizer.lr=1e-3 or streams.0.batch=4." placeholder:"KEY=VALUE" sep:"none"`
	Device    string   `help:"Where to compute: auto, ref, cpu or cuda." default:"auto" placeholder:"NAME"`
	Workers   int      `help:"Goroutines that read and decode for each stream." placeholder:"N"`
	Config    string   `arg:"" help:"YAML: kind (flamingo, clip, lm, probe), model, data, optimizer." name:"config"`
}

func (trainCmd) Help() string {
	return `Trains a Flamingo, a CLIP, a language model or a linear head on what build wrote. The same command goes on from the newest
checkpoint, and ends with the same weights as if it had not been stopped.

Example:
  mmc4 train configs/openflamingo-3b.yaml --dry-run
  mmc4 train my.yaml --out runs/my --set optimizer.lr=5e-5`
}

// refused is a refusal of package train, for the exit code.
type refused struct{ error }

func (refused) Is(target error) bool { return target == pipeline.ErrRefused }

func (c *trainCmd) Run(ctx context.Context, o *output) error {
	err := c.run(ctx, o)
	var config train.ConfigError
	switch {
	case errors.As(err, &config):
		return usageError{err}
	case errors.Is(err, train.ErrRefused):
		return refused{err}
	}
	return err
}

func (c *trainCmd) run(ctx context.Context, o *output) error {
	if c.Workers > 0 {
		c.Set = append(c.Set, fmt.Sprintf("data.workers=%d", c.Workers))
	}
	config, err := train.ReadConfig(ctx, c.Config, c.Set)
	if err != nil {
		return err
	}
	config.Compat = c.Compat != ""
	if c.Out == "" {
		c.Out = strings.TrimSuffix(filepath.Base(c.Config), filepath.Ext(c.Config))
	}
	switch {
	case c.DryRun:
		plan, err := train.DryRun(ctx, config, c.Device)
		if err != nil {
			return err
		}
		return o.record(c.JSON, plan, plan.String())
	case c.ShowBatch:
		return c.show(ctx, o, config)
	case c.Export != "":
		step, err := train.Export(ctx, config, train.Options{Out: c.Out, Device: c.Device, Resume: c.Resume, Note: func(text string) { o.say(true, "%s", text) }}, c.Export)
		if err != nil {
			return err
		}
		return o.record(c.JSON, map[string]any{"exported": c.Export, "step": step}, fmt.Sprintf("the model of step %d is in %s", step, c.Export))
	}
	result, err := train.Run(ctx, config, train.Options{Out: c.Out, Device: c.Device, Resume: c.Resume,
		Note: func(text string) { o.say(true, "%s", text) },
		Progress: func(line train.LogLine) {
			_ = o.record(c.JSON, line, stepWords(line, config.Steps))
		}})
	if err != nil {
		return err
	}
	words := fmt.Sprintf("%d steps in %.1f s; weights in %s", result.Steps, result.Seconds, result.Checkpoint)
	if result.Skipped > 0 {
		words += fmt.Sprintf("; %d steps were skipped (skipped.jsonl)", result.Skipped)
	}
	return o.record(c.JSON, result, words)
}

// stepWords is a step for people.
func stepWords(line train.LogLine, steps int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d/%d", line.Step, steps)
	for _, name := range sortedKeys(line.Loss) {
		fmt.Fprintf(&b, "  %s %s", name, orDash(line.Loss[name]))
	}
	for _, name := range sortedKeys(line.Validation) {
		fmt.Fprintf(&b, "  (%s %s)", name, orDash(line.Validation[name]))
	}
	fmt.Fprintf(&b, "  lr %.3g  |g| %s  %.1f samples/s", line.LR, orDash(line.GradNorm), line.SamplesPerSecond)
	if line.Skipped != "" {
		b.WriteString("  skipped: " + line.Skipped)
	}
	return b.String()
}

func orDash(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.4f", *v)
}

func (c *trainCmd) show(ctx context.Context, o *output, config *train.Config) error {
	rows, rejects, err := train.ShowBatch(ctx, config)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := o.record(c.JSON, row, row.String()); err != nil {
			return err
		}
	}
	for _, r := range rejects {
		o.say(c.JSON, "left out: %s", r)
	}
	if strings.Contains(c.Out, "://") {
		return nil
	}
	if err := os.MkdirAll(c.Out, 0o777); err != nil {
		return err
	}
	path := filepath.Join(c.Out, "batch.html")
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := train.WriteBatch(f, rows); err != nil {
		f.Close()
		return err
	}
	o.say(c.JSON, "%s shows it with the pictures", path)
	return f.Close()
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
