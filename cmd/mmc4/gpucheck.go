//go:build cuda && cgo

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"mmc4/bench/gpu"
)

// gpuVerbs are the verbs of the program that uses NVIDIA GPUs.
type gpuVerbs struct {
	GPUCheck gpuCheckCmd `cmd:"" name:"gpu-check" help:"Check and measure this program on a machine with an NVIDIA GPU."`
}

type gpuCheckCmd struct {
	common
	Phase    string   `help:"ops, sanitizer, models, speed, build, train, or all." default:"ops" enum:"ops,sanitizer,models,speed,build,train,all"`
	Budget   int      `help:"No check begins after so many seconds." default:"600" placeholder:"SECONDS"`
	Device   string   `help:"Where to compute: cuda, cuda:N, or another to try the checks." default:"cuda" placeholder:"NAME"`
	Size     string   `help:"true, or tiny: small models, which prove that the checks work and measure nothing." default:"true" enum:"true,tiny"`
	Goldens  []string `help:"Folders with case.json files somewhere below, for the phase models." type:"path" placeholder:"DIR"`
	Python   string   `help:"A Python with torch, the peer of the phase speed." placeholder:"PATH"`
	Sanitize string   `help:"NVIDIA's compute-sanitizer." placeholder:"PATH"`
	Dir      string   `help:"Where to write webs, weights and models; gigabytes." default:"gpu-check" type:"path" placeholder:"DIR"`
	Out      string   `help:"The record: a JSON line a check, appended." default:"gpu-check.json" type:"path" placeholder:"FILE"`
	Seed     uint64   `help:"What weights and inputs are drawn from." default:"1"`
}

func (gpuCheckCmd) Help() string {
	return `Runs a phase of checks and appends a JSON line for each to the record as it goes: every op beside the plain one (ops), the same
under compute-sanitizer, the models' goldens, speed beside torch, a build and a training beside cpu. docs/cuda.md says more.
Exit code 1 when a check failed.

Example:
  mmc4 gpu-check --phase speed --python python3 --budget 1200`
}

func (c *gpuCheckCmd) Run(ctx context.Context, o *output) error {
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(c.Out), 0o777); err != nil {
		return err
	}
	record, err := gpu.OpenRecord(c.Out, func(l gpu.Line) { _ = o.record(c.JSON, l, l.String()) })
	if err != nil {
		return err
	}
	defer record.Close()
	err = gpu.Run(ctx, gpu.Options{Phase: c.Phase, Budget: time.Duration(c.Budget) * time.Second, Device: c.Device, Size: c.Size, Goldens: c.Goldens,
		Program: program, Python: c.Python, Sanitize: c.Sanitize, Dir: c.Dir, Seed: c.Seed}, record)
	if errors.Is(err, gpu.ErrFailed) {
		return errFailed
	}
	return err
}
