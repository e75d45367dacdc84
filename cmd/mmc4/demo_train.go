package main

import (
	"context"
	"os"
	"path/filepath"

	"mmc4/internal/demo"
	"mmc4/train/lesson"
)

// demoVerb has the demo build, and the demo training.
type demoVerb struct {
	Run   demoCmd      `cmd:"" default:"withargs" help:"Draw a web and build a corpus from it."`
	Train demoTrainCmd `cmd:"" help:"Teach a tiny Flamingo to caption drawings, and examine it."`
}

func (demoVerb) Help() string {
	return `Examples:
  mmc4 demo
  mmc4 demo train --run mmc4-demo/run`
}

type demoTrainCmd struct {
	common
	Out       string `help:"Folder for drawings and models; what is in it is gone on with." default:"mmc4-demo-train" placeholder:"DIR"`
	RunFolder string `name:"run" help:"A finished demo run (mmc4-demo/run): its documents are learnt from too." placeholder:"RUN"`
	Drawings  int    `help:"Drawings to learn from." default:"8000" placeholder:"N"`
	Held      int    `help:"Drawings of the examination." default:"256" placeholder:"N"`
	TextSteps int    `name:"text-steps" help:"Steps of the language model." default:"400" placeholder:"N"`
	Steps     int    `help:"Steps of the Flamingo." default:"1500" placeholder:"N"`
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
	words := o.out
	if c.JSON {
		words = o.err
	}
	drawings, held, model := filepath.Join(c.Out, "drawings"), filepath.Join(c.Out, "held"), filepath.Join(c.Out, "clip")
	if _, err := os.Stat(filepath.Join(model, "model.safetensors")); err != nil {
		if err := os.CopyFS(model, demo.CLIP()); err != nil {
			return err
		}
	}
	if err := demo.DrawTraining(drawings, c.Seed, c.Drawings); err != nil {
		return err
	}
	if err := demo.DrawTraining(held, c.Seed+1_000_003, c.Held); err != nil {
		return err
	}
	options := lesson.Options{Dir: c.Out, Drawings: drawings, Held: held, CLIP: model, Device: c.Device, TextSteps: c.TextSteps, Steps: c.Steps}
	if c.RunFolder != "" {
		options.Docs = c.RunFolder + "/docs/*.parquet"
	}
	result, err := lesson.Run(ctx, options, words)
	if err != nil {
		return err
	}
	if c.JSON {
		return o.record(true, result, "")
	}
	o.say(false, "%.0f s; the model is %s", result.Seconds, result.Flamingo.Checkpoint)
	return nil
}
