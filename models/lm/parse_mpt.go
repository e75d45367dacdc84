package lm

// MPT under its three names. transformers' MptForCausalLM and MosaicML's own MPTForCausalLM read the same keys differently:
// the former always has ALiBi with a bias maximum of 8, a hidden layer of 4 times the width and no biases, and ignores
// qk_ln, clip_qkv and logit_scale; the latter does what its config says. MosaicGPT is MPT-1B's class.

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"mmc4/kernels"
)

type mptAttention struct {
	Type       string   `json:"attn_type"`
	QKNorm     bool     `json:"qk_ln"`
	Clip       *float32 `json:"clip_qkv"`
	Scale      *float32 `json:"softmax_scale"`
	PrefixLM   bool     `json:"prefix_lm"`
	SequenceID bool     `json:"attn_uses_sequence_id"`
	ALiBi      bool     `json:"alibi"`
	ALiBiMax   float64  `json:"alibi_bias_max"`
}

type mptConfig struct {
	special
	Architectures []string        `json:"architectures"`
	AutoMap       json.RawMessage `json:"auto_map"`
	Width         int             `json:"d_model"`
	Heads         int             `json:"n_heads"`
	Layers        int             `json:"n_layers"`
	Expansion     json.Number     `json:"expansion_ratio"`
	Positions     int             `json:"max_seq_len"`
	Vocab         int             `json:"vocab_size"`
	Eps           float32         `json:"layer_norm_epsilon"`
	NoBias        *bool           `json:"no_bias"`
	Norm          string          `json:"norm_type"`
	LogitScale    json.RawMessage `json:"logit_scale"`
	Fraction      float64         `json:"embedding_fraction"`
	Attention     json.RawMessage `json:"attn_config"`
	// MosaicGPT's
	Ratio     json.Number `json:"mlp_ratio"`
	QKNorm    bool        `json:"attn_qk_ln"`
	Clip      *float32    `json:"attn_clip_qkv"`
	Scale     *float32    `json:"softmax_scale"`
	ALiBi     bool        `json:"alibi"`
	ALiBiMax  float64     `json:"alibi_bias_max"`
	PrefixLM  bool        `json:"prefix_lm"`
	Sequences bool        `json:"attn_uses_sequence_id"`
}

func readMPT(data []byte) (mptConfig, error) {
	in := mptConfig{Width: 2048, Heads: 16, Layers: 24, Expansion: "4", Ratio: "4", Positions: 2048, Vocab: 50368, Eps: 1e-5,
		Norm: "low_precision_layernorm", ALiBiMax: 8, Fraction: 1}
	err := json.Unmarshal(data, &in)
	return in, err
}

// base is what all three have in common.
func (in mptConfig) base(arch Arch) Config {
	return Config{Arch: arch, Vocab: in.Vocab, Width: in.Width, Layers: in.Layers, Heads: in.Heads, KVHeads: in.Heads, MLP: 4 * in.Width, EmbedWidth: in.Width,
		MaxPositions: in.Positions, Eps: 1e-5, Act: kernels.GELU, LastNorm: true, Tied: true, ALiBi: true, ALiBiMax: 8,
		BOS: id(in.BOS, -1), EOS: id(in.EOS, -1), Pad: id(in.Pad, -1), NoGradID: -1}
}

func parseMPT(data []byte) (Config, error) {
	in, err := readMPT(data)
	if err != nil {
		return Config{}, err
	}
	own := slices.Contains(in.Architectures, "MPTForCausalLM") || len(in.AutoMap) > 0
	attention := mptAttention{Type: "multihead_attention", ALiBi: !own, ALiBiMax: 8}
	if len(in.Attention) > 0 {
		if err := json.Unmarshal(in.Attention, &attention); err != nil {
			return Config{}, fmt.Errorf("attn_config: %w", err)
		}
	}
	c := in.base(MPT)
	if !own {
		c.Eps = in.Eps
		c.setScale(attention.Scale)
		return c, nil
	}
	if err := in.own(&c, attention, in.Expansion); err != nil {
		return Config{}, err
	}
	return c, nil
}

func parseMosaic(data []byte) (Config, error) {
	in, err := readMPT(data)
	if err != nil {
		return Config{}, err
	}
	c := in.base(MosaicGPT)
	err = in.own(&c, mptAttention{Type: "multihead_attention", QKNorm: in.QKNorm, Clip: in.Clip, Scale: in.Scale, PrefixLM: in.PrefixLM,
		SequenceID: in.Sequences, ALiBi: in.ALiBi, ALiBiMax: in.ALiBiMax}, in.Ratio)
	return c, err
}

// own reads what MosaicML's classes honour.
func (in mptConfig) own(c *Config, a mptAttention, ratio json.Number) error {
	expansion, err := ratio.Float64()
	switch {
	case err != nil || !(expansion > 0 && expansion < 1024):
		return fmt.Errorf("the expansion ratio is %q", ratio)
	case in.Fraction != 1:
		return fmt.Errorf("embedding_fraction %v is not supported", in.Fraction)
	case a.PrefixLM || a.SequenceID:
		return fmt.Errorf("prefix_lm and attn_uses_sequence_id are not supported")
	case a.Type != "multihead_attention" && a.Type != "multiquery_attention":
		return fmt.Errorf("attn_type %q is not supported", a.Type)
	}
	if a.Type == "multiquery_attention" {
		c.KVHeads = 1
	}
	c.MLP = int(expansion * float64(in.Width))
	c.Bias = in.NoBias == nil || !*in.NoBias
	switch strings.ToLower(in.Norm) { // as llm-foundry looks it up
	case "layernorm", "low_precision_layernorm":
		c.NormBias = c.Bias
	case "rmsnorm", "low_precision_rmsnorm":
		c.RMSNorm = true
	default:
		return fmt.Errorf("norm_type %q is not supported", in.Norm)
	}
	c.QKNorm, c.ALiBi, c.ALiBiMax = a.QKNorm, a.ALiBi, a.ALiBiMax
	if !a.ALiBi {
		c.Positions = LearnedLessShift
	}
	if a.Clip != nil {
		c.ClipQKV = *a.Clip
	}
	c.setScale(a.Scale)
	return in.logitScale(c)
}

func (c *Config) setScale(scale *float32) {
	if scale != nil {
		c.Scale = *scale
	}
}

// logitScale is a number or "inv_sqrt_d_model".
func (in mptConfig) logitScale(c *Config) error {
	if len(in.LogitScale) == 0 || string(in.LogitScale) == "null" {
		return nil
	}
	var text string
	if json.Unmarshal(in.LogitScale, &text) == nil && text == "inv_sqrt_d_model" && in.Width > 0 {
		c.LogitScale = float32(1 / math.Sqrt(float64(in.Width)))
		return nil
	}
	if json.Unmarshal(in.LogitScale, &c.LogitScale) != nil || c.LogitScale == 0 {
		return fmt.Errorf("logit_scale %s is neither a number other than 0 nor \"inv_sqrt_d_model\"", in.LogitScale)
	}
	return nil
}
