package main

import (
	"context"

	"mmc4/crawl/fetch"
	"mmc4/internal/demo"
	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/pipeline"
)

type demoCmd struct {
	common
	Out    string `help:"Folder for the web and the run; an older demo in it is replaced." default:"mmc4-demo" placeholder:"DIR"`
	To     string `name:"run" help:"Where the run is written: a folder or s3://BUCKET/PATH (default: run in --out)." placeholder:"RUN"`
	Pages  int    `help:"Documents of the web." default:"300" placeholder:"N"`
	Seed   uint64 `help:"Which web to draw." default:"1" placeholder:"N"`
	Device string `help:"Where CLIP runs: auto, ref, cpu or cuda." default:"auto" placeholder:"NAME"`
}

func (demoCmd) Help() string {
	return `Draws a small web (pages of our own prose, pictures drawn by code, and everything that goes wrong on a web), serves it on
loopback, builds a corpus from it with the small CLIP inside the program, and says how many pictures found their sentence, beside
chance and beside taking the best sentence for each.

Example:
  mmc4 demo --out mmc4-demo`
}

func (c *demoCmd) Run(ctx context.Context, o *output) error {
	words := o.out
	if c.JSON {
		words = o.err
	}
	result, err := demo.Run(ctx, demo.RunOptions{Dir: c.Out, Run: c.To, Seed: c.Seed, Pages: c.Pages}, func(ctx context.Context, b demo.Build) error {
		return c.build(ctx, o, b)
	}, words)
	if err != nil || !c.JSON {
		return err
	}
	return o.record(true, result, "")
}

func (c *demoCmd) build(ctx context.Context, o *output, b demo.Build) error {
	model, dev, err := openCLIP(ctx, "demo", c.Device, clip.Options{DType: kernels.F32})
	if err != nil {
		return err
	}
	defer dev.Close()
	defer model.Close()
	cfg := pipeline.Config{C4: b.C4, WAT: b.WAT, Out: b.Out, Settings: pipeline.DefaultSettings(), ClipName: "demo",
		Version: version, Fetch: fetch.Options{Contact: b.Contact}}
	if cfg.Embedder, err = pipeline.NewEmbedder(model, dev, kernels.F32); err != nil {
		return err
	}
	for _, rule := range b.ConnectTo {
		r, err := fetch.ParseConnectTo(rule)
		if err != nil {
			return err
		}
		cfg.Fetch.ConnectTo = append(cfg.Fetch.ConnectTo, r)
	}
	return build(ctx, &output{out: o.err, err: o.err}, false, cfg)
}
