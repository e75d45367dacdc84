package conformance

import (
	"context"
	"os"
	"strings"

	"mmc4/kernels"
	"mmc4/models/lm"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
)

func init() { register("lm.forward", checkLM) }

// checkLM computes logits of both paddings, the loss, and the gradient of every weight.
func checkLM(_ context.Context, env *Env, c *Case, r *Report) error {
	text, err := os.ReadFile(c.Path("config.json"))
	if err != nil {
		return err
	}
	config, err := lm.ParseConfig(text)
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
	model, err := lm.New(dev, queue, lm.Files(config, file), config, lm.Options{DType: matrices})
	if err != nil {
		return err
	}
	train := matrices != kernels.I8
	if train {
		err = params.Train(dev, queue, matrices == kernels.BF16, model.Weights...)
	} else {
		err = model.Freeze(dev, queue, false)
	}
	if err != nil {
		return err
	}
	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: activations, Grad: train})
	dump := env.DumpOf(c)
	for _, side := range []string{"left", "right"} {
		in, err := textInput(file, "in.input_ids_"+side, "in.attention_mask_"+side)
		if err != nil {
			return err
		}
		pass.Reset()
		hidden := model.Hidden(pass, in)
		logits := model.Logits(pass, hidden)
		if err := compareShown(env, c, r, dump, pass, file, "out.logits_"+side, logits, in.Mask); err != nil {
			return err
		}
		if side == "left" || !train {
			continue
		}
		labels, err := ids32(file, "in.labels")
		if err != nil {
			return err
		}
		loss, _ := model.Loss(pass, hidden, labels)
		pass.Backward(loss, 1)
		if err := compareTensor(env, c, r, dump, pass, file, "out.loss", loss); err != nil {
			return err
		}
		if err := compareGrads(env, c, r, dump, pass, file, "", model.Weights); err != nil {
			return err
		}
	}
	return dump.Close()
}

// textInput reads ids and their mask.
func textInput(file *weights.File, ids, mask string) (lm.Input, error) {
	var in lm.Input
	t, err := file.Want(ids, -1, -1)
	if err != nil {
		return in, err
	}
	if in.IDs, err = ids32(file, ids); err != nil {
		return in, err
	}
	shown, err := file.Int64(mask)
	if err != nil {
		return in, err
	}
	for _, v := range shown {
		in.Mask = append(in.Mask, byte(v))
	}
	in.Rows = t.Shape[0]
	return in, nil
}

func ids32(file *weights.File, name string) ([]int32, error) {
	wide, err := file.Int64(name)
	ids := make([]int32, len(wide))
	for i, v := range wide {
		ids[i] = int32(v)
	}
	return ids, err
}

// compareShown compares logits [B,T,V] where the mask shows tokens.
func compareShown(env *Env, c *Case, r *Report, dump *Dump, pass *kernels.Pass, file *weights.File, name string, logits kernels.Tensor, mask []byte) error {
	values, err := pass.Float32(logits)
	if err != nil {
		return err
	}
	vocab := logits.Dim(-1)
	for i, shown := range mask {
		if shown == 0 {
			clear(values[i*vocab : (i+1)*vocab])
		}
	}
	want, err := file.Float32(name)
	if err != nil {
		return err
	}
	dump.Float32(name, values, logits.Shape()...)
	r.Tensor(env, c, name, values, want)
	return nil
}

// compareTensor compares a tensor of the pass with the case's.
func compareTensor(env *Env, c *Case, r *Report, dump *Dump, pass *kernels.Pass, file *weights.File, name string, t kernels.Tensor) error {
	want, err := file.Float32(name)
	if err != nil {
		return err
	}
	values, err := pass.Float32(t)
	if err != nil {
		return err
	}
	dump.Float32(name, values, t.Shape()...)
	r.Tensor(env, c, name, values, want)
	return nil
}

// compareGrads compares the gradients that the case has with those of weights called prefix + name. A gradient that no
// weight has is a failure. In bf16 they are compared all together: single ones may cancel out (OPT's key biases are zero but for
// rounding) or hang on one ReLU of a tiny model.
func compareGrads(env *Env, c *Case, r *Report, dump *Dump, pass *kernels.Pass, file *weights.File, prefix string, ws []*params.Weight) error {
	var allGot, allWant []float32
	of := map[string]*params.Weight{}
	for _, w := range ws {
		of[prefix+w.Name] = w
	}
	for _, name := range file.Names() {
		rest, ok := strings.CutPrefix(name, "grad.")
		if !ok {
			continue
		}
		w := of[rest]
		if w == nil {
			r.Failf("%s: this build has no such weight", name)
			continue
		}
		want, err := file.Float32(name)
		if err != nil {
			return err
		}
		got, err := w.Grads(pass)
		if err != nil {
			return err
		}
		dump.Float32(name, got, w.Shape...)
		if env.DType == "bf16" {
			allGot, allWant = append(allGot, got...), append(allWant, want...)
			continue
		}
		r.Tensor(env, c, name, got, want)
	}
	if allWant != nil {
		r.Tensor(env, c, "grad of all weights", allGot, allWant)
	}
	return nil
}
