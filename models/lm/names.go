package lm

// What Hugging Face calls the weights of each family, and finding them in files of other programs: under a prefix, without
// the base model's own, or with something between a layer's number and the rest (open_flamingo's decoder_layer,
// flamingo-mini's lm_block).

import (
	"fmt"
	"strings"

	"mmc4/models/lm/params"
	"mmc4/models/weights"
)

// names are a family's.
type names struct {
	base                                string // the base model's prefix, which files of the bare model leave out
	embed, positions, lastNorm, head    string
	layers                              string // with the number's place as %d
	norm1, norm2                        string
	q, k, v, qkv, out                   string // qkv: packed, q, k and v are then empty
	up, down, gate                      string
	qNorm, kNorm, projectIn, projectOut string
}

func (c Config) names() names {
	switch c.Arch {
	case LLaMA:
		return names{base: "model.", embed: "model.embed_tokens", lastNorm: "model.norm", head: "lm_head", layers: "model.layers.%d.",
			norm1: "input_layernorm", norm2: "post_attention_layernorm", q: "self_attn.q_proj", k: "self_attn.k_proj", v: "self_attn.v_proj", out: "self_attn.o_proj",
			gate: "mlp.gate_proj", up: "mlp.up_proj", down: "mlp.down_proj"}
	case NeoX:
		return names{base: "gpt_neox.", embed: "gpt_neox.embed_in", lastNorm: "gpt_neox.final_layer_norm", head: "embed_out", layers: "gpt_neox.layers.%d.",
			norm1: "input_layernorm", norm2: "post_attention_layernorm", qkv: "attention.query_key_value", out: "attention.dense",
			up: "mlp.dense_h_to_4h", down: "mlp.dense_4h_to_h"}
	case OPT:
		return names{base: "model.", embed: "model.decoder.embed_tokens", positions: "model.decoder.embed_positions", lastNorm: "model.decoder.final_layer_norm",
			head: "lm_head", layers: "model.decoder.layers.%d.", norm1: "self_attn_layer_norm", norm2: "final_layer_norm",
			q: "self_attn.q_proj", k: "self_attn.k_proj", v: "self_attn.v_proj", out: "self_attn.out_proj", up: "fc1", down: "fc2",
			projectIn: "model.decoder.project_in", projectOut: "model.decoder.project_out"}
	case GPT2:
		return names{base: "transformer.", embed: "transformer.wte", positions: "transformer.wpe", lastNorm: "transformer.ln_f", head: "lm_head",
			layers: "transformer.h.%d.", norm1: "ln_1", norm2: "ln_2", qkv: "attn.c_attn", out: "attn.c_proj", up: "mlp.c_fc", down: "mlp.c_proj"}
	case MosaicGPT:
		return names{base: "transformer.", embed: "transformer.wte", positions: "transformer.wpe", lastNorm: "transformer.ln_f", head: "lm_head",
			layers: "transformer.blocks.%d.", norm1: "ln_1", norm2: "ln_2", qkv: "attn.Wqkv", out: "attn.out_proj", qNorm: "attn.q_ln", kNorm: "attn.k_ln",
			up: "mlp.mlp_up", down: "mlp.mlp_down"}
	default: // MPT
		return names{base: "transformer.", embed: "transformer.wte", positions: "transformer.wpe", lastNorm: "transformer.norm_f", head: "lm_head",
			layers: "transformer.blocks.%d.", norm1: "norm_1", norm2: "norm_2", qkv: "attn.Wqkv", out: "attn.out_proj", qNorm: "attn.q_ln", kNorm: "attn.k_ln",
			up: "ffn.up_proj", down: "ffn.down_proj"}
	}
}

// EmbedName is what Hugging Face calls the input embedding.
func (c Config) EmbedName() string { return c.names().embed + ".weight" }

// HeadName is what Hugging Face calls the output head; of a tied one too.
func (c Config) HeadName() string { return c.names().head + ".weight" }

// LayerName is the prefix of a layer's weights, with a dot at its end.
func (c Config) LayerName(i int) string { return fmt.Sprintf(c.names().layers, i) }

// wrappers are what programs put between a layer's number and the rest of the name.
var wrappers = []string{"", "decoder_layer.", "lm_block."}

// Files is a source of the weights of a file, whatever program wrote it. The prefix is found.
func Files(c Config, file *weights.File) params.Source {
	n := c.names()
	f := &fileNames{file: file, layers: strings.TrimSuffix(n.layers, "%d.")}
	anchor := n.embed + ".weight"
	var ok bool
	if f.prefix, ok = params.PrefixOf(file, anchor); !ok {
		if f.prefix, ok = params.PrefixOf(file, strings.TrimPrefix(anchor, n.base)); ok {
			f.drop = n.base
		}
	}
	return f
}

// whole refuses weights that go on after the config's last layer: half a model computes without a complaint.
func whole(source params.Source, c Config) error {
	n := c.names()
	if file, stored, more := source.Find(fmt.Sprintf(n.layers, c.Layers) + n.norm1 + ".weight"); more {
		return fmt.Errorf("%s: there is a tensor %q, but the config has %d layers: it describes a smaller model than this file", file.Path, stored, c.Layers)
	}
	return nil
}

type fileNames struct {
	file         *weights.File
	prefix, drop string
	layers       string // what stands before a layer's number
}

func (f *fileNames) Find(name string) (*weights.File, string, bool) {
	plain := f.prefix + strings.TrimPrefix(name, f.drop)
	rest, inLayer := strings.CutPrefix(name, f.layers)
	if !inLayer {
		return f.file, plain, f.file.Has(plain)
	}
	number, rest, _ := strings.Cut(rest, ".")
	layer := f.prefix + strings.TrimPrefix(f.layers, f.drop) + number + "."
	for _, w := range wrappers {
		if f.file.Has(layer + w + rest) {
			return f.file, layer + w + rest, true
		}
	}
	return f.file, plain, false
}
