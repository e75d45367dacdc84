package bench

// The image tower of ViT-L/14 at 224 pixels: normalised pixels to features of norm 1. Weights are random, of true size.

import (
	"context"
	"errors"
	"fmt"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/clip"
	"mmc4/models/weights"
)

var clipRows = func() (rows []Row) {
	for _, batch := range []int{1, 8} {
		rows = append(rows,
			clipRow("onnxruntime", batch, kernels.F32, 1, 0.9999), clipRow("torch", batch, kernels.F32, 1.2, 0.9999),
			clipRow("onnxruntime", batch, kernels.BF16, 1.8, 0.999), clipRow("onnxruntime", batch, kernels.I8, 2.5, 0.999))
	}
	return append(rows, limitRows...)
}()

const (
	vitWidth, vitLayers, vitHeads, vitPatch, vitSide, vitDim = 1024, 24, 16, 14, 224, 768
)

var vitConfig = clip.VisionConfig{Width: vitWidth, Layers: vitLayers, Heads: vitHeads, MLP: 4 * vitWidth, PatchSize: vitPatch, ImageSize: vitSide,
	Act: kernels.QuickGELU, Eps: 1e-5}

// vitTensors are open_clip's names and shapes of a tower of width d. Deviations are those of a trained tower's order of size.
func vitTensors(d, layers, patch, dim int) []randomTensor {
	tokens := 1 + (vitSide/patch)*(vitSide/patch)
	norm := func(name string) []randomTensor {
		return []randomTensor{{name + ".weight", 1, 0.1, []int{d}}, {name + ".bias", 0, 0.1, []int{d}}}
	}
	list := []randomTensor{
		{"visual.conv1.weight", 0, 0.04, []int{d, 3, patch, patch}}, {"visual.class_embedding", 0, 0.2, []int{d}},
		{"visual.positional_embedding", 0, 0.2, []int{tokens, d}}, {"visual.proj", 0, 0.03, []int{d, dim}},
	}
	list = append(append(list, norm("visual.ln_pre")...), norm("visual.ln_post")...)
	for i := range layers {
		p := fmt.Sprintf("visual.transformer.resblocks.%d.", i)
		list = append(append(list, norm(p+"ln_1")...), norm(p+"ln_2")...)
		list = append(list,
			randomTensor{p + "attn.in_proj_weight", 0, 0.04, []int{3 * d, d}}, randomTensor{p + "attn.in_proj_bias", 0, 0.1, []int{3 * d}},
			randomTensor{p + "attn.out_proj.weight", 0, 0.03, []int{d, d}}, randomTensor{p + "attn.out_proj.bias", 0, 0.05, []int{d}},
			randomTensor{p + "mlp.c_fc.weight", 0, 0.03, []int{4 * d, d}}, randomTensor{p + "mlp.c_fc.bias", 0, 0.1, []int{4 * d}},
			randomTensor{p + "mlp.c_proj.weight", 0, 0.02, []int{d, 4 * d}}, randomTensor{p + "mlp.c_proj.bias", 0, 0.05, []int{d}})
	}
	return list
}

func clipRow(engine string, batch int, dtype kernels.DType, bar, least float64) Row {
	kind := map[kernels.DType]string{kernels.F32: "fp32", kernels.BF16: "bf16", kernels.I8: "int8"}[dtype]
	return Row{
		Name: fmt.Sprintf("clip.%s-%s-b%d", kind, engine, batch), Input: fmt.Sprintf("ViT-L/14 image tower, batch %d, ours in %s", batch, kind),
		Peer: engine + " fp32", Bar: bar,
		Open: func(ctx context.Context, lab *Lab) (*Contest, error) {
			path, err := writeWeights(lab, "clip", "vit.safetensors", vitTensors(vitWidth, vitLayers, vitPatch, vitDim))
			if err != nil {
				return nil, err
			}
			rng, prepare := lab.Rand("pixels"), clip.OpenAIPreprocess(vitSide)
			pixels := make([]float32, batch*3*vitSide*vitSide)
			for i := range batch {
				prepare.Normalize(pixels[i*3*vitSide*vitSide:][:3*vitSide*vitSide], drawPhoto(rng, vitSide, vitSide))
			}
			input, err := lab.Write("pixels.f32", kernels.EncodeFloats(kernels.F32, pixels))
			if err != nil {
				return nil, err
			}
			peer, err := lab.Python("clip_peer.py", args{"engine": engine, "weights": path, "pixels": input, "batch": batch, "heads": vitHeads})
			if err != nil {
				return nil, err
			}
			tower, err := newTower(ctx, path, dtype)
			if err != nil {
				return nil, errors.Join(err, peer.Close())
			}
			var features []float32
			ours := func() (err error) {
				features, err = tower.features(pixels, batch)
				return err
			}
			agree := func() (string, error) {
				data, err := peer.Output(lab)
				if err != nil {
					return "", err
				}
				if err := ours(); err != nil {
					return "", err
				}
				return cosine(features, kernels.DecodeFloats(kernels.F32, data), batch, least)
			}
			return &Contest{Unit: "img/s", Work: float64(batch), Ours: self{version: kind, run: ours, close: tower.close}, Theirs: peer, Agree: agree}, nil
		},
	}
}

// tower is our image tower.
type tower struct {
	dev    kernels.Device
	file   *weights.File
	vision *clip.Vision
	pass   *kernels.Pass
}

func newTower(ctx context.Context, path string, dtype kernels.DType) (*tower, error) {
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
	vision, err := clip.NewVision(dev, queue, file, vitConfig, vitDim, dtype)
	if err == nil {
		err = vision.Freeze()
	}
	if err != nil {
		return nil, err
	}
	activations := kernels.F32
	if dtype == kernels.BF16 {
		activations = kernels.BF16
	}
	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: activations})
	return &tower{dev, file, vision, pass}, nil
}

func (t *tower) features(pixels []float32, batch int) ([]float32, error) {
	t.pass.Reset()
	x := t.pass.FromFloat32(pixels, batch, 3, vitSide, vitSide)
	return t.pass.Float32(t.pass.L2Norm(t.vision.Features(t.pass, x)))
}

func (t *tower) close() error {
	t.pass.Arena().Free()
	t.vision.Free()
	return errors.Join(t.file.Close(), t.dev.Close())
}
