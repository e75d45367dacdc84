package main

import (
	"context"
	"fmt"
	"strings"

	"mmc4/internal/conformance"
)

type goldenCmd struct {
	common
	Device string   `help:"Where to compute: ref, cpu, cuda or auto." default:"auto" enum:"auto,ref,cpu,cuda"`
	DType  string   `name:"dtype" help:"Number type of weights and activations." default:"fp32" enum:"fp32,bf16,int8"`
	Kinds  []string `help:"Only these kinds; names or globs (lap.*)." placeholder:"KIND"`
	Dump   string   `help:"Write what was computed below this folder, for others to compare." placeholder:"DIR" type:"path"`
	Dirs   []string `arg:"" help:"Folders with case.json files somewhere below." name:"dir" type:"path"`
}

func (goldenCmd) Help() string {
	return `Recomputes every case.json below the folders with the same code that build, train and eval run, and prints a line a
case: status, kind, name, comparisons made, largest error over its tolerance. Exit code 1 when one fails.

Example:
  mmc4 golden --device cpu --kinds 'clip.*,lap.*' testdata/golden`
}

func (c *goldenCmd) Run(ctx context.Context, o *output) error {
	env := &conformance.Env{Device: c.Device, DType: c.DType, Dump: c.Dump}
	totals, err := conformance.Run(ctx, env, c.Dirs, c.Kinds, func(r conformance.Result) {
		words := fmt.Sprintf("%-4s  %-26s %-34s %6d  %.3g", r.Status, r.Kind, r.Name, r.Inner, r.Worst)
		if len(r.Why) > 0 {
			words += "\n      " + strings.Join(r.Why, "\n      ")
		}
		_ = o.record(c.JSON, r, words)
	})
	if err != nil {
		return err
	}
	o.say(c.JSON, "%s", totals)
	if totals.Failed > 0 {
		return errFailed
	}
	return nil
}
