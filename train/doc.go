// Package train teaches models: Flamingo, CLIP, language models and linear heads, through one loop over one kind of data.
//
//	config, err := train.ReadConfig(ctx, "configs/demo.yaml", []string{"steps=200"})
//	plan, err := train.DryRun(config)                 // sizes, memory, time and cost before a byte is read
//	result, err := train.Run(ctx, config, train.Options{Out: dir, Device: "auto", Resume: "auto"})
//
// A Task is a model with its loss (flamingo.go, clip.go, lm.go, probe.go); a Stepper takes one step of the optimizer over the
// batches of all streams (step.go) or does as open_flamingo does (upstream.go); run.go is the loop, with checkpoints that hold
// everything a step depends on, so that a run that was killed ends with the same bits as one that was not.
package train
