package lm

import (
	"reflect"
	"strings"
	"testing"

	"mmc4/kernels"
)

func TestParseConfig(t *testing.T) {
	// class defaults, which save_pretrained leaves out
	opt := Config{Arch: OPT, Vocab: 50272, Width: 768, Layers: 12, Heads: 12, KVHeads: 12, MLP: 3072, EmbedWidth: 768, MaxPositions: 2048, Eps: 1e-5, Bias: true,
		NormBias: true, Act: kernels.ReLU, LastNorm: true, Tied: true, Positions: LearnedByMask, PositionOffset: 2, BOS: 2, EOS: 2, Pad: 1, NoGradID: 1}
	mpt := Config{Arch: MPT, Vocab: 50368, Width: 2048, Layers: 24, Heads: 16, KVHeads: 16, MLP: 8192, EmbedWidth: 2048, MaxPositions: 2048, Eps: 1e-5,
		Act: kernels.GELU, LastNorm: true, Tied: true, ALiBi: true, ALiBiMax: 8, BOS: -1, EOS: -1, Pad: -1, NoGradID: -1}
	turned := Config{Arch: LLaMA, Vocab: 32000, Width: 4096, Layers: 32, Heads: 32, KVHeads: 32, MLP: 11008, EmbedWidth: 4096, MaxPositions: 2048, RMSNorm: true,
		Eps: 1e-6, Act: kernels.SiLU, GatedMLP: true, LastNorm: true, RotaryDims: 128, RotaryBase: 7e5, BOS: 1, EOS: 2, Pad: -1, NoGradID: -1}
	half := Config{Arch: NeoX, Vocab: 50432, Width: 6144, Layers: 44, Heads: 64, KVHeads: 64, MLP: 24576, EmbedWidth: 6144, MaxPositions: 2048, Eps: 1e-5, Bias: true,
		NormBias: true, Act: kernels.GELU, Residual: Parallel, LastNorm: true, RotaryDims: 48, RotaryBase: 5000, EOS: 2, Pad: -1, NoGradID: -1}
	own := mpt
	own.QKNorm, own.ClipQKV, own.ALiBiMax, own.LogitScale, own.Scale = true, 6, 16, 0.5, 0.25
	for text, want := range map[string]Config{
		`{"model_type": "opt"}`: opt,
		`{"model_type": "mpt", "architectures": ["MptForCausalLM"], "attn_config": {"model_type": "", "qk_ln": true, "clip_qkv": 6, "alibi_bias_max": 16}, "logit_scale": 0.5, "expansion_ratio": 2}`: mpt,
		`{"model_type": "mpt", "architectures": ["MPTForCausalLM"], "no_bias": true, "norm_type": "LayerNorm", "logit_scale": 0.5,
			"attn_config": {"alibi": true, "qk_ln": true, "clip_qkv": 6, "alibi_bias_max": 16, "softmax_scale": 0.25}}`: own,
		// as transformers 5 writes them
		`{"model_type": "llama", "rope_parameters": {"rope_theta": 700000.0, "rope_type": "default"}}`:                              turned,
		`{"model_type": "gpt_neox", "rope_parameters": {"partial_rotary_factor": 0.5, "rope_theta": 5000, "rope_type": "default"}}`: half,
	} {
		got, err := ParseConfig([]byte(text))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n%+v, want\n%+v (%v)", text, got, want, err)
		}
	}
	for text, says := range map[string]string{
		`[]`:                      "cannot unmarshal",
		`{}`:                      "model_type is missing",
		`{"model_type": "bloom"}`: `"bloom" is not supported`,
		`{"model_type": "llama", "rope_scaling": {"type": "linear"}}`:                                       "rope_scaling",
		`{"model_type": "llama", "rope_parameters": {"rope_type": "llama3", "rope_theta": 1, "factor": 8}}`: `"llama3"`,
		`{"model_type": "llama", "rope_parameters": {"partial_rotary_factor": 0.5}}`:                        "partial_rotary_factor",
		`{"model_type": "llama", "num_attention_heads": 0}`:                                                 "head_dim",
		`{"model_type": "llama", "num_attention_heads": 3}`:                                                 "no multiple of 3 heads",
		`{"model_type": "llama", "num_key_value_heads": 5}`:                                                 "key and value heads",
		`{"model_type": "gpt_neox", "rotary_pct": 0.04}`:                                                    "must be even",
		`{"model_type": "gpt2", "activation_function": "mish"}`:                                             "mish",
		`{"model_type": "gpt2", "vocab_size": 99999999}`:                                                    "vocabulary is 99999999",
		`{"model_type": "opt", "layer_norm_elementwise_affine": false}`:                                     "norms without weights",
		`{"model_type": "mosaic_gpt", "prefix_lm": true}`:                                                   "prefix_lm",
		`{"model_type": "mosaic_gpt", "logit_scale": "x"}`:                                                  "logit_scale",
		`{"model_type": "mosaic_gpt", "mlp_ratio": 1e9}`:                                                    "expansion ratio",
		`{"model_type": "mpt", "auto_map": {}, "norm_type": "batchnorm"}`:                                   "batchnorm",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, text := range tiny {
		f.Add([]byte(text))
	}
	f.Add([]byte(`{"model_type": "mpt", "attn_config": {"alibi": 3}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig(data)
		if err == nil && (c.HeadDim() < 1 || c.Width%c.Heads != 0 || c.Heads%c.KVHeads != 0) {
			t.Errorf("%s: %+v", data, c)
		}
	})
}
