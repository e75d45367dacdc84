package conformance

import (
	"context"
	"encoding/json"
	"strings"

	"mmc4/kernels"
	"mmc4/models/flamingo"
	"mmc4/models/lm/params"
)

func init() {
	register("flamingo_mini.forward", checkMini)
	register("flamingo_pytorch.perceiver", checkPart)
	register("flamingo_pytorch.gated_xattn", checkPart)
}

// checkMini is flamingo.forward for flamingo-mini's model; where text sees images is given.
func checkMini(_ context.Context, env *Env, c *Case, r *Report) error {
	var in struct{ Config json.RawMessage }
	if err := c.Decode(&in); err != nil {
		return err
	}
	config, err := flamingo.ParseMini(in.Config)
	if err != nil {
		return err
	}
	f := &flamingoCase{env: env, c: c, r: r, dump: env.DumpOf(c)}
	if f.file, err = c.Tensors(); err != nil {
		return err
	}
	defer f.close()
	if err := f.open(config, flamingo.Options{Train: true}); err != nil {
		return err
	}
	marks, err := idRows(f.file, "in.media_locations")
	if err != nil {
		return err
	}
	return f.forward("in.pixel_values", "in.input_ids", "", "out.visual_features", textTimes(marks))
}

// textTimes counts marks 0/1 along rows.
func textTimes(marks [][]int64) []int32 {
	var ids []int32
	for _, row := range marks {
		for _, mark := range row {
			ids = append(ids, int32(mark))
		}
	}
	return flamingo.TextTimes(ids, len(marks), 1)
}

// checkPart is one module of flamingo-pytorch, forward and back from a given gradient.
func checkPart(_ context.Context, env *Env, c *Case, r *Report) error {
	var in struct {
		Config struct {
			Depth     int   `json:"depth"`
			HeadDim   int   `json:"dim_head"`
			Heads     int   `json:"heads"`
			Latents   int   `json:"num_latents"`
			Media     int   `json:"num_media_embeds"`
			FFMult    int   `json:"ff_mult"`
			Immediate *bool `json:"only_attend_immediate_media"`
		}
	}
	in.Config.HeadDim, in.Config.Heads, in.Config.Latents, in.Config.Media, in.Config.FFMult = 64, 8, 64, 4, 4
	if err := c.Decode(&in); err != nil {
		return err
	}
	file, err := c.Tensors()
	if err != nil {
		return err
	}
	defer file.Close()
	dev, _, activations, err := env.Compute()
	if err != nil {
		return err
	}
	defer dev.Close()
	queue, err := dev.NewQueue()
	if err != nil {
		return err
	}
	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: activations, Grad: true})
	inputs := map[string]kernels.Tensor{}
	for _, name := range []string{"x", "media", "cotangent"} {
		if name == "media" && !file.Has("in.media") {
			continue
		}
		values, shape, err := floats(file, "in."+name)
		if err != nil {
			return err
		}
		inputs[name] = pass.Track(pass.FromFloat32(values, shape...))
	}
	x, cfg := inputs["x"], in.Config
	width := x.Dim(-1)
	l := &params.Loader{Device: dev, Queue: queue, Source: params.At(file, "w."), DType: kernels.F32}
	var forward func() kernels.Tensor
	if c.Kind == "flamingo_pytorch.perceiver" {
		part := flamingo.NewPerceiver(l, flamingo.FlamingoPytorch, width, flamingo.PerceiverConfig{Depth: cfg.Depth, Heads: cfg.Heads, HeadDim: cfg.HeadDim,
			Latents: cfg.Latents, FFMult: cfg.FFMult, Act: kernels.GELU, MaxMedia: cfg.Media})
		forward = func() kernels.Tensor {
			slots := make([]int32, x.Dims[0]*x.Dims[1])
			for i := range slots {
				slots[i] = int32(i % x.Dims[1])
			}
			return part.Apply(pass, x.Reshape(x.Dims[0]*x.Dims[1], x.Dims[2], width), 1, slots)
		}
	} else {
		marks, err := idRows(file, "in.media_locations")
		if err != nil {
			return err
		}
		part := flamingo.NewGatedBlock(l, flamingo.FlamingoPytorch, width, inputs["media"].Dim(-1),
			flamingo.XAttnConfig{Heads: cfg.Heads, HeadDim: cfg.HeadDim, FFMult: cfg.FFMult, Act: kernels.GELU}, cfg.Immediate != nil && !*cfg.Immediate)
		forward = func() kernels.Tensor { return part.Apply(pass, x, inputs["media"], textTimes(marks)) }
	}
	if err := l.Err(); err != nil {
		return err
	}
	if err := params.Train(dev, queue, activations == kernels.BF16, l.Weights...); err != nil {
		return err
	}
	y := forward()
	pass.BackwardFrom(y, inputs["cotangent"].Reshape(y.Shape()...))
	dump := env.DumpOf(c)
	if err := compareTensor(env, c, r, dump, pass, file, "out.y", y); err != nil {
		return err
	}
	for _, name := range file.Names() {
		if input, ok := strings.CutPrefix(name, "gradin."); ok {
			if err := compareTensor(env, c, r, dump, pass, file, name, pass.Grad(inputs[input])); err != nil {
				return err
			}
		}
	}
	if err := compareGrads(env, c, r, dump, pass, file, "", l.Weights); err != nil {
		return err
	}
	return dump.Close()
}
