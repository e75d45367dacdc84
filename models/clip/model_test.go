package clip

import (
	"context"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"mmc4/internal/imaging"
	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/weights"
)

// Sizes of the tiny model. Its vocabulary is 512 bytes, a merge, and two special tokens.
const (
	tinyVocab = 515
	tinyWidth = 16
	tinyEmbed = 12
)

// writeModel writes a model with random weights to a folder, in open_clip's or Hugging Face's names.
func writeModel(t *testing.T, hf bool) string {
	rng := rand.New(rand.NewPCG(1, 2))
	var tensors []weights.Tensor
	values := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(rng.NormFloat64()) / 4
		}
		return v
	}
	add := func(name, hfName string, v []float32, shape ...int) {
		if hf {
			name = hfName
		}
		tensors = append(tensors, weights.FromFloat32(name, v, shape...))
	}
	turned := func(v []float32, d, e int) []float32 { // [d,e] as [e,d]
		out := make([]float32, len(v))
		for i, x := range v {
			out[i%e*d+i/e] = x
		}
		return out
	}
	norm := func(name, hfName string) {
		add(name+".weight", hfName+".weight", values(tinyWidth), tinyWidth)
		add(name+".bias", hfName+".bias", values(tinyWidth), tinyWidth)
	}
	linear := func(name, hfName string, n, k int) {
		add(name+".weight", hfName+".weight", values(n*k), n, k)
		add(name+".bias", hfName+".bias", values(n), n)
	}
	blocks := func(name, hfName string, layers, mlp int) {
		for i := range layers {
			n, h := name+strconv.Itoa(i)+".", hfName+strconv.Itoa(i)+"."
			norm(n+"ln_1", h+"layer_norm1")
			w, b := values(3*tinyWidth*tinyWidth), values(3*tinyWidth)
			if hf {
				for j, part := range []string{"q_proj", "k_proj", "v_proj"} {
					add("", h+"self_attn."+part+".weight", w[j*tinyWidth*tinyWidth:][:tinyWidth*tinyWidth], tinyWidth, tinyWidth)
					add("", h+"self_attn."+part+".bias", b[j*tinyWidth:][:tinyWidth], tinyWidth)
				}
			} else {
				add(n+"attn.in_proj_weight", "", w, 3*tinyWidth, tinyWidth)
				add(n+"attn.in_proj_bias", "", b, 3*tinyWidth)
			}
			linear(n+"attn.out_proj", h+"self_attn.out_proj", tinyWidth, tinyWidth)
			norm(n+"ln_2", h+"layer_norm2")
			linear(n+"mlp.c_fc", h+"mlp.fc1", mlp, tinyWidth)
			linear(n+"mlp.c_proj", h+"mlp.fc2", tinyWidth, mlp)
		}
	}
	projection := func(name, hfName string) {
		v := values(tinyWidth * tinyEmbed)
		if hf {
			add("", hfName, turned(v, tinyWidth, tinyEmbed), tinyEmbed, tinyWidth)
		} else {
			add(name, "", v, tinyWidth, tinyEmbed)
		}
	}
	add("visual.class_embedding", visionAnchorHF, values(tinyWidth), tinyWidth)
	add("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight", values(tinyWidth*3*16), tinyWidth, 3, 4, 4)
	add("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight", values(5*tinyWidth), 5, tinyWidth)
	norm("visual.ln_pre", "vision_model.pre_layrnorm")
	blocks("visual.transformer.resblocks.", "vision_model.encoder.layers.", 2, 64)
	norm("visual.ln_post", "vision_model.post_layernorm")
	projection("visual.proj", "visual_projection.weight")
	add("token_embedding.weight", textAnchorHF, values(tinyVocab*tinyWidth), tinyVocab, tinyWidth)
	add("positional_embedding", "text_model.embeddings.position_embedding.weight", values(8*tinyWidth), 8, tinyWidth)
	blocks("transformer.resblocks.", "text_model.encoder.layers.", 1, 64)
	norm("ln_final", "text_model.final_layer_norm")
	projection("text_projection", "text_projection.weight")

	dir := t.TempDir()
	put := func(name string, v any) {
		data, ok := v.([]byte)
		if !ok {
			data, _ = json.Marshal(v)
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("bpe_simple_vocab_16e6.txt", []byte("#version: 0.2\nt h"))
	config := "open_clip_config.json"
	if hf {
		config = "config.json"
		put(config, map[string]any{"projection_dim": tinyEmbed,
			"vision_config": map[string]any{"hidden_size": tinyWidth, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "patch_size": 4, "image_size": 8},
			"text_config":   map[string]any{"hidden_size": tinyWidth, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2, "vocab_size": tinyVocab, "max_position_embeddings": 8, "eos_token_id": 2}})
	} else {
		put(config, map[string]any{"model_cfg": map[string]any{"embed_dim": tinyEmbed, "quick_gelu": true,
			"vision_cfg": map[string]any{"layers": 2, "width": tinyWidth, "head_width": 8, "patch_size": 4, "image_size": 8},
			"text_cfg":   map[string]any{"context_length": 8, "vocab_size": tinyVocab, "width": tinyWidth, "heads": 2, "layers": 1}},
			"preprocess_cfg": map[string]any{"mean": []float64{0.48145466, 0.4578275, 0.40821073}, "std": []float64{0.26862954, 0.26130258, 0.27577711}}})
	}
	f, err := os.Create(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	if err := weights.Write(f, tensors, nil); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func pictures(n int) []*imaging.RGB {
	rng := rand.New(rand.NewPCG(3, 4))
	list := make([]*imaging.RGB, n)
	for i := range list {
		list[i] = imaging.NewRGB(9+i, 8+2*i)
		for j := range list[i].Pix {
			list[i].Pix[j] = uint8(rng.Uint32())
		}
	}
	return list
}

func cosine(a, b []float32) float64 {
	var dot float64
	for i := range a {
		dot += float64(a[i]) * float64(b[i])
	}
	return dot
}

func TestModel(t *testing.T) {
	ctx := context.Background()
	texts := []string{"the", "", strings.Repeat("the end ", 40), "Mojibake: lâ€™été"}
	var reference [][]float32
	for _, run := range []struct {
		device string
		hf     bool
		o      Options
		least  float64
	}{
		{"ref", false, Options{}, 1 - 1e-6},
		{"ref", true, Options{Batch: 3}, 1 - 1e-6},
		{"cpu", true, Options{Batch: 1, Check: true}, 1 - 1e-5},
		{"cpu", false, Options{DType: kernels.BF16}, 0.99},
		{"cpu", false, Options{DType: kernels.I8}, 0.99},
	} {
		dev, err := device.Open(run.device)
		if err != nil {
			t.Logf("device %s: %v", run.device, err)
			continue
		}
		m, err := Load(ctx, writeModel(t, run.hf), dev, run.o)
		if err != nil {
			t.Fatal(err)
		}
		images, err := m.EncodeImages(ctx, pictures(7))
		if err != nil {
			t.Fatal(err)
		}
		lines, err := m.EncodeTexts(ctx, texts)
		if err != nil {
			t.Fatal(err)
		}
		features := append(images, lines...)
		if reference == nil {
			reference = features
		}
		if len(features) != 7+len(texts) || m.Dim() != tinyEmbed {
			t.Fatalf("%d features of length %d", len(features), m.Dim())
		}
		for i, f := range features {
			if math.Abs(cosine(f, f)-1) > 1e-5 || cosine(f, reference[i]) < run.least {
				t.Errorf("%s %+v: feature %d has norm %g and cosine %g with the reference", run.device, run.o, i, cosine(f, f), cosine(f, reference[i]))
			}
		}
		one, err := m.Fingerprint()
		if two, _ := m.Fingerprint(); err != nil || len(one) != 64 || one != two {
			t.Errorf("fingerprints %q and %q (%v)", one, two, err)
		}
		m.Preprocess.Filter = imaging.Bilinear
		if other, err := m.fingerprint(); err != nil || other == one {
			t.Errorf("with another filter: %q (%v)", other, err)
		}
		m.Preprocess.Filter = imaging.Bicubic
		if none, err := m.EncodeImages(ctx, nil); err != nil || len(none) != 0 {
			t.Errorf("no pictures: %v %v", none, err)
		}
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := m.EncodeImages(cancelled, pictures(2)); err == nil {
			t.Error("a cancelled run gave features")
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		dev.Close()
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	dev, err := device.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	for _, c := range []struct {
		change func(dir string) error
		says   string
	}{
		{func(dir string) error { return os.Remove(filepath.Join(dir, "open_clip_config.json")) }, "neither open_clip_config.json nor config.json"},
		{func(dir string) error { return os.Remove(filepath.Join(dir, "bpe_simple_vocab_16e6.txt")) }, "none of"},
		{func(dir string) error { return os.Remove(filepath.Join(dir, "model.safetensors")) }, "none of"},
		{func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "bpe_simple_vocab_16e6.txt"), []byte("#version\nt h\nth e"), 0o644)
		}, "do not belong together"},
		{func(dir string) error {
			path := filepath.Join(dir, "open_clip_config.json")
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, []byte(strings.Replace(string(text), `"layers":2`, `"layers":1`, 1)), 0o644)
		}, "it describes a smaller model than this file"},
		{func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "open_clip_config.json"),
				[]byte(`{"embed_dim": 12, "vision_cfg": {"layers": 2, "width": 16, "head_width": 8, "patch_size": 2, "image_size": 8}, "text_cfg": {"vocab_size": 515}}`), 0o644)
		}, `"visual.conv1.weight" has shape [16 3 4 4], but [16 3 2 2] was expected`},
	} {
		dir := writeModel(t, false)
		if err := c.change(dir); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(context.Background(), dir, dev, Options{}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v, want %q", err, c.says)
		}
	}
}

// Gradients reach every parameter of a trained tower.
func TestTowersTrain(t *testing.T) {
	dev, err := device.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	defer dev.Close()
	queue, err := dev.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	dir := writeModel(t, false)
	file, err := weights.Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	config, _, err := readConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	vision, err := NewVision(dev, queue, file, config.Vision, config.EmbedDim, kernels.F32)
	if err != nil {
		t.Fatal(err)
	}
	text, err := NewText(dev, queue, file, config.Text, config.EmbedDim, kernels.F32)
	if err != nil {
		t.Fatal(err)
	}
	params := append(append([]*kernels.Param(nil), vision.Params...), text.Params...)
	for _, p := range params {
		if err := p.Train(dev, queue, false); err != nil {
			t.Fatal(err)
		}
	}
	pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{Grad: true})
	pixels := make([]float32, 2*3*8*8)
	for i := range pixels {
		pixels[i] = float32(i%17)/8 - 1
	}
	rows := [][]int64{{513, 7, 9, 514}, {513, 300, 514, 0}}
	pass.Reset()
	images := pass.L2Norm(vision.Features(pass, pass.FromFloat32(pixels, 2, 3, 8, 8)))
	texts := pass.L2Norm(text.Features(pass, rows))
	loss, _ := pass.CrossEntropy(pass.MatMul(images, texts, false, true, 10, kernels.F32), pass.FromInt32([]int32{0, 1}, 2))
	pass.Backward(loss, 1)
	if err := pass.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, p := range params {
		grad, err := pass.Float32(p.Grad)
		if err != nil {
			t.Fatal(err)
		}
		some := false
		for _, g := range grad {
			some = some || g != 0
		}
		if !some {
			t.Errorf("no gradient reaches %s", p.Name)
		}
	}
	if got := vision.Shape("visual.conv1.weight"); len(got) != 4 {
		t.Errorf("the stored shape of the patches' filter is %v", got)
	}
}
