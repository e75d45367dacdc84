package train

// The weights that a CLIP begins with when it is trained from nothing: open_clip's, drawn from the seed.

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"

	"mmc4/models/clip"
	"mmc4/models/weights"
)

// drawCLIP writes them to a file under open_clip's names.
func drawCLIP(path string, c clip.Config, seed uint64) error {
	rng := rand.New(rand.NewPCG(seed, 0xc11b))
	var tensors []weights.Tensor
	add := func(name string, draw func() float64, shape ...int) {
		n, _ := weights.Elements(shape)
		values := make([]float32, n)
		for i := range values {
			values[i] = float32(draw())
		}
		tensors = append(tensors, weights.FromFloat32(name, values, shape...))
	}
	normal := func(std float64) func() float64 { return func() float64 { return rng.NormFloat64() * std } }
	within := func(bound float64) func() float64 { return func() float64 { return (2*rng.Float64() - 1) * bound } }
	constant := func(v float64) func() float64 { return func() float64 { return v } }
	norm := func(name string, width int) {
		add(name+".weight", constant(1), width)
		add(name+".bias", constant(0), width)
	}
	// tower is the blocks of one side: std of the text's, fan of the vision's.
	tower := func(prefix string, width, layers, mlp int, text bool) {
		in, out, up, down := within(math.Sqrt(6/float64(4*width))), within(1/math.Sqrt(float64(width))), within(1/math.Sqrt(float64(width))), within(1/math.Sqrt(float64(mlp)))
		if text {
			base := 1 / math.Sqrt(float64(width))
			in, out = normal(base), normal(base/math.Sqrt(2*float64(layers)))
			up, down = normal(1/math.Sqrt(2*float64(width))), out
		}
		for i := range layers {
			at := fmt.Sprintf("%stransformer.resblocks.%d.", prefix, i)
			norm(at+"ln_1", width)
			add(at+"attn.in_proj_weight", in, 3*width, width)
			add(at+"attn.in_proj_bias", constant(0), 3*width)
			add(at+"attn.out_proj.weight", out, width, width)
			add(at+"attn.out_proj.bias", constant(0), width)
			norm(at+"ln_2", width)
			add(at+"mlp.c_fc.weight", up, mlp, width)
			add(at+"mlp.c_fc.bias", constant(0), mlp)
			add(at+"mlp.c_proj.weight", down, width, mlp)
			add(at+"mlp.c_proj.bias", constant(0), width)
		}
	}
	v, t := c.Vision, c.Text
	scale := 1 / math.Sqrt(float64(v.Width))
	add("visual.conv1.weight", within(1/math.Sqrt(float64(3*v.PatchSize*v.PatchSize))), v.Width, 3, v.PatchSize, v.PatchSize)
	add("visual.class_embedding", normal(scale), v.Width)
	add("visual.positional_embedding", normal(scale), 1+v.Patches(), v.Width)
	norm("visual.ln_pre", v.Width)
	tower("visual.", v.Width, v.Layers, v.MLP, false)
	norm("visual.ln_post", v.Width)
	add("visual.proj", normal(scale), v.Width, c.EmbedDim)
	add("token_embedding.weight", normal(0.02), t.Vocab, t.Width)
	add("positional_embedding", normal(0.01), t.Context, t.Width)
	tower("", t.Width, t.Layers, t.MLP, true)
	norm("ln_final", t.Width)
	add("text_projection", normal(1/math.Sqrt(float64(t.Width))), t.Width, c.EmbedDim)
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := weights.Write(f, tensors, nil); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
