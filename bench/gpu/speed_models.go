package gpu

// Models of true size: the image tower at batch 256, a step of a Flamingo, greedy decoding.

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"

	"mmc4/internal/imaging"
	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/lm"
	"mmc4/models/weights"
	"mmc4/train"
	"mmc4/train/data"
)

// shapes are the models of a size: OpenFlamingo-4B's (configs/openflamingo-4b.yaml), or one like it that a test can bear.
var shapes = map[string]string{
	"true": `{"vision": {"embed_dim": 768, "quick_gelu": true, "vision_cfg": {"layers": 24, "width": 1024, "head_width": 64, "patch_size": 14, "image_size": 224}},
"lm": {"model_type": "gpt_neox", "hidden_size": 2560, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 10240, "rotary_pct": 1.0,
 "use_parallel_residual": false, "max_position_embeddings": 2048, "layer_norm_eps": 1e-5, "vocab_size": 50280},
"cross_attn_every_n_layers": 2, "media_token_id": 50278, "eoc_token_id": 50277, "pad_token_id": 50279}`,
	"tiny": `{"vision": {"embed_dim": 16, "quick_gelu": true, "vision_cfg": {"layers": 2, "width": 32, "head_width": 16, "patch_size": 7, "image_size": 14}},
"lm": {"model_type": "gpt_neox", "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64, "rotary_pct": 1.0,
 "use_parallel_residual": false, "max_position_embeddings": 64, "layer_norm_eps": 1e-5, "vocab_size": 90},
"perceiver": {"depth": 2, "heads": 2, "dim_head": 16, "num_latents": 4, "ff_mult": 2}, "xattn": {"heads": 2, "dim_head": 16, "ff_mult": 2},
"cross_attn_every_n_layers": 2, "media_token_id": 88, "eoc_token_id": 87, "pad_token_id": 89}`,
}

// load is how much of a model is asked for.
type load struct {
	batch                     int // of the tower
	rows, tokens, slots, used int // of the step
	prompt, fresh             int // ids of decoding
	batches                   []int
}

var loads = map[string]load{
	"true": {256, 8, 256, 6, 3, 128, 64, []int{1, 16}},
	"tiny": {3, 2, 12, 3, 2, 6, 3, []int{1, 2}},
}

// scaleOf is attention's usual factor.
func scaleOf(headDim int) float32 { return float32(1 / math.Sqrt(float64(headDim))) }

// clip is the tower's features of a batch that lies on the device.
func (s *speedRun) clip() {
	n := loads[s.Size].batch
	s.measure(fmt.Sprintf("CLIP ViT-L/14, batch %d", n), 1, 1.3, func(l *Line) (*contest, error) {
		c, err := flamingo.ParseConfig([]byte(shapes[s.Size]))
		if err != nil {
			return nil, err
		}
		v := c.Vision
		path := s.lab.Path("tower.safetensors")
		if err := draw(path, towerTensors(v, c.EmbedDim), s.Seed); err != nil {
			return nil, err
		}
		pixels := kernels.DecodeFloats(kernels.BF16, normal("pixels", n*3*v.ImageSize*v.ImageSize, s.Seed, 0, 1))
		input, err := s.write("pixels", kernels.EncodeFloats(kernels.F32, pixels))
		if err != nil {
			return nil, err
		}
		file, err := weights.Open(s.ctx, path)
		if err != nil {
			return nil, err
		}
		q, err := s.dev.NewQueue()
		if err != nil {
			return nil, err
		}
		tower, err := clip.NewVision(s.dev, q, file, v, c.EmbedDim, kernels.BF16)
		if err == nil {
			err = errors.Join(tower.Freeze(), q.Wait())
		}
		if err != nil {
			return nil, err
		}
		pass := kernels.NewPass(s.dev, q, kernels.NewArena(s.dev, 0), kernels.PassOptions{DType: kernels.BF16})
		x, err := bufferOf(s.dev, q, kernels.BF16, kernels.EncodeFloats(kernels.BF16, pixels), n, 3, v.ImageSize, v.ImageSize)
		if err != nil {
			return nil, err
		}
		features := func() kernels.Tensor {
			pass.Reset()
			return pass.L2Norm(tower.Features(pass, x))
		}
		shape := map[string]any{"batch": n, "layers": v.Layers, "heads": v.Heads, "patch": v.PatchSize, "side": v.ImageSize}
		peer, err := s.peer(l, "clip", map[string]any{"weights": path, "pixels": input, "shape": shape})
		if err != nil {
			return nil, err
		}
		t, d := float64(v.Patches()+1), float64(v.Width)
		per := float64(v.Layers)*(2*t*(4*d*d+2*d*float64(v.MLP))+4*t*t*d) + 2*(t-1)*3*float64(v.PatchSize*v.PatchSize)*d
		return &contest{peer: peer, flops: float64(n) * per, wait: pass.Wait,
			ours: func() error { features(); return pass.Err() },
			agree: func() (string, error) {
				theirs, err := output(s, peer)
				if err != nil {
					return "", err
				}
				mine, err := pass.Float32(features())
				if err != nil {
					return "", err
				}
				return near(mine, theirs, 5e-2)
			},
			close: func() { pass.Arena().Free(); x.Mem.Free(); tower.Free(); file.Close() },
		}, nil
	})
}

// flamingo has the model's files drawn once, for the step and for decoding.
func (s *speedRun) flamingo() {
	l := loads[s.Size]
	var f *flamingoFilesOf
	s.check("weights of a Flamingo", func(*Line) (err error) {
		f, err = s.drawFlamingo()
		return err
	})
	if f == nil {
		return
	}
	s.measure(fmt.Sprintf("Flamingo step, %d x %d tokens, %d of %d slots", l.rows, l.tokens, l.used, l.slots), 1.5, 2.5,
		func(line *Line) (*contest, error) { return s.step(line, f, l) })
	for _, rows := range l.batches {
		s.measure(fmt.Sprintf("greedy decoding, batch %d, %d tokens after %d", rows, l.fresh, l.prompt), 2, 4,
			func(line *Line) (*contest, error) { return s.decode(line, f, l, rows) })
	}
}

// flamingoFilesOf is a shape with its files.
type flamingoFilesOf struct {
	config              flamingo.Config
	vision, text, added string
	torch               map[string]any // the config as the peer wants it
}

func (s *speedRun) drawFlamingo() (*flamingoFilesOf, error) {
	c, err := flamingo.ParseConfig([]byte(shapes[s.Size]))
	if err != nil {
		return nil, err
	}
	f := &flamingoFilesOf{config: c}
	dir, err := s.folder("weights")
	if err != nil {
		return nil, err
	}
	if f.vision, f.text, f.added, err = flamingoFiles(dir, c, s.Seed); err != nil {
		return nil, err
	}
	f.torch = map[string]any{"vision_layers": c.Vision.Layers, "vision_heads": c.Vision.Heads, "patch": c.Vision.PatchSize, "side": c.Vision.ImageSize,
		"layers": c.LM.Layers, "heads": c.LM.Heads, "head_dim": c.LM.HeadDim(), "positions": 2048, "every": c.Every, "depth": c.Perceiver.Depth,
		"latents": c.Perceiver.Latents, "x_heads": c.XAttn.Heads, "media_token_id": c.Media, "lr": learningRate}
	return f, nil
}

const learningRate = 1e-4

// fields are the peer's, with the input of a batch.
func (f *flamingoFilesOf) fields(pixels string, ids []int32, rows, slots int) map[string]any {
	return map[string]any{"config": f.torch, "vision": f.vision, "lm": f.text, "flamingo": f.added, "pixels": pixels, "ids": ids,
		"shape": map[string]any{"rows": rows, "slots": slots}}
}

// open makes the model.
func (f *flamingoFilesOf) open(s *speedRun, o flamingo.Options) (*flamingo.Model, kernels.Queue, []*weights.File, error) {
	q, err := s.dev.NewQueue()
	if err != nil {
		return nil, nil, nil, err
	}
	var files []*weights.File
	for _, path := range []string{f.vision, f.text, f.added} {
		file, err := weights.Open(s.ctx, path)
		if err != nil {
			return nil, nil, nil, err
		}
		files = append(files, file)
	}
	m, err := flamingo.New(s.dev, q, f.config, flamingo.Sources{Vision: files[0], LM: files[1], Flamingo: files[2]}, o)
	if err == nil {
		err = errors.Join(m.Freeze(s.dev, q, o.Train), q.Wait())
	}
	return m, q, files, err
}

// batchOf is rows of random tokens with markers, and pictures in the first used of the slots.
func (f *flamingoFilesOf) batchOf(l load, seed uint64) *data.Batch {
	rng := rand.New(rand.NewPCG(seed, 5))
	b := &data.Batch{Rows: l.rows, Len: l.tokens, Slots: l.slots, Mask: make([]byte, l.rows*l.tokens)}
	side := f.config.Vision.ImageSize
	for range l.rows {
		for i := range l.tokens {
			id := rng.Int32N(int32(f.config.EOC))
			label := id
			if i%(l.tokens/l.used) == 0 && i/(l.tokens/l.used) < l.used {
				id, label = int32(f.config.Media), kernels.IgnoreLabel
			}
			b.IDs, b.Labels = append(b.IDs, id), append(b.Labels, label)
			if i > 0 && label >= 0 {
				b.LossTokens++
			}
		}
		for slot := range l.slots {
			at := -1
			if slot < l.used {
				picture := imaging.NewRGB(side, side)
				for i := range picture.Pix {
					picture.Pix[i] = uint8(rng.Uint32())
				}
				at = len(b.Pictures)
				b.Pictures = append(b.Pictures, picture)
			}
			b.Slot = append(b.Slot, at)
		}
	}
	for i := range b.Mask {
		b.Mask[i] = 1
	}
	return b
}

// pixelsOf is what open_flamingo gives its model: every slot's picture, normalised; zeros where there is none.
func (f *flamingoFilesOf) pixelsOf(b *data.Batch) []byte {
	p := clip.OpenAIPreprocess(f.config.Vision.ImageSize)
	n := 3 * p.Size * p.Size
	values := make([]float32, len(b.Slot)*n)
	for i, at := range b.Slot {
		if at >= 0 {
			p.Normalize(values[i*n:][:n], b.Pictures[at])
		}
	}
	return kernels.EncodeFloats(kernels.F32, values)
}

func (s *speedRun) step(line *Line, f *flamingoFilesOf, l load) (*contest, error) {
	b := f.batchOf(l, s.Seed)
	pixels, err := s.write("pixels", f.pixelsOf(b))
	if err != nil {
		return nil, err
	}
	m, q, files, err := f.open(s, flamingo.Options{DType: kernels.BF16, Train: true, BF16: true, FreezeEmbedding: true})
	if err != nil {
		return nil, err
	}
	task := &train.Flamingo{Model: m, Preprocess: clip.OpenAIPreprocess(f.config.Vision.ImageSize), Decay: 0.1}
	opt, err := train.NewOptimizer(s.dev, q, train.AdamW{LR: learningRate, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.1, Clip: 1}, task.Groups())
	if err != nil {
		return nil, err
	}
	pass := kernels.NewPass(s.dev, q, kernels.NewArena(s.dev, 0), kernels.PassOptions{DType: kernels.BF16, Grad: true})
	stepper := &train.Stepper{Task: task, Optimizer: opt, Schedule: train.Schedule{Kind: "constant"}, Pass: pass, Streams: 1}
	var before *train.Begun
	settle := func() (loss, norm float64, err error) {
		if before == nil {
			return 0, 0, nil
		}
		r, err := before.Result()
		before = nil
		if err == nil && r.Skipped != "" {
			err = errors.New(r.Skipped)
		}
		return r.Losses[0], r.Norm, err
	}
	queue := func() error { // as training does: a step is queued before the result of the one before is asked for
		begun, err := stepper.Begin([]train.Part{{Weight: 1, Batch: b}})
		if err != nil {
			return err
		}
		_, _, err = settle()
		before = begun
		return err
	}
	fields := f.fields(pixels, b.IDs, l.rows, l.slots)
	fields["labels"] = b.Labels
	peer, err := s.peer(line, "step", fields)
	if err != nil {
		return nil, err
	}
	return &contest{peer: peer, flops: f.stepWork(l), wait: pass.Wait,
		ours: queue,
		agree: func() (string, error) { // loss and norm of the gradients of three steps, of which the later ones depend on the optimizer
			var mine, theirs []float32
			for range 3 {
				if err := queue(); err != nil {
					return "", err
				}
				loss, norm, err := settle()
				if err != nil {
					return "", err
				}
				other, err := output(s, peer)
				if err != nil {
					return "", err
				}
				mine, theirs = append(mine, float32(loss), float32(norm)), append(theirs, other...)
			}
			for i := range mine {
				if _, err := near(mine[i:i+1], theirs[i:i+1], 3e-2); err != nil {
					return "", fmt.Errorf("losses and norms of gradients %.4g, torch's %.4g: %w", mine, theirs, err)
				}
			}
			return fmt.Sprintf("losses and norms of gradients %.4g, torch's %.4g", mine, theirs), nil
		},
		close: func() { pass.Arena().Free(); closeAll(files) },
	}, nil
}

// stepWork counts the operations of products and attention that a step needs: the tower and the language model forward on
// what is used, gradients through the language model, and of the weights that are trained.
func (f *flamingoFilesOf) stepWork(l load) float64 {
	return train.FlamingoFLOPs(f.config, float64(l.rows), float64(l.tokens), float64(l.rows*l.used), 1)
}

func (s *speedRun) decode(line *Line, f *flamingoFilesOf, l load, rows int) (*contest, error) {
	l.rows, l.tokens, l.slots, l.used = rows, l.prompt, 1, 1
	b := f.batchOf(l, s.Seed)
	pixels, err := s.write("pixels", f.pixelsOf(b))
	if err != nil {
		return nil, err
	}
	m, q, files, err := f.open(s, flamingo.Options{DType: kernels.BF16})
	if err != nil {
		return nil, err
	}
	pass := kernels.NewPass(s.dev, q, kernels.NewArena(s.dev, 0), kernels.PassOptions{DType: kernels.BF16})
	prompt := lm.Prompt{IDs: b.IDs, Rows: rows}
	slots := make([]int32, len(b.Slot))
	for i, at := range b.Slot {
		slots[i] = int32(at)
	}
	values := kernels.DecodeFloats(kernels.F32, f.pixelsOf(b))
	side := f.config.Vision.ImageSize
	see := func() *flamingo.Media {
		pass.Reset()
		return m.See(pass, pass.FromFloat32(values, rows, 3, side, side), 1, rows, slots)
	}
	generate := func() error {
		_, err := m.Generate(s.ctx, pass, prompt, see(), flamingo.Decoding{Decoding: lm.Decoding{MaxNew: l.fresh, EOS: -1}})
		return err
	}
	fields := f.fields(pixels, b.IDs, rows, 1)
	fields["new"] = l.fresh
	peer, err := s.peer(line, "decode", fields)
	if err != nil {
		return nil, err
	}
	return &contest{peer: peer, wait: pass.Wait, ours: generate,
		agree: func() (string, error) { // ids may part where two are nearly alike; what the first is chosen from may not
			theirs, err := output(s, peer)
			if err != nil {
				return "", err
			}
			media := see()
			hidden := m.Hidden(pass, lm.Input{IDs: b.IDs, Rows: rows}, media, nil)
			end := pass.Contiguous(hidden.Slice(1, l.prompt-1, l.prompt)).Reshape(rows, f.config.LM.Width)
			mine, err := pass.Float32(m.Logits(pass, end))
			if err != nil {
				return "", err
			}
			return near(mine, theirs, 5e-2)
		},
		close: func() { pass.Arena().Free(); closeAll(files) },
	}, nil
}

func closeAll(files []*weights.File) {
	for _, f := range files {
		f.Close()
	}
}
