package dedup

// This file is the small networks on CLIP image features: NSFW heads and the face probe. It reads weight files and
// features, and writes scores.

import (
	"context"
	"fmt"
	"math"

	"mmc4/models/weights"
)

// The layouts of weight files that ReadHead knows.
const (
	// LayoutDataComp is the NSFW head of mlfoundations/dataset2metadata, the one MMC4 used: a batch normalisation with
	// eps 0, then four linear layers with ReLU between them, then a sigmoid (published sizes 768-64-512-256-1).
	LayoutDataComp = "datacomp"
	// LayoutH14 is LAION's NSFW head for ViT-H/14 (h14_nsfw_model.py): seven linear layers, ReLU after the first five, no
	// sigmoid (published sizes 1024-1024-2048-1024-256-128-16-1).
	LayoutH14 = "h14"
	// LayoutProbe is logistic regression: one linear layer and a sigmoid. MMC4's face probe is of this form.
	LayoutProbe = "probe"
)

// Head scores CLIP image features. Its layout is recognised by the names of its weights, its sizes come from them.
type Head struct {
	Layout string

	norm    *normalisation
	layers  []linear
	sigmoid bool
}

// normalisation is y = x*scale + shift, element by element.
type normalisation struct{ scale, shift []float64 }

// linear is y = weight x + bias, weight [out][in] in rows.
type linear struct {
	in, out      int
	weight, bias []float32
	relu         bool
}

// LoadHead reads the weights of an NSFW head or of a face probe from a safetensors or PyTorch file.
func LoadHead(ctx context.Context, path string) (*Head, error) {
	f, err := weights.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return ReadHead(f, "")
}

// ReadHead reads the head whose tensors have this prefix to their names. The head keeps no reference to f.
func ReadHead(f *weights.File, prefix string) (*Head, error) {
	h := &Head{sigmoid: true}
	var names []string
	switch {
	case f.Has(prefix + "dense3.weight"):
		h.Layout = LayoutDataComp
		names = []string{"dense", "dense1", "dense2", "dense3"}
	case f.Has(prefix + "layers.16.weight"):
		h.Layout, h.sigmoid = LayoutH14, false
		names = []string{"layers.0", "layers.3", "layers.6", "layers.9", "layers.12", "layers.15", "layers.16"}
	case f.Has(prefix + "linear.weight"):
		h.Layout = LayoutProbe
		names = []string{"linear"}
	default:
		return nil, fmt.Errorf("%s: not a head on CLIP features: none of the tensors %sdense3.weight (layout datacomp), %slayers.16.weight (h14) and %slinear.weight (probe) is in it",
			f.Path, prefix, prefix, prefix)
	}
	withoutReLU := 1 // layers at the end
	if h.Layout == LayoutH14 {
		withoutReLU = 2
	}
	in := -1
	for i, name := range names {
		layer, err := readLinear(f, prefix+name, in)
		if err != nil {
			return nil, err
		}
		layer.relu = i < len(names)-withoutReLU
		h.layers = append(h.layers, layer)
		in = layer.out
	}
	if in != 1 {
		return nil, fmt.Errorf("%s: the last layer %q gives %d values, a head gives one", f.Path, names[len(names)-1], in)
	}
	if h.Layout == LayoutDataComp {
		var err error
		if h.norm, err = readNorm(f, prefix+"norm", h.Dim()); err != nil {
			return nil, err
		}
	}
	return h, nil
}

func readLinear(f *weights.File, name string, in int) (linear, error) {
	var l linear
	w, err := f.Want(name+".weight", -1, in)
	if err != nil {
		return l, err
	}
	b, err := f.Want(name+".bias", w.Shape[0])
	if err != nil {
		return l, err
	}
	l.out, l.in = w.Shape[0], w.Shape[1]
	if l.weight, err = floats(f, w); err != nil {
		return l, err
	}
	l.bias, err = floats(f, b)
	return l, err
}

func readNorm(f *weights.File, name string, dim int) (*normalisation, error) {
	var parts [4][]float32
	for i, part := range []string{"weight", "bias", "running_mean", "running_var"} {
		t, err := f.Want(name+"."+part, dim)
		if err != nil {
			return nil, err
		}
		if parts[i], err = floats(f, t); err != nil {
			return nil, err
		}
	}
	n := &normalisation{make([]float64, dim), make([]float64, dim)}
	for i := range dim {
		n.scale[i] = float64(parts[0][i]) / math.Sqrt(float64(parts[3][i]))
		n.shift[i] = float64(parts[1][i]) - float64(float64(parts[2][i])*n.scale[i])
	}
	return n, nil
}

// floats copies a tensor out of its file.
func floats(f *weights.File, t weights.Tensor) ([]float32, error) {
	v, err := t.Float32()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Path, err)
	}
	return append([]float32(nil), v...), nil
}

// Dim is the number of features the head takes.
func (h *Head) Dim() int { return h.layers[0].in }

// Scores gives one score for each row of L2-normalised image features [n][Dim]: a probability, except that layout h14
// gives a number near 0..1 without a bound. Sums are in float64. A Head may serve several goroutines.
func (h *Head) Scores(features [][]float32) ([]float32, error) {
	scores := make([]float32, len(features))
	widest := h.Dim()
	for _, l := range h.layers {
		widest = max(widest, l.out)
	}
	x, y := make([]float64, widest), make([]float64, widest)
	for n, row := range features {
		if len(row) != h.Dim() {
			return nil, fmt.Errorf("image %d has %d features, but the %s head was made for %d: it belongs to another CLIP model", n, len(row), h.Layout, h.Dim())
		}
		for i, v := range row {
			x[i] = float64(v)
			if h.norm != nil {
				x[i] = float64(x[i]*h.norm.scale[i]) + h.norm.shift[i]
			}
		}
		for _, l := range h.layers {
			l.apply(y, x)
			x, y = y, x
		}
		if h.sigmoid {
			x[0] = 1 / (1 + math.Exp(-x[0]))
		}
		scores[n] = float32(x[0])
	}
	return scores, nil
}

// apply computes y from x. The conversions keep multiply and add apart, so that every machine gives the same.
func (l *linear) apply(y, x []float64) {
	x = x[:l.in]
	for o := range l.out {
		w := l.weight[o*l.in:][:len(x)]
		var even, odd float64
		i := 0
		for ; i+2 <= len(x); i += 2 {
			even += float64(float64(w[i]) * x[i])
			odd += float64(float64(w[i+1]) * x[i+1])
		}
		if i < len(x) {
			even += float64(float64(w[i]) * x[i])
		}
		s := even + odd + float64(l.bias[o])
		if l.relu {
			s = max(s, 0)
		}
		y[o] = s
	}
}
