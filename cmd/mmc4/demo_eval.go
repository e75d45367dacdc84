package main

import (
	"context"

	"mmc4/train/lesson"
)

type demoEvalCmd struct {
	demoTrainCmd
	Samples int `help:"Held-out drawings to caption." default:"128" placeholder:"N"`
}

func (demoEvalCmd) Help() string {
	return `Evaluates the tiny Flamingo of 'mmc4 demo train' (trains it first where there is none) as any model is evaluated: writes the
held-out drawings in COCO's files, a task and a config, and runs 'mmc4 eval' on them with 0, 2 and 4 examples.

Example:
  mmc4 demo eval`
}

func (c *demoEvalCmd) Run(ctx context.Context, o *output) error {
	result, err := lesson.Finished(c.Out)
	if err != nil {
		return err
	}
	options := c.options()
	if result == nil {
		o.say(c.JSON, "there is no model in %s yet", c.Out)
		if result, err = c.train(ctx, o, options); err != nil {
			return err
		}
	}
	config, err := lesson.WriteEvaluation(options, result, c.Samples)
	if err != nil {
		return err
	}
	return (&evalRunCmd{common: c.common, Config: config, Device: c.Device}).Run(ctx, o)
}
