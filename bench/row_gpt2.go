package bench

// A GPT-2 of 125 million weights: reading a prompt, and decoding at batch 1. Weights are random, of true size.

import (
	"context"
	"errors"
	"fmt"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/lm"
	"mmc4/models/weights"
)

// The peer's best of fp32 and bf16 counts; both are measured.
var gpt2Rows = []Row{
	gpt2Row("prompt", 512, 0, kernels.F32), gpt2Row("prompt", 512, 0, kernels.BF16),
	gpt2Row("decode", 128, 32, kernels.F32), gpt2Row("decode", 128, 32, kernels.BF16),
	gpt2TrainRow,
}

const gpt2Config = `{"model_type":"gpt2","architectures":["GPT2LMHeadModel"],"n_embd":768,"n_layer":12,"n_head":12,"n_positions":1024,
"n_ctx":1024,"vocab_size":50257,"activation_function":"gelu_new","layer_norm_epsilon":1e-05,"tie_word_embeddings":true,
"resid_pdrop":0.0,"embd_pdrop":0.0,"attn_pdrop":0.0}`

func gpt2Tensors() []randomTensor {
	const d = 768
	norm := func(name string) []randomTensor {
		return []randomTensor{{name + ".weight", 1, 0.1, []int{d}}, {name + ".bias", 0, 0.1, []int{d}}}
	}
	linear := func(name string, in, out int) []randomTensor {
		return []randomTensor{{name + ".weight", 0, 0.04, []int{in, out}}, {name + ".bias", 0, 0.05, []int{out}}}
	}
	list := []randomTensor{{"transformer.wte.weight", 0, 0.1, []int{50257, d}}, {"transformer.wpe.weight", 0, 0.05, []int{1024, d}}}
	for i := range 12 {
		p := fmt.Sprintf("transformer.h.%d.", i)
		list = append(append(list, norm(p+"ln_1")...), norm(p+"ln_2")...)
		list = append(append(list, linear(p+"attn.c_attn", d, 3*d)...), linear(p+"attn.c_proj", d, d)...)
		list = append(append(list, linear(p+"mlp.c_fc", d, 4*d)...), linear(p+"mlp.c_proj", 4*d, d)...)
	}
	return append(list, norm("transformer.ln_f")...)
}

func gpt2Row(task string, prompt, steps int, dtype kernels.DType) Row {
	kind, torchKind, limit := "fp32", "float32", 1e-4
	if dtype == kernels.BF16 {
		kind, torchKind, limit = "bf16", "bfloat16", 5e-2
	}
	input, tokens := fmt.Sprintf("GPT-2 125M, a prompt of %d tokens", prompt), prompt
	if steps > 0 {
		input, tokens = fmt.Sprintf("GPT-2 125M, %d tokens one by one after %d", steps, prompt), steps
	}
	return Row{Name: "gpt2." + task + "-" + kind, Input: input, Peer: "torch " + torchKind, Bar: 1,
		Open: func(ctx context.Context, lab *Lab) (*Contest, error) {
			path, err := writeWeights(lab, "gpt2", "gpt2.safetensors", gpt2Tensors())
			if err != nil {
				return nil, err
			}
			config, err := lab.Write("config.json", []byte(gpt2Config))
			if err != nil {
				return nil, err
			}
			ids := make([]int32, prompt+steps)
			rng := lab.Rand("ids")
			for i := range ids {
				ids[i] = rng.Int32N(50257)
			}
			peer, err := lab.Python("gpt2_peer.py", args{"weights": path, "config": config, "dtype": torchKind, "prompt": ids[:prompt], "continuation": ids[prompt:]})
			if err != nil {
				return nil, err
			}
			g, err := newGPT2(ctx, path, dtype, ids, prompt)
			if err != nil {
				return nil, errors.Join(err, peer.Close())
			}
			agree := func() (string, error) {
				data, err := peer.Output(lab)
				if err != nil {
					return "", err
				}
				if err := g.run(); err != nil {
					return "", err
				}
				return closeTo(g.logits, kernels.DecodeFloats(kernels.F32, data), limit)
			}
			return &Contest{Unit: "tokens/s", Work: float64(tokens), Ours: self{version: kind, run: g.run, close: g.close}, Theirs: peer, Agree: agree}, nil
		}}
}

// gpt2 is our model with what it is to read.
type gpt2 struct {
	dev    kernels.Device
	file   *weights.File
	model  *lm.Model
	pass   *kernels.Pass
	cache  *lm.Cache // nil: the prompt alone is read
	ids    []int32
	prompt int
	logits []float32 // after the last id
}

func newGPT2(ctx context.Context, path string, dtype kernels.DType, ids []int32, prompt int) (*gpt2, error) {
	dev, err := device.Open("cpu")
	if err != nil {
		return nil, Unavailable{err.Error()}
	}
	queue, err := dev.NewQueue()
	if err != nil {
		return nil, err
	}
	file, err := weights.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	config, err := lm.ParseConfig([]byte(gpt2Config))
	if err != nil {
		return nil, err
	}
	model, err := lm.New(dev, queue, lm.Files(config, file), config, lm.Options{DType: dtype})
	if err == nil {
		err = model.Freeze(dev, queue, false)
	}
	if err != nil {
		return nil, err
	}
	g := &gpt2{dev: dev, file: file, model: model, ids: ids, prompt: prompt}
	g.pass = kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: dtype})
	if len(ids) > prompt {
		if g.cache, err = model.NewCache(dev, 1, len(ids), dtype); err == nil {
			err = g.read(ids[:prompt])
		}
	}
	return g, err
}

// read reads ids and keeps the logits after the last.
func (g *gpt2) read(ids []int32) (err error) {
	g.pass.Reset()
	x := g.model.Hidden(g.pass, lm.Input{IDs: ids, Rows: 1, Cache: g.cache})
	last := g.pass.Contiguous(x.Slice(1, len(ids)-1, len(ids)))
	g.logits, err = g.pass.Float32(g.model.Logits(g.pass, last.Reshape(1, g.model.Config.Width)))
	return err
}

func (g *gpt2) run() error {
	if g.cache == nil {
		return g.read(g.ids)
	}
	g.cache.Truncate(g.prompt)
	for i := g.prompt; i < len(g.ids); i++ {
		if err := g.read(g.ids[i : i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (g *gpt2) close() error {
	if g.cache != nil {
		g.cache.Free()
	}
	g.pass.Arena().Free()
	g.model.Free()
	return errors.Join(g.file.Close(), g.dev.Close())
}
