package conformance

import (
	"context"
	"encoding/json"

	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/lm/params"
	"mmc4/train"
	"mmc4/train/data"
)

func init() { register("clip.train", checkClipTrain) }

// clipBatch gives the case's one batch to the trainer's task.
type clipBatch struct {
	*train.Contrastive
	pixels []float32
	shape  []int
	rows   [][]int64
}

func (b *clipBatch) Loss(p *kernels.Pass, _ int, _ *data.Batch) kernels.Tensor {
	loss, _, _ := b.LossOf(p, p.FromFloat32(b.pixels, b.shape...), b.rows)
	return loss
}

func (b *clipBatch) Share(*data.Batch) int { return len(b.rows) }

// checkClipTrain computes the loss and its gradients, then steps on the same batch.
func checkClipTrain(_ context.Context, env *Env, c *Case, r *Report) error {
	var in struct {
		Config json.RawMessage `json:"config"`
	}
	var steps struct {
		Steps     int `json:"steps"`
		Optimizer struct {
			LR    float64 `json:"lr"`
			Beta1 float64 `json:"beta1"`
			Beta2 float64 `json:"beta2"`
			Eps   float64 `json:"eps"`
			Decay float64 `json:"weight_decay"`
		} `json:"optimizer"`
	}
	if err := c.Decode(&in); err != nil {
		return err
	}
	if err := json.Unmarshal(in.Config, &steps); err != nil {
		return err
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
	dev, _, activations, err := env.Compute()
	if err != nil {
		return err
	}
	defer dev.Close()
	queue, err := dev.NewQueue()
	if err != nil {
		return err
	}
	vision, err := clip.NewVision(dev, queue, file, config.Vision, config.EmbedDim, kernels.F32)
	if err != nil {
		return err
	}
	text, err := clip.NewText(dev, queue, file, config.Text, config.EmbedDim, kernels.F32)
	if err != nil {
		return err
	}
	scale, err := file.Float32("w.logit_scale")
	if err != nil {
		return err
	}
	task, err := train.NewContrastive(dev, queue, vision, text, scale[0], activations == kernels.BF16, steps.Optimizer.Decay)
	if err != nil {
		return err
	}
	batch := &clipBatch{Contrastive: task}
	if batch.pixels, batch.shape, err = floats(file, "in.pixels"); err != nil {
		return err
	}
	if batch.rows, err = idRows(file, "in.ids"); err != nil {
		return err
	}
	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: activations, Grad: true})
	dump := env.DumpOf(c)
	loss, images, texts := task.LossOf(pass, pass.FromFloat32(batch.pixels, batch.shape...), batch.rows)
	pass.Backward(loss, 1)
	for name, t := range map[string]kernels.Tensor{"out.loss": loss, "out.image_features": images, "out.text_features": texts} {
		if err := compareTensor(env, c, r, dump, pass, file, name, t); err != nil {
			return err
		}
	}
	var all []*params.Weight
	for _, g := range task.Groups() {
		all = append(all, g.Weights...)
	}
	if err := compareGrads(env, c, r, dump, pass, file, "", all); err != nil {
		return err
	}
	opt, err := train.NewOptimizer(dev, queue, train.AdamW{LR: steps.Optimizer.LR, Beta1: steps.Optimizer.Beta1, Beta2: steps.Optimizer.Beta2,
		Eps: steps.Optimizer.Eps}, task.Groups())
	if err != nil {
		return err
	}
	stepper := &train.Stepper{Task: batch, Optimizer: opt, Schedule: train.Schedule{Kind: "constant"}, Pass: pass, Streams: 1}
	one := []train.Part{{Weight: 1, Batch: &data.Batch{Rows: len(batch.rows)}}}
	var losses, scales []float32
	for i := range steps.Steps + 1 {
		v, err := pass.Float32(task.LogitScale.Value)
		if err != nil {
			return err
		}
		scales = append(scales, v[0])
		if i == steps.Steps {
			pass.Reset()
			v, err := pass.Float32(batch.Loss(pass, 0, nil))
			if err != nil {
				return err
			}
			losses = append(losses, v[0])
			break
		}
		result, err := stepper.Step(one)
		if err != nil {
			return err
		}
		losses = append(losses, float32(result.Losses[0]))
	}
	for name, got := range map[string][]float32{"out.losses": losses, "out.logit_scales": scales} {
		want, err := file.Float32(name)
		if err != nil {
			return err
		}
		dump.Float32(name, got, len(got))
		r.Tensor(env, c, name, got, want)
	}
	return compareFinals(env, c, r, dump, pass, file, all)
}
