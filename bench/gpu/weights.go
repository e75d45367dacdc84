package gpu

// Random weights of true size, drawn on the machine that needs them: the archive has none.

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/lm"
	"mmc4/models/lm/params"
	"mmc4/models/weights"
)

// drawn is a tensor to be drawn.
type drawn struct {
	name  string
	shape []int
}

// towerTensors are an image tower's under open_clip's names.
func towerTensors(c clip.VisionConfig, dim int) []drawn {
	d := c.Width
	list := []drawn{{"visual.conv1.weight", []int{d, 3, c.PatchSize, c.PatchSize}}, {"visual.class_embedding", []int{d}},
		{"visual.positional_embedding", []int{c.Patches() + 1, d}}, {"visual.proj", []int{d, dim}}}
	vectors := func(name string) []drawn { return []drawn{{name + ".weight", []int{d}}, {name + ".bias", []int{d}}} }
	linear := func(name string, out, in int) []drawn {
		return []drawn{{name + "weight", []int{out, in}}, {name + "bias", []int{out}}}
	}
	list = append(append(list, vectors("visual.ln_pre")...), vectors("visual.ln_post")...)
	for i := range c.Layers {
		p := "visual.transformer.resblocks." + itoa(i) + "."
		for _, more := range [][]drawn{vectors(p + "ln_1"), vectors(p + "ln_2"), linear(p+"attn.in_proj_", 3*d, d), linear(p+"attn.out_proj.", d, d),
			linear(p+"mlp.c_fc.", c.MLP, d), linear(p+"mlp.c_proj.", d, c.MLP)} {
			list = append(list, more...)
		}
	}
	return list
}

func planned(ws []*params.Weight) (list []drawn) {
	for _, w := range ws {
		list = append(list, drawn{w.Name, w.Shape})
	}
	return list
}

// flamingoFiles writes the three files of a model: tower, language model, and what Flamingo adds.
func flamingoFiles(dir string, c flamingo.Config, seed uint64) (vision, text, added string, err error) {
	plan := flamingo.Plan(c)
	files := []struct {
		to   *string
		name string
		list []drawn
	}{
		{&vision, "tower", towerTensors(c.Vision, c.EmbedDim)}, {&text, "lm", planned(lm.Plan(c.LM))},
		{&added, "flamingo", planned(append(append([]*params.Weight(nil), plan.Gated...), plan.Resampler...))},
	}
	for _, f := range files {
		*f.to = filepath.Join(dir, f.name+".safetensors")
		if err := draw(*f.to, f.list, seed); err != nil {
			return "", "", "", err
		}
	}
	return vision, text, added, nil
}

// draw writes bf16 tensors. Deviations keep activations of deep models in bounds: norms near one, matrices that keep the
// length of what they multiply, gates half open.
func draw(path string, list []drawn, seed uint64) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var tensors []weights.Tensor
	for _, d := range list {
		tensors = append(tensors, weights.Tensor{Name: d.name, DType: weights.BF16, Shape: d.shape})
	}
	err = weights.WriteStream(f, tensors, nil, func(t weights.Tensor) ([]byte, error) {
		mean, std := moments(t.Name, t.Shape)
		return normal(t.Name, count(t.Shape), seed, mean, std), nil
	})
	if err != nil {
		return err
	}
	return f.Close()
}

func moments(name string, shape []int) (mean, std float64) {
	switch {
	case strings.HasSuffix(name, "_gate"):
		return 0.5, 0
	case len(shape) == 1 && strings.HasSuffix(name, ".weight"):
		return 1, 0.1
	case len(shape) == 1:
		return 0, 0.05
	case strings.Contains(name, "embed"), strings.HasSuffix(name, "latents"):
		return 0, 0.2
	}
	return 0, 0.8 / math.Sqrt(float64(count(shape[1:])))
}

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// normal is n bf16 numbers, near to normal, that depend on the seed and the name alone; all cores draw.
func normal(name string, n int, seed uint64, mean, std float64) []byte {
	const together = 1 << 18
	h := fnv.New64a()
	h.Write([]byte(name))
	out := make([]byte, 2*n)
	var work sync.WaitGroup
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	for at := 0; at < n; at += together {
		places <- struct{}{}
		work.Go(func() {
			rng := rand.New(rand.NewPCG(seed+uint64(at), h.Sum64()))
			for i := at; i < min(at+together, n); i++ {
				bits := rng.Uint64() // the sum of four uniform numbers
				sum := float64(bits&0xffff+bits>>16&0xffff+bits>>32&0xffff+bits>>48) - 131070
				v := kernels.ToBF16(float32(mean + std*sum*(1.7320508/65535)))
				out[2*i], out[2*i+1] = byte(v), byte(v>>8)
			}
			<-places
		})
	}
	work.Wait()
	return out
}
