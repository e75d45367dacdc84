package clip

import (
	"reflect"
	"strings"
	"testing"

	"mmc4/kernels"
)

func TestParseConfig(t *testing.T) {
	vitL := Config{EmbedDim: 768,
		Vision: VisionConfig{Width: 1024, Layers: 24, Heads: 16, MLP: 4096, PatchSize: 14, ImageSize: 224, Act: kernels.QuickGELU, Eps: 1e-5},
		Text:   TextConfig{Width: 768, Layers: 12, Heads: 12, MLP: 3072, Context: 77, Vocab: 49408, Act: kernels.QuickGELU, Eps: 1e-5, EOS: -1}}
	open := `{"embed_dim": 768, "quick_gelu": true, "vision_cfg": {"image_size": 224, "layers": 24, "width": 1024, "patch_size": 14},
		"text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 768, "heads": 12, "layers": 12}}`
	hf := `{"model_type": "clip", "projection_dim": 768,
		"vision_config": {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16, "patch_size": 14},
		"text_config": {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12, "eos_token_id": 2}}`
	for _, text := range []string{open, `{"model_cfg": ` + open + `, "preprocess_cfg": {}}`, hf} {
		got, err := ParseConfig([]byte(text))
		if err != nil || !reflect.DeepEqual(got, vitL) {
			t.Errorf("%+v, want %+v (%v)", got, vitL, err)
		}
	}
	if vitL.Vision.Patches() != 256 {
		t.Errorf("%d patches", vitL.Vision.Patches())
	}
	b32, err := ParseConfig([]byte(`{"vision_config": {}, "text_config": {}}`))
	if err != nil || b32.Vision.PatchSize != 32 || b32.Text.EOS != 49407 {
		t.Errorf("class defaults: %+v %v", b32, err)
	}
	if _, err := ParseConfig([]byte(`{"embed_dim": 8, "vision_cfg": {"pool_type": "tok", "no_ln_pre": false, "norm_kwargs": {}, "patch_dropout": 0.5, "output_tokens": true},
		"text_cfg": {"pool_type": "argmax", "proj_type": "linear", "ls_init_value": null, "pad_id": 1}}`)); err != nil {
		t.Errorf("what changes nothing: %v", err)
	}
	twice, err := ParseConfig([]byte(`{"vision_config": {"patch_size": 7}, "vision_config_dict": {"hidden_act": "gelu"}, "text_config": {"num_hidden_layers": 3}, "text_config_dict": null}`))
	if err != nil || twice.Vision.PatchSize != 32 || twice.Vision.Act != kernels.GELU || twice.Text.Layers != 3 {
		t.Errorf("towers described twice: %+v %v", twice, err)
	}
	for text, says := range map[string]string{
		`[]`: "cannot unmarshal",
		`{}`: "not the config of a CLIP model",
		`{"embed_dim": 8, "vision_cfg": {"layers": [3, 4, 6, 3]}, "text_cfg": {}}`:                     "ResNet",
		`{"embed_dim": 8, "vision_cfg": {"timm_model_name": "convnext"}, "text_cfg": {}}`:              "timm",
		`{"embed_dim": 8, "vision_cfg": {}, "text_cfg": {"hf_model_name": "xlm-roberta-base"}}`:        "xlm-roberta-base",
		`{"embed_dim": 8, "vision_cfg": {"global_average_pool": true}, "text_cfg": {}}`:                "vision_cfg.global_average_pool",
		`{"embed_dim": 8, "vision_cfg": {"no_ln_pre": true}, "text_cfg": {}}`:                          "vision_cfg.no_ln_pre",
		`{"embed_dim": 8, "vision_cfg": {"norm_kwargs": {"eps": 1e-6}}, "text_cfg": {}}`:               "vision_cfg.norm_kwargs",
		`{"embed_dim": 8, "vision_cfg": {"attentional_pool": "parallel"}, "text_cfg": {}}`:             "vision_cfg.attentional_pool",
		`{"embed_dim": 8, "vision_cfg": {}, "text_cfg": {"no_causal_mask": true}}`:                     "text_cfg.no_causal_mask",
		`{"embed_dim": 8, "vision_cfg": {}, "text_cfg": {"pool_type": "last"}}`:                        "text_cfg.pool_type",
		`{"embed_dim": 8, "init_logit_bias": -10, "vision_cfg": {}, "text_cfg": {}}`:                   "init_logit_bias",
		`{"embed_dim": 8, "vision_cfg": {"width": 100, "head_width": 64}, "text_cfg": {"width": 513}}`: "multiple",
		`{"embed_dim": 8, "vision_cfg": {"width": 64, "head_width": 128}, "text_cfg": {}}`:             "heads is 0",
		`{"embed_dim": 8, "vision_cfg": {"patch_size": 300}, "text_cfg": {}}`:                          "patches of 300",
		`{"embed_dim": 99999999, "vision_cfg": {}, "text_cfg": {}}`:                                    "embed_dim",
		`{"vision_config": {"hidden_act": "relu6"}, "text_config": {}}`:                                "relu6",
		`{"model_type": "siglip", "vision_config": {}, "text_config": {}}`:                             "siglip",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte(`{"embed_dim": 8, "vision_cfg": {"layers": 2}, "text_cfg": {}}`))
	f.Add([]byte(`{"model_cfg": {"model_cfg": {"vision_config": {}, "text_config": {}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := ParseConfig(data)
		if err == nil && (c.Vision.Patches() < 1 || c.Vision.Width%c.Vision.Heads != 0) {
			t.Errorf("%s: %+v", data, c)
		}
	})
}
