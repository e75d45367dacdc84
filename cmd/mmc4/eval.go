package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"mmc4/eval"
	"mmc4/eval/model"
	"mmc4/pipeline"
)

// evalCmd has the evaluation of a model, and the scoring of files that somebody else's model wrote.
type evalCmd struct {
	Run   evalRunCmd   `cmd:"" default:"withargs" help:"Run an evaluation from a config, or go on with it."`
	Score evalScoreCmd `cmd:"" help:"Score a file of captions or answers."`
}

func (evalCmd) Help() string {
	return `Examples:
  mmc4 eval eval.yaml --num-samples 500
  mmc4 eval score --metric cider,bleu predictions.json references.json`
}

type evalRunCmd struct {
	common
	Out        string `help:"Folder of the results (default: out in the config, else a folder beside it)." placeholder:"DIR" type:"path"`
	NumSamples int    `name:"num-samples" help:"Ask at most so many test examples of each task." placeholder:"N"`
	Device     string `help:"Where to compute: auto, ref, cpu or cuda." placeholder:"NAME"`
	DType      string `name:"dtype" help:"Number type: fp32, bf16 or int8." placeholder:"TYPE"`
	Compat     string `help:"Choose, rank and score as an older program does: open_flamingo-2.0." placeholder:"NAME"`
	Slice      string `help:"Compute the I-th of N shares of the batches only; a run without --slice puts them together." placeholder:"I/N"`
	Config     string `arg:"" help:"YAML: model, tasks, shots, seeds." type:"existingfile"`
}

func (evalRunCmd) Help() string {
	return `Measures a Flamingo-style model on COCO, Flickr30k, VQAv2, OK-VQA, TextVQA, VizWiz, HatefulMemes, ImageNet or tasks of your own,
with 0, 4, 8, ... examples in the prompt. Writes results.json, predictions.jsonl and report.html. The same command goes on
after an interruption. docs/eval.md describes the config.

Example:
  mmc4 eval eval.yaml --num-samples 500
  mmc4 eval eval.yaml --slice 2/4`
}

// marked is an error that also says how the program ends.
type marked struct {
	error
	end error
}

func (m marked) Unwrap() []error { return []error{m.error, m.end} }

// evalRecord is a cell of the table as JSON.
type evalRecord struct {
	Task   string       `json:"task"`
	Metric string       `json:"metric"`
	Shots  int          `json:"shots"`
	Mean   *eval.Number `json:"mean"`
	Std    *eval.Number `json:"std"`
	Trials []eval.Trial `json:"trials"`
}

func (c *evalRunCmd) Run(ctx context.Context, o *output) error {
	config, err := c.load()
	if err != nil {
		return usageError{err}
	}
	options := eval.Options{Progress: func(done, all int, what string) { fmt.Fprintf(o.err, "%d of %d batches (%s)\n", done, all, what) }}
	if c.Slice != "" {
		i, n, _ := strings.Cut(c.Slice, "/")
		var errI, errN error
		options.Slice, errI = strconv.Atoi(i)
		options.Slices, errN = strconv.Atoi(n)
		if errI != nil || errN != nil || options.Slice < 1 || options.Slice > options.Slices {
			return usagef("--slice %s: say I/N, as in 2/4", c.Slice)
		}
	}
	if options.Model, err = model.Fingerprint(config.Model); err != nil {
		return usageError{err}
	}
	features := &model.Features{CLIP: config.RICES.CLIP, Cache: config.RICES.Cache, Device: config.Device}
	defer features.Close()
	options.Open = func(ctx context.Context, images func(string) ([]byte, error)) (eval.Model, error) {
		if err := features.Close(); err != nil { // all examples are chosen: the memory is the model's
			return nil, err
		}
		return model.Load(ctx, config.Model, model.Options{Device: config.Device, DType: config.DType, Compat: config.Compat != ""}, images)
	}
	if config.Demonstrations == "rices" {
		options.Features = features.Of
	}
	results, err := eval.Run(ctx, config, options)
	if results != nil {
		if e := c.print(o, config, results); e != nil {
			return e
		}
	}
	switch {
	case errors.Is(err, eval.ErrUsage):
		return usageError{err}
	case errors.Is(err, eval.ErrRefused):
		return marked{err, pipeline.ErrRefused}
	case errors.Is(err, eval.ErrPartial):
		return marked{err, pipeline.ErrPartial}
	}
	return err
}

// load reads the config and what the command line changes in it.
func (c *evalRunCmd) load() (*eval.Config, error) {
	config, err := eval.LoadConfig(c.Config)
	if err != nil {
		return nil, err
	}
	for _, change := range []struct {
		to   *string
		from string
	}{{&config.Device, c.Device}, {&config.DType, c.DType}, {&config.Compat, c.Compat}, {&config.Out, c.Out}} {
		if change.from != "" {
			*change.to = change.from
		}
	}
	if c.NumSamples < 0 {
		return nil, fmt.Errorf("--num-samples %d: it cannot be negative", c.NumSamples)
	}
	if c.NumSamples > 0 {
		config.Samples = c.NumSamples
	}
	if config.Out == "" {
		config.Out = strings.TrimSuffix(c.Config, filepath.Ext(c.Config)) + "-results"
	}
	if config.RICES.Cache == "" {
		config.RICES.Cache = filepath.Join(config.Out, "features")
	}
	return config, config.Validate()
}

// print prints the table: a line a task, a column for each number of shots.
func (c *evalRunCmd) print(o *output, config *eval.Config, results *eval.Results) error {
	head := fmt.Sprintf("%-14s %-6s", "task", "metric")
	for _, shots := range config.Shots {
		head += fmt.Sprintf(" %14s", fmt.Sprintf("%d shots", shots))
	}
	if !c.JSON {
		o.say(false, "%s", head)
	}
	for _, line := range results.Tasks {
		if c.JSON {
			for _, cell := range line.Series {
				if err := o.record(true, evalRecord{line.Name, line.Metric, cell.Shots, cell.Mean, cell.Std, cell.Trials}, ""); err != nil {
					return err
				}
			}
			continue
		}
		words := fmt.Sprintf("%-14s %-6s", line.Title, line.Metric)
		for _, cell := range line.Series {
			words += fmt.Sprintf(" %14s", cell)
		}
		if err := o.record(false, nil, words); err != nil {
			return err
		}
	}
	o.say(c.JSON, "Report: %s", filepath.Join(config.Out, "report.html"))
	return nil
}
