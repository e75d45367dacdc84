package conformance

import (
	"context"
	"encoding/json"
	"os"

	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/weights"
)

func init() {
	register("clip.image", checkClip)
	register("clip.text", checkClip)
	register("clip.hf", checkClip)
}

// checkClip computes whatever outputs a case of open_clip or Hugging Face has.
func checkClip(_ context.Context, env *Env, c *Case, r *Report) error {
	var in struct{ Config json.RawMessage }
	if err := c.Decode(&in); err != nil {
		return err
	}
	if c.Kind == "clip.hf" {
		var err error
		if in.Config, err = os.ReadFile(c.Path("config.json")); err != nil {
			return err
		}
	}
	config, err := clip.ParseConfig(in.Config)
	if err != nil {
		return err
	}
	file, err := c.Tensors()
	if err != nil {
		return err
	}
	defer file.Close()
	dev, matrices, activations, err := env.Compute()
	if err != nil {
		return err
	}
	defer dev.Close()
	queue, err := dev.NewQueue()
	if err != nil {
		return err
	}
	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: activations})
	got := map[string]kernels.Tensor{}
	if file.Has("in.pixels") {
		tower, err := clip.NewVision(dev, queue, file, config.Vision, config.EmbedDim, matrices)
		if err != nil {
			return err
		}
		if err := tower.Freeze(); err != nil {
			return err
		}
		pixels, shape, err := floats(file, "in.pixels")
		if err != nil {
			return err
		}
		features, patches := tower.Both(pass, pass.FromFloat32(pixels, shape...))
		got["out.patch_tokens"] = patches
		got["out.features"], got["out.image_features"] = features, features
		got["out.features_norm"], got["out.image_embeds"] = pass.L2Norm(features), pass.L2Norm(features)
	}
	if file.Has("in.ids") {
		tower, err := clip.NewText(dev, queue, file, config.Text, config.EmbedDim, matrices)
		if err != nil {
			return err
		}
		if err := tower.Freeze(); err != nil {
			return err
		}
		rows, err := idRows(file, "in.ids")
		if err != nil {
			return err
		}
		features := tower.Features(pass, rows)
		if c.Kind == "clip.text" {
			got["out.features"], got["out.features_norm"] = features, pass.L2Norm(features)
		} else {
			got["out.text_features"], got["out.text_embeds"] = features, pass.L2Norm(features)
			scale, err := file.Float32("w.logit_scale")
			if err != nil {
				return err
			}
			logits := pass.MatMul(got["out.image_embeds"], got["out.text_embeds"], false, true, 1, kernels.F32)
			got["out.logits_per_image"] = pass.ScaleBy(logits, pass.Upload(kernels.F32, kernels.EncodeFloats(kernels.F32, scale), 1), true)
		}
	}
	dump := env.DumpOf(c)
	for _, name := range file.Names() {
		if len(name) < 4 || name[:4] != "out." {
			continue
		}
		want, err := file.Float32(name)
		if err != nil {
			return err
		}
		tensor, ok := got[name]
		if !ok {
			r.Failf("%s: this build does not compute it", name)
			continue
		}
		values, err := pass.Float32(tensor)
		if err != nil {
			return err
		}
		dump.Float32(name, values, tensor.Shape()...)
		if env.DType == "int8" && name == "out.logits_per_image" {
			continue // int8 is held to the cosine of features; logits are differences of products of them
		}
		r.Tensor(env, c, name, values, want)
	}
	return dump.Close()
}

// floats gives an input's elements and shape.
func floats(file *weights.File, name string) ([]float32, []int, error) {
	t, err := file.Tensor(name)
	if err != nil {
		return nil, nil, err
	}
	v, err := t.Float32()
	return v, t.Shape, err
}

// idRows gives an input of ids [rows, length].
func idRows(file *weights.File, name string) ([][]int64, error) {
	t, err := file.Want(name, -1, -1)
	if err != nil {
		return nil, err
	}
	flat, err := t.Int64()
	if err != nil {
		return nil, err
	}
	rows := make([][]int64, t.Shape[0])
	for i := range rows {
		rows[i] = flat[i*t.Shape[1] : (i+1)*t.Shape[1]]
	}
	return rows, nil
}
