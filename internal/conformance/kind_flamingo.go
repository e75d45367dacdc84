package conformance

import (
	"context"
	"encoding/json"

	"mmc4/kernels"
	"mmc4/models/flamingo"
	"mmc4/models/weights"
)

func init() { register("flamingo.forward", checkFlamingo) }

// flamingoCase is a case's model on its device, ready to compute.
type flamingoCase struct {
	env   *Env
	c     *Case
	r     *Report
	dump  *Dump
	file  *weights.File
	dev   kernels.Device
	pass  *kernels.Pass
	model *flamingo.Model
	train bool
}

// openFlamingo makes the model of a case. Trained models keep a tape; the others are frozen.
func openFlamingo(env *Env, c *Case, r *Report, o flamingo.Options) (*flamingoCase, error) {
	var in struct{ Config json.RawMessage }
	if err := c.Decode(&in); err != nil {
		return nil, err
	}
	config, err := flamingo.ParseConfig(in.Config)
	if err != nil {
		return nil, err
	}
	f := &flamingoCase{env: env, c: c, r: r, dump: env.DumpOf(c)}
	if f.file, err = c.Tensors(); err != nil {
		return nil, err
	}
	return f, f.open(config, o)
}

func (f *flamingoCase) open(config flamingo.Config, o flamingo.Options) error {
	dev, matrices, activations, err := f.env.Compute()
	if err != nil {
		return err
	}
	f.dev, f.train = dev, o.Train && matrices != kernels.I8
	o.DType, o.Train, o.BF16 = matrices, f.train, matrices == kernels.BF16
	queue, err := dev.NewQueue()
	if err != nil {
		return err
	}
	f.model, err = flamingo.New(dev, queue, config, flamingo.Sources{Vision: f.file, LM: f.file, Flamingo: f.file}, o)
	if err != nil {
		return err
	}
	if !f.train {
		if err := f.model.Freeze(dev, queue, false); err != nil {
			return err
		}
	}
	f.pass = kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: activations, Grad: f.train})
	return nil
}

func (f *flamingoCase) close() {
	if f.dev != nil {
		f.dev.Close()
	}
	f.file.Close()
}

// pictures uploads in.vision_x [B,S,F,3,H,W]: every slot has its image, zeros too, as the reference encodes them.
func (f *flamingoCase) pictures(name string) (pixels kernels.Tensor, frames, rows int, slots []int32, err error) {
	values, shape, err := floats(f.file, name)
	if err != nil {
		return
	}
	if len(shape) == 5 { // without frames
		shape = []int{shape[0], shape[1], 1, shape[2], shape[3], shape[4]}
	}
	slots = make([]int32, shape[0]*shape[1])
	for i := range slots {
		slots[i] = int32(i)
	}
	return f.pass.FromFloat32(values, shape[0]*shape[1]*shape[2], shape[3], shape[4], shape[5]), shape[2], shape[0], slots, nil
}

func (f *flamingoCase) compare(name string, t kernels.Tensor) error {
	return compareTensor(f.env, f.c, f.r, f.dump, f.pass, f.file, name, t)
}

// checkFlamingo computes patch tokens, latents, logits, the loss and the gradients of what is trained.
func checkFlamingo(_ context.Context, env *Env, c *Case, r *Report) error {
	f, err := openFlamingo(env, c, r, flamingo.Options{Train: true})
	if err != nil {
		return err
	}
	defer f.close()
	return f.forward("in.vision_x", "in.lang_x", "out.patch_tokens", "out.perceiver", nil)
}

// forward is one training step of a case. times are the text times, nil to count markers.
func (f *flamingoCase) forward(vision, text, tokens, latents string, times []int32) error {
	pixels, frames, rows, slots, err := f.pictures(vision)
	if err != nil {
		return err
	}
	patches := f.pass.Contiguous(f.model.Patches(f.pass, pixels))
	images := patches.Dims[0] / frames
	media := f.model.Resample(f.pass, patches.Reshape(images, frames*patches.Dims[1], patches.Dims[2]), frames, rows, slots)
	in, err := textInput(f.file, text, "in.attention_mask")
	if err != nil {
		return err
	}
	hidden := f.model.Hidden(f.pass, in, media, times)
	if f.file.Has(tokens) {
		if err := f.compare(tokens, patches); err != nil {
			return err
		}
	}
	if err := f.compare(latents, media.Latents); err != nil {
		return err
	}
	if err := compareShown(f.env, f.c, f.r, f.dump, f.pass, f.file, "out.logits", f.model.Logits(f.pass, hidden), in.Mask); err != nil {
		return err
	}
	if f.train {
		labels, err := ids32(f.file, "in.labels")
		if err != nil {
			return err
		}
		loss, _ := f.model.Loss(f.pass, hidden, labels)
		f.pass.Backward(loss, 1)
		if err := f.compare("out.loss", loss); err != nil {
			return err
		}
		if err := compareGrads(f.env, f.c, f.r, f.dump, f.pass, f.file, "", f.model.Trained()); err != nil {
			return err
		}
	}
	return f.dump.Close()
}
