package lm

// Reading config.json. save_pretrained leaves out what equals the class default, so the defaults here are those of
// transformers 4.33.3 (and llm-foundry 0.1.0 for its own classes).

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"mmc4/kernels"
)

func exp2(x float64) float32 { return float32(math.Exp2(x)) }

// ParseConfig reads a Hugging Face config.json.
func ParseConfig(data []byte) (Config, error) {
	c, err := parse(data)
	if err == nil {
		var named special
		if json.Unmarshal(data, &named) == nil {
			_, c.Ends = EndIDs(named.EOS)
		}
		err = c.check()
	}
	if err != nil {
		return Config{}, fmt.Errorf("language model config: %w", err)
	}
	return c, nil
}

func parse(data []byte) (Config, error) {
	var head struct {
		ModelType     string   `json:"model_type"`
		Architectures []string `json:"architectures"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return Config{}, err
	}
	kind := head.ModelType
	if kind == "" && len(head.Architectures) > 0 {
		kind = map[string]string{"LlamaForCausalLM": "llama", "MPTForCausalLM": "mpt", "MptForCausalLM": "mpt", "MosaicGPT": "mosaic_gpt",
			"GPTNeoXForCausalLM": "gpt_neox", "OPTForCausalLM": "opt", "GPT2LMHeadModel": "gpt2"}[head.Architectures[0]]
	}
	switch Arch(kind) {
	case LLaMA:
		return parseLLaMA(data)
	case MPT:
		return parseMPT(data)
	case MosaicGPT:
		return parseMosaic(data)
	case NeoX:
		return parseNeoX(data)
	case OPT:
		return parseOPT(data)
	case GPT2:
		return parseGPT2(data)
	}
	if kind == "" {
		return Config{}, errors.New("model_type is missing: not the config.json of a language model")
	}
	return Config{}, fmt.Errorf("model_type %q is not supported; llama, mpt, mosaic_gpt, gpt_neox, opt and gpt2 are", kind)
}

// special ids that may be null or lists.
type special struct {
	BOS json.RawMessage `json:"bos_token_id"`
	EOS json.RawMessage `json:"eos_token_id"`
	Pad json.RawMessage `json:"pad_token_id"`
}

// id reads a token id; missing gives the class default, null none, a list its first.
func id(raw json.RawMessage, otherwise int) int {
	if len(raw) == 0 {
		return otherwise
	}
	var one *int
	if json.Unmarshal(raw, &one) == nil {
		if one == nil || *one < 0 {
			return -1
		}
		return *one
	}
	first, _ := EndIDs(raw)
	return first
}

// EndIDs reads an eos_token_id: one, or a list, of which any ends a text. first is -1 when there is none.
func EndIDs(raw json.RawMessage) (first int, others []int) {
	var one *int
	if json.Unmarshal(raw, &one) == nil && one != nil {
		return *one, nil
	}
	var list []int
	if json.Unmarshal(raw, &list) == nil && len(list) > 0 {
		return list[0], list[1:]
	}
	return -1, nil
}

func activation(name string) (kernels.Activation, error) {
	switch name {
	case "gelu":
		return kernels.GELU, nil
	case "gelu_new", "gelu_pytorch_tanh", "gelu_fast":
		return kernels.GELUTanh, nil
	case "relu":
		return kernels.ReLU, nil
	case "silu", "swish":
		return kernels.SiLU, nil
	case "quick_gelu":
		return kernels.QuickGELU, nil
	}
	return 0, fmt.Errorf("the activation %q is not supported", name)
}

// rope is how rotary angles are scaled. transformers 5 moved their base and their share of a head there, and writes them nowhere else.
type rope struct {
	Scaling    *ropeParameters `json:"rope_scaling"`
	Parameters *ropeParameters `json:"rope_parameters"`
}

type ropeParameters struct {
	Type    string   `json:"rope_type"`
	OldType string   `json:"type"`
	Factor  *float64 `json:"factor"`
	Base    *float32 `json:"rope_theta"`
	Share   *float64 `json:"partial_rotary_factor"`
}

// read replaces base and, unless it is nil, share by what is given.
func (in rope) read(base *float32, share *float64) error {
	for _, p := range []*ropeParameters{in.Scaling, in.Parameters} {
		if p == nil {
			continue
		}
		kind := cmp.Or(p.Type, p.OldType, "default")
		if kind != "default" || p.Factor != nil {
			return fmt.Errorf("rotary angles scaled by rope_scaling or rope_parameters of type %q are not supported", kind)
		}
		if p.Base != nil {
			*base = *p.Base
		}
		switch {
		case p.Share == nil:
		case share != nil:
			*share = *p.Share
		case *p.Share != 1:
			return errors.New("partial_rotary_factor is not supported for this model_type")
		}
	}
	return nil
}

func parseLLaMA(data []byte) (Config, error) {
	in := struct {
		special
		rope
		Vocab     int     `json:"vocab_size"`
		Width     int     `json:"hidden_size"`
		MLP       int     `json:"intermediate_size"`
		Layers    int     `json:"num_hidden_layers"`
		Heads     int     `json:"num_attention_heads"`
		KVHeads   *int    `json:"num_key_value_heads"`
		HeadDim   *int    `json:"head_dim"`
		Act       string  `json:"hidden_act"`
		Positions int     `json:"max_position_embeddings"`
		Eps       float32 `json:"rms_norm_eps"`
		Tied      bool    `json:"tie_word_embeddings"`
		Theta     float32 `json:"rope_theta"`
		Bias      bool    `json:"attention_bias"`
		MLPBias   bool    `json:"mlp_bias"`
	}{Vocab: 32000, Width: 4096, MLP: 11008, Layers: 32, Heads: 32, Act: "silu", Positions: 2048, Eps: 1e-6, Theta: 10000}
	if err := json.Unmarshal(data, &in); err != nil {
		return Config{}, err
	}
	if err := in.rope.read(&in.Theta, nil); err != nil {
		return Config{}, err
	}
	if in.Bias || in.MLPBias {
		return Config{}, errors.New("attention_bias and mlp_bias are not supported")
	}
	if in.Heads <= 0 || in.HeadDim != nil && *in.HeadDim*in.Heads != in.Width {
		return Config{}, errors.New("head_dim times num_attention_heads is not hidden_size")
	}
	act, err := activation(in.Act)
	if err != nil {
		return Config{}, err
	}
	kv := in.Heads
	if in.KVHeads != nil {
		kv = *in.KVHeads
	}
	c := Config{Arch: LLaMA, Vocab: in.Vocab, Width: in.Width, Layers: in.Layers, Heads: in.Heads, KVHeads: kv, MLP: in.MLP, EmbedWidth: in.Width,
		MaxPositions: in.Positions, RMSNorm: true, Eps: in.Eps, Act: act, GatedMLP: true, LastNorm: true, Tied: in.Tied,
		RotaryDims: in.Width / in.Heads, RotaryBase: in.Theta, BOS: id(in.BOS, 1), EOS: id(in.EOS, 2), Pad: id(in.Pad, -1)}
	c.NoGradID = c.Pad
	return c, nil
}

func parseNeoX(data []byte) (Config, error) {
	in := struct {
		special
		rope
		Vocab     int     `json:"vocab_size"`
		Width     int     `json:"hidden_size"`
		MLP       int     `json:"intermediate_size"`
		Layers    int     `json:"num_hidden_layers"`
		Heads     int     `json:"num_attention_heads"`
		Act       string  `json:"hidden_act"`
		Rotary    float64 `json:"rotary_pct"`
		Base      float32 `json:"rotary_emb_base"`
		Positions int     `json:"max_position_embeddings"`
		Eps       float32 `json:"layer_norm_eps"`
		Parallel  bool    `json:"use_parallel_residual"`
		Tied      bool    `json:"tie_word_embeddings"`
		Bias      *bool   `json:"attention_bias"`
	}{Vocab: 50432, Width: 6144, MLP: 24576, Layers: 44, Heads: 64, Act: "gelu", Rotary: 0.25, Base: 10000, Positions: 2048, Eps: 1e-5, Parallel: true}
	if err := json.Unmarshal(data, &in); err != nil {
		return Config{}, err
	}
	if err := in.rope.read(&in.Base, &in.Rotary); err != nil {
		return Config{}, err
	}
	if in.Bias != nil && !*in.Bias || in.Heads <= 0 || !(in.Rotary >= 0 && in.Rotary <= 1) {
		return Config{}, errors.New("attention_bias must be true, num_attention_heads positive, rotary_pct within 0 and 1")
	}
	act, err := activation(in.Act)
	if err != nil {
		return Config{}, err
	}
	residual := PreNorm
	if in.Parallel {
		residual = Parallel
	}
	return Config{Arch: NeoX, Vocab: in.Vocab, Width: in.Width, Layers: in.Layers, Heads: in.Heads, KVHeads: in.Heads, MLP: in.MLP, EmbedWidth: in.Width,
		MaxPositions: in.Positions, Eps: in.Eps, Bias: true, NormBias: true, Act: act, Residual: residual, LastNorm: true, Tied: in.Tied,
		RotaryDims: int(float64(in.Width/in.Heads) * in.Rotary), RotaryBase: in.Base,
		BOS: id(in.BOS, 0), EOS: id(in.EOS, 2), Pad: id(in.Pad, -1), NoGradID: -1}, nil
}

func parseOPT(data []byte) (Config, error) {
	in := struct {
		special
		Vocab     int    `json:"vocab_size"`
		Width     int    `json:"hidden_size"`
		MLP       int    `json:"ffn_dim"`
		Layers    int    `json:"num_hidden_layers"`
		Heads     int    `json:"num_attention_heads"`
		Act       string `json:"activation_function"`
		Positions int    `json:"max_position_embeddings"`
		Before    bool   `json:"do_layer_norm_before"`
		NoLast    bool   `json:"_remove_final_layer_norm"`
		Embed     *int   `json:"word_embed_proj_dim"`
		Bias      bool   `json:"enable_bias"`
		Affine    bool   `json:"layer_norm_elementwise_affine"`
		Tied      bool   `json:"tie_word_embeddings"`
	}{Vocab: 50272, Width: 768, MLP: 3072, Layers: 12, Heads: 12, Act: "relu", Positions: 2048, Before: true, Bias: true, Affine: true, Tied: true}
	if err := json.Unmarshal(data, &in); err != nil {
		return Config{}, err
	}
	if !in.Affine {
		return Config{}, errors.New("norms without weights (layer_norm_elementwise_affine false) are not supported")
	}
	act, err := activation(in.Act)
	if err != nil {
		return Config{}, err
	}
	c := Config{Arch: OPT, Vocab: in.Vocab, Width: in.Width, Layers: in.Layers, Heads: in.Heads, KVHeads: in.Heads, MLP: in.MLP, EmbedWidth: in.Width,
		MaxPositions: in.Positions, Eps: 1e-5, Bias: in.Bias, NormBias: true, Act: act, LastNorm: in.Before && !in.NoLast, Tied: in.Tied,
		Positions: LearnedByMask, PositionOffset: 2, BOS: id(in.BOS, 2), EOS: id(in.EOS, 2), Pad: id(in.Pad, 1)}
	if in.Embed != nil {
		c.EmbedWidth = *in.Embed
	}
	if !in.Before {
		c.Residual = PostNorm
	}
	c.NoGradID = c.Pad
	return c, nil
}

func parseGPT2(data []byte) (Config, error) {
	in := struct {
		special
		Vocab     int     `json:"vocab_size"`
		Positions int     `json:"n_positions"`
		Width     int     `json:"n_embd"`
		Layers    int     `json:"n_layer"`
		Heads     int     `json:"n_head"`
		MLP       *int    `json:"n_inner"`
		Act       string  `json:"activation_function"`
		Eps       float32 `json:"layer_norm_epsilon"`
		Scale     bool    `json:"scale_attn_weights"`
		ByLayer   bool    `json:"scale_attn_by_inverse_layer_idx"`
		Tied      bool    `json:"tie_word_embeddings"`
	}{Vocab: 50257, Positions: 1024, Width: 768, Layers: 12, Heads: 12, Act: "gelu_new", Eps: 1e-5, Scale: true, Tied: true}
	if err := json.Unmarshal(data, &in); err != nil {
		return Config{}, err
	}
	act, err := activation(in.Act)
	if err != nil {
		return Config{}, err
	}
	c := Config{Arch: GPT2, Vocab: in.Vocab, Width: in.Width, Layers: in.Layers, Heads: in.Heads, KVHeads: in.Heads, MLP: 4 * in.Width, EmbedWidth: in.Width,
		MaxPositions: in.Positions, Eps: in.Eps, Bias: true, NormBias: true, Act: act, LastNorm: true, Tied: in.Tied,
		Positions: LearnedByPlace, ScaleByLayer: in.ByLayer, BOS: id(in.BOS, 50256), EOS: id(in.EOS, 50256), Pad: id(in.Pad, -1), NoGradID: -1}
	if in.MLP != nil {
		c.MLP = *in.MLP
	}
	if !in.Scale {
		c.Scale = 1
	}
	return c, nil
}
