package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mmc4/internal/imaging"
	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/clip"
	"mmc4/models/weights"
	"mmc4/train/data"
)

// contrastBatch has two pairs of one thing, one of its topic, one of another topic, a picture and two texts alone.
func contrastBatch() *data.Batch {
	rng := rand.New(rand.NewPCG(5, 6))
	var samples []*data.Sample
	for i, row := range []struct {
		topic, thing  string
		picture, text bool
	}{{"star", "red star", true, true}, {"star", "red star", true, true}, {"", "", false, true}, {"star", "blue star", true, true},
		{"", "", true, false}, {"boat", "boat", true, true}, {"", "", false, true}} {
		s := &data.Sample{ID: fmt.Sprint(i), Likeness: data.Likeness{Topic: row.topic, Thing: row.thing}}
		if row.picture {
			square := imaging.NewRGB(16, 16)
			for k := range square.Pix {
				square.Pix[k] = byte(rng.IntN(256))
			}
			s.Images = []data.Picture{{Square: square}}
		}
		if row.text {
			for range 2 + i%3 {
				s.IDs = append(s.IDs, int32(1+rng.IntN(14)))
			}
			s.IDs = append(s.IDs, 15)
			for len(s.IDs) < 8 {
				s.IDs = append(s.IDs, 0)
			}
			s.Labels = slices.Repeat([]int32{kernels.IgnoreLabel}, len(s.IDs))
		}
		samples = append(samples, s)
	}
	return data.NewBatch(samples, 0, 0, 0)
}

func TestPairing(t *testing.T) {
	b := contrastBatch()
	q := pair(b)
	const none = kernels.IgnoreLabel
	if want := []int32{0, 1, 3, none, 4}; !slices.Equal(q.textOf, want) {
		t.Errorf("texts of pictures: %v, not %v", q.textOf, want)
	}
	if want := []int32{0, 1, none, 2, 4, none}; !slices.Equal(q.pictureOf, want) {
		t.Errorf("pictures of texts: %v, not %v", q.pictureOf, want)
	}
	const p, o, s = partner, other, stranger
	want := []kin{p, p, s, o, s, s, p, p, s, o, s, s, o, o, s, p, s, s, s, s, s, s, s, s, s, s, s, s, p, s}
	if !slices.Equal(q.kin, want) {
		t.Errorf("kin\n%v, not\n%v", q.kin, want)
	}
	if len(q.texts[0]) != 5 { // the longest has four words and the end
		t.Errorf("texts have %d ids", len(q.texts[0]))
	}
	if n := (&Contrastive{}).Share(b); n != 4 {
		t.Errorf("%d pairs", n)
	}
}

// naiveContrast is the loss as it is written down, from normalised features.
func naiveContrast(c *Contrast, images, texts [][]float64, scale float64, q pairing) float64 {
	cosine := func(i, j int) (sum float64) {
		for k := range images[i] {
			sum += images[i][k] * texts[j][k]
		}
		return sum
	}
	at := func(i, j int) kin { return q.kin[i*len(texts)+j] }
	var byImage, byText, pairs float64
	for i, j := range q.textOf {
		if j < 0 {
			continue
		}
		own, sum, down := math.Exp(scale*cosine(i, int(j))), 0.0, 0.0
		for k := range texts {
			if k == int(j) || at(i, k) != partner {
				sum += math.Exp(scale * cosine(i, k))
			}
		}
		for k := range images {
			if k == i || at(k, int(j)) != partner {
				down += math.Exp(scale * cosine(k, int(j)))
			}
		}
		byImage, byText, pairs = byImage-math.Log(own/sum), byText-math.Log(own/down), pairs+1
	}
	var far, near, strangers, partners float64
	for i := range images {
		for j := range texts {
			switch at(i, j) {
			case stranger:
				far, strangers = far+math.Pow(math.Max(0, cosine(i, j)-c.Strangers.Margin), 2), strangers+1
			case partner:
				near, partners = near+math.Pow(math.Max(0, c.Partners.Margin-cosine(i, j)), 2), partners+1
			}
		}
	}
	return (byImage+byText)/(2*pairs) + c.Strangers.Weight*far/strangers + c.Partners.Weight*near/partners
}

// The loss on both devices is the naive one, and its gradients are the slopes of the loss.
func TestContrastLoss(t *testing.T) {
	for _, name := range slices.Compact([]string{"ref", testDevice}) {
		t.Run(name, func(t *testing.T) {
			dev, err := device.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer dev.Close()
			queue, err := dev.NewQueue()
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "clip.safetensors")
			drawTower(t, path, 3)
			config, _ := clip.ParseConfig([]byte(towerShape))
			file, err := weights.Open(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			vision, err := clip.NewVision(dev, queue, file, config.Vision, config.EmbedDim, kernels.F32)
			if err != nil {
				t.Fatal(err)
			}
			text, err := clip.NewText(dev, queue, file, config.Text, config.EmbedDim, kernels.F32)
			if err != nil {
				t.Fatal(err)
			}
			task, err := NewContrastive(dev, queue, vision, text, startScale, false, 0)
			if err != nil {
				t.Fatal(err)
			}
			task.Preprocess = clip.OpenAIPreprocess(16)
			task.Contrast = &Contrast{Unpaired: true, Strangers: Hinge{-0.2, 20}, Partners: Hinge{0.6, 4}}
			b := contrastBatch()
			q := pair(b)
			pass := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: kernels.F32, Grad: true})
			loss, images, texts := task.lossOf(pass, squares(pass, b, task.Preprocess), q)
			want := naiveContrast(task.Contrast, features(t, pass, images), features(t, pass, texts), math.Exp(float64(startScale)), q)
			if got := number32(t, pass, loss); math.Abs(got-want) > 1e-4*want {
				t.Errorf("the loss is %v, the naive one %v", got, want)
			}
			pass.Backward(loss, 1)
			for _, w := range task.weights {
				if !slices.Contains([]string{"visual.proj", "text_projection", "logit_scale", "visual.ln_post.weight", "ln_final.bias"}, w.Name) {
					continue
				}
				slopes, err := pass.Float32(w.Param.Grad)
				if err != nil {
					t.Fatal(err)
				}
				values, _ := pass.Float32(w.Param.Value)
				for k := 0; k < len(values); k += 1 + len(values)/7 {
					const step = 1e-2
					at := func(v float32) float64 {
						values[k] = v
						p := kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{DType: kernels.F32})
						p.CopyInto(w.Param.Value, p.FromFloat32(values, w.Param.Value.Shape()...))
						return number32(t, p, task.Loss(p, 0, b))
					}
					was := values[k]
					slope := (at(was+step) - at(was-step)) / (2 * step)
					at(was)
					if got := float64(slopes[k]); math.Abs(got-slope) > 2e-3+2e-2*math.Abs(slope) {
						t.Errorf("%s[%d]: gradient %v, slope %v", w.Name, k, got, slope)
					}
				}
			}
		})
	}
}

func number32(t *testing.T, p *kernels.Pass, x kernels.Tensor) float64 {
	t.Helper()
	v, err := p.Float32(x)
	if err != nil || len(v) != 1 {
		t.Fatal(v, err)
	}
	return float64(v[0])
}

func features(t *testing.T, p *kernels.Pass, x kernels.Tensor) [][]float64 {
	t.Helper()
	v, err := p.Float32(x)
	if err != nil {
		t.Fatal(err)
	}
	rows := make([][]float64, x.Rows())
	for i, value := range v {
		rows[i/x.Dim(-1)] = append(rows[i/x.Dim(-1)], float64(value))
	}
	return rows
}

// A training with the hinges parts strangers from partners, goes on exactly where it was interrupted, and wants a config that
// says what can be.
// contrastConfig writes a CLIP with drawings of four kinds, one of which has no text.
func contrastConfig(t *testing.T, dir string) string {
	t.Helper()
	const n, side = 60, 16
	var pixels []byte
	var rows strings.Builder
	for i := range n {
		for range side * side * 3 {
			pixels = append(pixels, byte(60*(i%4)))
		}
		if i%4 == 3 {
			rows.WriteString(`{"captions":[]}` + "\n")
			continue
		}
		fmt.Fprintf(&rows, `{"captions":["%s"],"topic":"%d","thing":"%d"}`+"\n", []string{"ab", "cd", "ef"}[i%4], i%4, i%4)
	}
	write(t, filepath.Join(dir, "images.bin"), string(pixels))
	write(t, filepath.Join(dir, "examples.jsonl"), rows.String())
	write(t, filepath.Join(dir, "plain.txt"), strings.Repeat("gh\n", 15))
	merges := write(t, filepath.Join(dir, "bpe_simple_vocab_16e6.txt"), "#version\na b</w>\nc d</w>\ne f</w>\n")
	return write(t, filepath.Join(dir, "clip.yaml"), fmt.Sprintf(`
kind: clip
steps: 30
model: {embed_dim: 16, vision_cfg: {layers: 1, width: 16, head_width: 8, patch_size: 8, image_size: 16}, text_cfg: {context_length: 8, vocab_size: 600, width: 16, heads: 2, layers: 1}}
tokenizer: {path: %s}
streams: [{format: drawings, paths: [%s], batch: 15}]
contrast: {unpaired: true, strangers: {margin: 0, weight: 20}, partners: {margin: 0.6, weight: 4}, max_scale: 20}
optimizer: {lr: 0.003, beta2: 0.98, eps: 1e-6, weight_decay: 0}
`, merges, dir))
}

func TestContrastTrains(t *testing.T) {
	dir := t.TempDir()
	path := contrastConfig(t, dir)
	result, err := train(t, path, filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	if loss := *result.Loss["drawings0"]; !(loss < 1.5) { // 1.1 from partners and 2 from cosines at the beginning
		t.Errorf("the loss is %.3f", loss)
	}
	if len(result.Rejects) > 0 {
		t.Errorf("left out: %v", result.Rejects)
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := ReadConfig(ctx, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(dir, "again")
	stop := func(l LogLine) {
		if l.Step == 7 {
			cancel()
		}
	}
	if _, err := Run(ctx, c, Options{Out: again, Device: testDevice, Progress: stop}); !errors.Is(err, context.Canceled) {
		t.Fatalf("an interrupted run: %v", err)
	}
	if _, err := train(t, path, again); err != nil {
		t.Fatal(err)
	}
	if got, want := hashes(t, again, 30), hashes(t, filepath.Join(dir, "out"), 30); got != want {
		t.Errorf("an interrupted run ended with\n%s\nnot\n%s", got, want)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for old, wrong := range map[string]string{"margin: 0,": "margin: 2,", "weight: 4": "weight: -1", "max_scale: 20": "max_scale: 0.5", "kind: clip": "kind: lm"} {
		if _, err := ParseConfig([]byte(strings.Replace(string(text), old, wrong, 1)), "bad"); err == nil || !strings.Contains(err.Error(), "contrast") {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
