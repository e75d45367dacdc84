package flamingo

import (
	"fmt"
	"testing"
)

// released are the models that were published, with the number of trainable parameters that their logs and file sizes show.
var released = []struct {
	name, lm string
	every    int
	vocab    int
	frozen   bool // the embedding
	trained  int64
}{
	{"OpenFlamingo-9B (LLaMA-7B)", `"model_type": "llama"`, 4, 32003, false, 1309919248},
	{"LLaMA-7B, every 2nd layer", `"model_type": "llama"`, 2, 32003, false, 2425735200},
	{"OpenFlamingo-3B (MPT-1B)", `"model_type": "mosaic_gpt", "d_model": 2048, "n_heads": 16, "n_layers": 24, "alibi": true, "attn_qk_ln": true, "no_bias": true`, 1, 50280, false, 1046992944},
	{"OpenFlamingo-4B (RedPajama-3B)", `"model_type": "gpt_neox", "hidden_size": 2560, "num_hidden_layers": 32, "num_attention_heads": 32, "intermediate_size": 10240, "rotary_pct": 1.0, "use_parallel_residual": false`, 2, 50280, true, 960763936},
	{"OpenFlamingo-9B (MPT-7B)", `"model_type": "mpt", "d_model": 4096, "n_heads": 32, "n_layers": 32`, 4, 50280, false, 1384781840},
}

const vitL = `{"embed_dim": 768, "quick_gelu": true, "vision_cfg": {"image_size": 224, "layers": 24, "width": 1024, "patch_size": 14}}`

func releasedConfig(t *testing.T, i int) Config {
	r := released[i]
	c, err := ParseConfig(fmt.Appendf(nil, `{"vision": %s, "lm": {%s, "vocab_size": %d}, "cross_attn_every_n_layers": %d}`, vitL, r.lm, r.vocab, r.every))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCountReleasedModels(t *testing.T) {
	for i, r := range released {
		n := Count(releasedConfig(t, i))
		if got := n.Trained(r.frozen); got != r.trained {
			t.Errorf("%s: %d trained parameters, published %d", r.name, got, r.trained)
		}
		if n.Perceiver != 63019008 {
			t.Errorf("%s: %d in the resampler", r.name, n.Perceiver)
		}
		if n.Vision != 303177728 { // ViT-L/14's 303,966,208 without ln_post and projection
			t.Errorf("%s: %d in the tower", r.name, n.Vision)
		}
	}
}

// The header of a published file can be written from its config alone.
func TestNamesOfReleasedModels(t *testing.T) {
	m := Plan(releasedConfig(t, 4))
	shapes := map[string]string{}
	for _, w := range m.Trained() {
		shapes[w.Name] = fmt.Sprint(w.Shape)
	}
	for name, want := range map[string]string{
		"perceiver.latents":                                                           "[64 1024]",
		"perceiver.layers.5.0.norm_latents.bias":                                      "[1024]",
		"perceiver.layers.5.0.to_q.weight":                                            "[512 1024]",
		"perceiver.layers.5.0.to_kv.weight":                                           "[1024 1024]",
		"perceiver.layers.0.0.to_out.weight":                                          "[1024 512]",
		"perceiver.layers.0.1.1.weight":                                               "[4096 1024]",
		"perceiver.layers.0.1.3.weight":                                               "[1024 4096]",
		"perceiver.norm.weight":                                                       "[1024]",
		"lang_encoder.transformer.blocks.3.gated_cross_attn_layer.attn_gate":          "[1]",
		"lang_encoder.transformer.blocks.31.gated_cross_attn_layer.ff_gate":           "[1]",
		"lang_encoder.transformer.blocks.7.gated_cross_attn_layer.attn.to_q.weight":   "[512 4096]",
		"lang_encoder.transformer.blocks.7.gated_cross_attn_layer.attn.to_kv.weight":  "[1024 1024]",
		"lang_encoder.transformer.blocks.7.gated_cross_attn_layer.attn.to_out.weight": "[4096 512]",
		"lang_encoder.transformer.blocks.7.gated_cross_attn_layer.ff.1.weight":        "[16384 4096]",
		"lang_encoder.transformer.wte.weight":                                         "[50280 4096]",
	} {
		if shapes[name] != want {
			t.Errorf("%s has shape %q, want %s", name, shapes[name], want)
		}
	}
	if n := len(m.Gated); n != 8*11 {
		t.Errorf("%d tensors in gated blocks", n)
	}
}
