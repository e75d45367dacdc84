package lm

import (
	"errors"
	"fmt"

	"mmc4/kernels"
)

// Arch is the family that names the weights.
type Arch string

const (
	LLaMA     Arch = "llama"
	MPT       Arch = "mpt"
	MosaicGPT Arch = "mosaic_gpt" // MPT before it had that name
	NeoX      Arch = "gpt_neox"
	OPT       Arch = "opt"
	GPT2      Arch = "gpt2"
)

// Residual is how a layer adds its branches.
type Residual uint8

const (
	PreNorm  Residual = iota // x += attention(norm x); x += mlp(norm x)
	Parallel                 // x += attention(norm1 x) + mlp(norm2 x)
	PostNorm                 // x = norm(x + attention x); x = norm(x + mlp x)
)

// Positions is how a model knows the order of tokens, besides rotary angles and ALiBi.
type Positions uint8

const (
	NoPositions      Positions = iota
	LearnedByPlace             // GPT-2: 0..T-1 in forward; generate counts the mask
	LearnedByMask              // OPT: tokens that the mask shows are counted, plus PositionOffset
	LearnedLessShift           // MPT without ALiBi: the place less the number of hidden tokens up to it
)

// Config is what a model is made of.
type Config struct {
	Arch Arch

	Vocab, Width, Layers int
	Heads, KVHeads       int // KVHeads < Heads: grouped queries
	MLP                  int // width of the hidden layer
	EmbedWidth           int // of the embedding; other than Width in OPT-350M
	MaxPositions         int

	RMSNorm  bool
	Eps      float32
	Bias     bool // linear layers
	NormBias bool
	Act      kernels.Activation
	GatedMLP bool // act(gate x) * up x
	Residual Residual
	LastNorm bool // after the last layer
	Tied     bool // the output head is the embedding

	Positions      Positions
	PositionOffset int
	RotaryDims     int // features of a head that are turned; 0: none
	RotaryBase     float32
	ALiBi          bool
	ALiBiMax       float64 // bias max
	Scale          float32 // of scores; 0: 1/sqrt(D)
	ScaleByLayer   bool    // scores of layer i are divided by i+1
	ClipQKV        float32 // 0: none
	QKNorm         bool    // LayerNorm over all features of q and of k
	LogitScale     float32 // 0: 1

	// BOS, EOS, Pad are special ids of the config, -1 when it has none.
	BOS, EOS, Pad int
	// Ends are further ids that end a text, where the config lists several.
	Ends []int
	// NoGradID is an id whose embedding gets no gradient from the input (torch's padding_idx), or -1.
	NoGradID int
}

// HeadDim is the number of features of a head.
func (c Config) HeadDim() int { return c.Width / c.Heads }

// addsMasks says that transformers adds the causal and the padding mask of the family, so that a padded place, which sees
// nothing, attends to what is hidden once alone. The others replace scores. Only what reads padded places can tell: open_flamingo's
// ranking.
func (c Config) addsMasks() bool { return c.Arch == LLaMA || c.Arch == NeoX || c.Arch == GPT2 }

const maxConfig = 1 << 24 // no number of a config may be larger

func (c Config) check() error {
	for _, n := range []struct {
		name  string
		value int
	}{
		{"vocabulary", c.Vocab}, {"width", c.Width}, {"number of layers", c.Layers}, {"number of heads", c.Heads},
		{"number of key and value heads", c.KVHeads}, {"mlp width", c.MLP}, {"embedding width", c.EmbedWidth}, {"number of positions", c.MaxPositions},
	} {
		if n.value <= 0 || n.value > maxConfig {
			return fmt.Errorf("the %s is %d", n.name, n.value)
		}
	}
	switch {
	case c.Layers > 1<<16:
		return fmt.Errorf("%d layers", c.Layers)
	case c.Width%c.Heads != 0:
		return fmt.Errorf("the width %d is no multiple of %d heads", c.Width, c.Heads)
	case c.Heads%c.KVHeads != 0:
		return fmt.Errorf("%d heads are no multiple of %d key and value heads", c.Heads, c.KVHeads)
	case c.RotaryDims%2 != 0 || c.RotaryDims < 0 || c.RotaryDims > c.HeadDim():
		return fmt.Errorf("rotary angles turn %d of %d features of a head: the number must be even", c.RotaryDims, c.HeadDim())
	case c.RotaryDims > 0 && !(c.RotaryBase > 0):
		return fmt.Errorf("the rotary base is %v", c.RotaryBase)
	case !(c.Eps > 0):
		return fmt.Errorf("the norm's epsilon is %v", c.Eps)
	case c.EmbedWidth != c.Width && c.Arch != OPT:
		return errors.New("only OPT may have an embedding of another width")
	}
	return nil
}

// Slopes are the ALiBi slopes of n heads: powers of two, and for another n every second slope of the next power of two
// from the second on, then from the first (llm-foundry's gen_slopes).
func Slopes(n int, biasMax float64) []float32 {
	power := 1
	for power < n {
		power *= 2
	}
	all := make([]float32, power)
	for i := range all {
		all[i] = exp2(-float64(i+1) * biasMax / float64(power))
	}
	if power == n {
		return all
	}
	picked := make([]float32, 0, power)
	for _, from := range []int{1, 0} {
		for i := from; i < power; i += 2 {
			picked = append(picked, all[i])
		}
	}
	return picked[:n]
}
