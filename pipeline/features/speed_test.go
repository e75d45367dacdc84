//go:build unix

package features

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"mmc4/internal/imaging"
	"mmc4/models/weights"
)

// vit is a tower of OpenAI's shape.
type vit struct {
	name                        string
	width, layers, patch, embed int
}

// write makes the model's folder with random weights in open_clip's names; the text tower is small, it is not measured.
func (v vit) write(t testing.TB) string {
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(1, 2))
	var tensors []weights.Tensor
	add := func(name string, shape ...int) {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(rng.NormFloat64()) / 50
		}
		tensors = append(tensors, weights.FromFloat32(name, values, shape...))
	}
	both := func(name string, shape ...int) {
		add(name+".weight", shape...)
		add(name+".bias", shape[0])
	}
	tower := func(name string, width, layers int) {
		for i := range layers {
			p := fmt.Sprintf("%stransformer.resblocks.%d.", name, i)
			both(p+"ln_1", width)
			add(p+"attn.in_proj_weight", 3*width, width)
			add(p+"attn.in_proj_bias", 3*width)
			both(p+"attn.out_proj", width, width)
			both(p+"ln_2", width)
			both(p+"mlp.c_fc", 4*width, width)
			both(p+"mlp.c_proj", width, 4*width)
		}
	}
	w := v.width
	add("visual.class_embedding", w)
	add("visual.conv1.weight", w, 3, v.patch, v.patch)
	add("visual.positional_embedding", 224/v.patch*(224/v.patch)+1, w)
	both("visual.ln_pre", w)
	tower("visual.", w, v.layers)
	both("visual.ln_post", w)
	add("visual.proj", w, v.embed)
	add("token_embedding.weight", 514, 64)
	add("positional_embedding", 77, 64)
	tower("", 64, 1)
	both("ln_final", 64)
	add("text_projection", 64, v.embed)
	config, _ := json.Marshal(map[string]any{"embed_dim": v.embed, "quick_gelu": true,
		"vision_cfg": map[string]any{"layers": v.layers, "width": w, "patch_size": v.patch, "image_size": 224},
		"text_cfg":   map[string]any{"context_length": 77, "vocab_size": 514, "width": 64, "heads": 1, "layers": 1}})
	put(t, filepath.Join(dir, "open_clip_config.json"), config)
	put(t, filepath.Join(dir, "bpe_simple_vocab_16e6.txt"), []byte("#version: 0.2\n"))
	f, err := os.Create(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := weights.Write(f, tensors, nil); err != nil {
		t.Fatal(err)
	}
	return dir
}

// cpuSeconds is what the process has computed so far.
func cpuSeconds(b *testing.B) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// BenchmarkEmbed compares embedding a folder of 1.3 Mpixel JPEGs with the bare tower on pictures that are ready, in turn:
// embed/tower is the median ratio of pictures a second, embed/tower-cpu of pictures a second of CPU time, which other
// programs on the machine disturb less; model-busy is the share of the time in which the model had pictures.
//
//	go test -run XXX -bench Embed -benchtime 5x ./pipeline/features
func BenchmarkEmbed(b *testing.B) {
	const pictures, batch = 16, 8
	dir := b.TempDir()
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range pictures {
		m := imaging.NewRGB(1280, 1024)
		for at := range m.Pix { // smooth with a little noise: a photograph's weight
			m.Pix[at] = uint8(128 + 90*((at/7000+i)%2) + rng.IntN(8))
		}
		var data bytes.Buffer
		if err := imaging.EncodeJPEG(&data, m, 90); err != nil {
			b.Fatal(err)
		}
		put(b, filepath.Join(dir, fmt.Sprintf("%02d.jpg", i)), data.Bytes())
	}
	for _, v := range []vit{{"ViT-B-32", 768, 12, 32, 512}, {"ViT-L-14", 1024, 24, 14, 768}} {
		b.Run(v.name, func(b *testing.B) {
			m := openModel(b, v.write(b), batch)
			ready := make([]*imaging.RGB, pictures)
			for i := range ready {
				ready[i] = imaging.NewRGB(224, 224)
			}
			ctx := context.Background()
			var ratios, byCPU, busy, bare, whole []float64
			b.ResetTimer()
			for range b.N {
				began, cpu := time.Now(), cpuSeconds(b)
				if _, err := m.EncodeImages(ctx, ready); err != nil {
					b.Fatal(err)
				}
				tower, towerCPU := pictures/time.Since(began).Seconds(), cpuSeconds(b)-cpu
				if _, err := m.Fingerprint(); err != nil { // the first reads all weights
					b.Fatal(err)
				}
				cpu = cpuSeconds(b)
				s, err := Embed(ctx, Config{Input: dir, Out: filepath.Join(b.TempDir(), "f.parquet"), Model: m, Batch: batch}, Report{})
				if err != nil || s.Rows != pictures {
					b.Fatal(s, err)
				}
				byCPU = append(byCPU, towerCPU/(cpuSeconds(b)-cpu))
				busy = append(busy, s.Busy)
				ratios, bare, whole = append(ratios, s.PerSecond/tower), append(bare, tower), append(whole, s.PerSecond)
			}
			median := func(v []float64) float64 {
				slices.Sort(v)
				return v[len(v)/2]
			}
			b.ReportMetric(median(ratios), "embed/tower")
			b.ReportMetric(median(byCPU), "embed/tower-cpu")
			b.ReportMetric(median(busy), "model-busy")
			b.ReportMetric(median(bare), "tower-pictures/s")
			b.ReportMetric(median(whole), "embed-pictures/s")
			b.ReportMetric(0, "ns/op")
		})
	}
}
