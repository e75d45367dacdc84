package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"mmc4/internal/demo"
	"mmc4/train/lesson"
)

// demoVerb has the demo build, and the demo training.
type demoVerb struct {
	Run   demoCmd      `cmd:"" default:"withargs" help:"Draw a web and build a corpus from it."`
	Train demoTrainCmd `cmd:"" help:"Teach a tiny Flamingo to caption drawings, and examine it."`
	Eval  demoEvalCmd  `cmd:"" help:"Evaluate that Flamingo with 'mmc4 eval', after 0, 2 and 4 examples."`
}

func (demoVerb) Help() string {
	return `Examples:
  mmc4 demo
  mmc4 demo train --run mmc4-demo/run
  mmc4 demo eval`
}

type demoTrainCmd struct {
	common
	Out       string `help:"Folder for drawings and models; what is in it is gone on with." default:"mmc4-demo-train" placeholder:"DIR"`
	RunFolder string `name:"run" help:"A finished demo run (mmc4-demo/run): its documents are learnt from too." placeholder:"RUN"`
	Drawings  int    `help:"Drawings to learn from." default:"8000" placeholder:"N"`
	Held      int    `help:"Drawings of the examination." default:"256" placeholder:"N"`
	TextSteps int    `name:"text-steps" help:"Steps of the language model." default:"400" placeholder:"N"`
	Steps     int    `help:"Steps of the Flamingo." default:"2500" placeholder:"N"`
	Seed      uint64 `help:"Which drawings." default:"1" placeholder:"N"`
	Device    string `help:"Where to compute: auto, ref, cpu or cuda." default:"auto" placeholder:"NAME"`
}

func (demoTrainCmd) Help() string {
	return `Draws pictures with sentences, learns a vocabulary and a small language model from the sentences, joins it with the CLIP inside
the program to a tiny Flamingo, teaches it, and lets it caption drawings it never saw, after 0, 2 and 4 examples; then once
more with the pictures exchanged, which must bring it down to chance if it looks. Minutes on two cores.

Example:
  mmc4 demo --out mmc4-demo && mmc4 demo train --run mmc4-demo/run`
}

func (c *demoTrainCmd) Run(ctx context.Context, o *output) error {
	result, err := c.train(ctx, o, c.options())
	if err != nil {
		return err
	}
	if c.JSON {
		return o.record(true, result, "")
	}
	o.say(false, "%.0f s; the model is %s", result.Seconds, result.Flamingo.Checkpoint)
	return nil
}

// options say where the lesson has its things.
func (c *demoTrainCmd) options() lesson.Options {
	in := func(name string) string { return filepath.Join(c.Out, name) }
	o := lesson.Options{Dir: c.Out, Drawings: in("drawings"), Held: in("held"), CLIP: in("clip"), Device: c.Device, TextSteps: c.TextSteps, Steps: c.Steps}
	if c.RunFolder != "" {
		o.Docs = strings.TrimSuffix(c.RunFolder, "/") + "/docs/*.parquet"
	}
	return o
}

// train draws, and holds the lesson.
func (c *demoTrainCmd) train(ctx context.Context, o *output, options lesson.Options) (*lesson.Result, error) {
	words := o.out
	if c.JSON {
		words = o.err
	}
	if _, err := os.Stat(filepath.Join(options.CLIP, "model.safetensors")); err != nil {
		if err := os.CopyFS(options.CLIP, demo.CLIP()); err != nil {
			return nil, err
		}
	}
	if err := demo.DrawTraining(options.Drawings, c.Seed, c.Drawings); err != nil {
		return nil, err
	}
	if err := demo.DrawTraining(options.Held, c.Seed+1_000_003, c.Held); err != nil {
		return nil, err
	}
	return lesson.Run(ctx, options, words)
}
