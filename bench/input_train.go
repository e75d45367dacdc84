package bench

// A Flamingo of true size and documents for it: random weights in three files, batches of ids, labels and pictures.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/flamingo/visual"
	"mmc4/models/lm"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
	"mmc4/train"
	"mmc4/train/data"
)

const optConfig = `{"model_type":"opt","architectures":["OPTForCausalLM"],"vocab_size":50267,"hidden_size":768,"ffn_dim":3072,"num_hidden_layers":12,
"num_attention_heads":12,"max_position_embeddings":2048,"word_embed_proj_dim":768,"do_layer_norm_before":true,"activation_function":"relu",
"tie_word_embeddings":true,"pad_token_id":1,"bos_token_id":2,"eos_token_id":2}`

const trainConfig = `{"vision":{"embed_dim":512,"vision_cfg":{"image_size":224,"layers":12,"width":768,"patch_size":32}},"lm":` + optConfig + `,
"cross_attn_every_n_layers":1,"media_token_id":50266,"eoc_token_id":50265,"pad_token_id":1}`

// training is what both sides learn from.
type training struct {
	config     flamingo.Config
	preprocess clip.Preprocess
	batches    []*data.Batch
	lossTokens int // of a batch
}

// writeTraining draws it from the lab's seed and puts it into the scratch folder.
func writeTraining(lab *Lab, config string) (*training, error) {
	c, err := flamingo.ParseConfig([]byte(config))
	if err != nil {
		return nil, err
	}
	plan := flamingo.Plan(c)
	for name, list := range map[string][]randomTensor{
		"vision.safetensors":   vitTensors(768, 12, 32, 512),
		"lm.safetensors":       drawnAs(lm.Plan(c.LM)),
		"flamingo.safetensors": drawnAs(append(plan.Gated, plan.Resampler...)),
	} {
		if _, err := writeWeights(lab, name, name, list); err != nil {
			return nil, err
		}
	}
	t := &training{config: c, preprocess: clip.OpenAIPreprocess(224)}
	rng := lab.Rand("documents")
	var ids, labels []int32
	pictures, err := os.Create(lab.Path("pictures.u8"))
	if err != nil {
		return nil, err
	}
	defer pictures.Close()
	for range trainBatches {
		samples := make([]*data.Sample, docRows)
		for i := range samples {
			s := &data.Sample{ID: fmt.Sprint(i)}
			for k := range docTokens {
				id := 4 + rng.Int32N(50000)
				switch chunk := docTokens / docPictures; { // text before the first picture has no loss
				case k == 0:
					id = 2
				case k%chunk == 40:
					id = int32(c.Media)
				case k%chunk == 39 && k > chunk || k == docTokens-1:
					id = int32(c.EOC)
				}
				s.IDs = append(s.IDs, id)
			}
			s.Labels = data.InterleavedLabels(s.IDs, int32(c.Media), int32(c.EOC), int32(c.Pad))
			for range docPictures {
				m := drawPhoto(rng, 224, 224)
				s.Images = append(s.Images, data.Picture{Square: m})
				if _, err := pictures.Write(m.Pix); err != nil {
					return nil, err
				}
			}
			samples[i] = s
		}
		b := data.NewBatch(samples, int32(c.Pad), 0, 0)
		t.batches, t.lossTokens = append(t.batches, b), b.LossTokens
		ids, labels = append(ids, b.IDs...), append(labels, b.Labels...)
	}
	_, err = lab.Write("ids.i32", kernels.EncodeInts(ids))
	if err == nil {
		_, err = lab.Write("labels.i32", kernels.EncodeInts(labels))
	}
	if err == nil {
		_, err = lab.Write("lm.json", []byte(optConfig))
	}
	return t, errors.Join(err, pictures.Close())
}

// drawnAs gives weights deviations of a trained model's order of size; gates stand half open, so that pictures count.
func drawnAs(ws []*params.Weight) (list []randomTensor) {
	for _, w := range ws {
		t := randomTensor{name: w.Name, shape: w.Shape}
		switch {
		case strings.HasSuffix(w.Name, "gate"):
			t.mean = 0.5
		case strings.HasSuffix(w.Name, "latents"):
			t.std = 1
		case strings.Contains(w.Name, "embed"):
			t.std = 0.05
		case len(w.Shape) > 1:
			t.std = float32(0.6 / math.Sqrt(float64(w.Shape[1])))
		case strings.HasSuffix(w.Name, "bias"):
			t.std = 0.05
		default:
			t.mean, t.std = 1, 0.1
		}
		list = append(list, t)
	}
	return list
}

// trainer is our side: the trainer's own step.
type trainer struct {
	dev     kernels.Device
	files   []*weights.File
	stepper *train.Stepper
	tokens  *visual.Store
	batches []*data.Batch
	at      int
	loss    float64
}

func newTrainer(ctx context.Context, lab *Lab, shape *training, kept bool) (*trainer, error) {
	dev, err := device.Open("cpu")
	if err != nil {
		return nil, Unavailable{err.Error()}
	}
	return newTrainerOn(ctx, dev, lab, shape, kept)
}

func newTrainerOn(ctx context.Context, dev kernels.Device, lab *Lab, shape *training, kept bool) (*trainer, error) {
	queue, err := dev.NewQueue()
	if err != nil {
		return nil, err
	}
	t := &trainer{dev: dev, batches: shape.batches}
	for _, name := range []string{"vision", "lm", "flamingo"} {
		file, err := weights.Open(ctx, lab.Path(name+".safetensors"))
		if err != nil {
			return nil, err
		}
		t.files = append(t.files, file)
	}
	m, err := flamingo.New(dev, queue, shape.config, flamingo.Sources{Vision: t.files[0], LM: t.files[1], Flamingo: t.files[2]}, flamingo.Options{Train: true, Rows: true})
	if err == nil {
		err = m.Freeze(dev, queue, true)
	}
	if err != nil {
		return nil, err
	}
	task := &train.Flamingo{Model: m, Preprocess: shape.preprocess, Decay: trainAdamW.Decay}
	if kept {
		k := visual.Kind{Tokens: shape.config.Tokens(), Width: shape.config.Vision.Width, DType: kernels.F32}
		if k.Fingerprint, err = visual.Fingerprint(ctx, t.files[0], shape.config.Vision, shape.preprocess, false, kernels.F32); err != nil {
			return nil, err
		}
		if t.tokens, err = visual.Open(ctx, lab.Path("tokens"), k); err != nil {
			return nil, err
		}
		task.Visual = &train.Visual{Model: m, Store: t.tokens, Kind: k}
	}
	opt, err := train.NewOptimizer(dev, queue, trainAdamW, task.Groups())
	if err != nil {
		return nil, err
	}
	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{Grad: true})
	t.stepper = &train.Stepper{Task: task, Optimizer: opt, Schedule: train.Schedule{Kind: "constant", Warmup: trainWarmup}, Pass: pass, Streams: 1}
	return t, nil
}

// step learns from the next batch.
func (t *trainer) step() error {
	r, err := t.stepper.Step([]train.Part{{Weight: 1, Batch: t.batches[t.at%len(t.batches)]}})
	if err != nil {
		return err
	}
	t.at++
	if t.loss = r.Losses[0]; r.Skipped != "" {
		return errors.New(r.Skipped)
	}
	if t.tokens != nil && t.at == len(t.batches) { // all pictures were seen: from here on tokens are read
		return t.tokens.Flush(context.Background())
	}
	return nil
}

func (t *trainer) close() error {
	t.stepper.Pass.Arena().Free()
	var errs []error
	if t.tokens != nil {
		errs = append(errs, t.tokens.Close())
	}
	for _, f := range t.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(append(errs, t.dev.Close())...)
}
