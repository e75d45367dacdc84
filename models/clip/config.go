package clip

// The shape of a model. Reads open_clip's JSON (open_clip_config.json, model_configs/*.json) and Hugging Face's config.json.

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"mmc4/kernels"
)

// Config is the shape of a CLIP model with a vision transformer.
type Config struct {
	EmbedDim int // features of the shared space
	Vision   VisionConfig
	Text     TextConfig
}

// VisionConfig is the image tower.
type VisionConfig struct {
	Width, Layers, Heads int
	MLP                  int // width of the hidden layer
	PatchSize, ImageSize int
	Act                  kernels.Activation
	Eps                  float32 // of the norms
}

// Patches is the number of patches of a picture.
func (c VisionConfig) Patches() int { return (c.ImageSize / c.PatchSize) * (c.ImageSize / c.PatchSize) }

// TextConfig is the text tower.
type TextConfig struct {
	Width, Layers, Heads int
	MLP                  int
	Context, Vocab       int
	Act                  kernels.Activation
	Eps                  float32
	// EOS is the id whose first place gives the feature; -1: the first of the largest ids, as OpenAI's and open_clip's do.
	EOS int
}

// ParseConfig reads either form.
func ParseConfig(data []byte) (Config, error) {
	var probe map[string]json.RawMessage
	if err := json.Unmarshal(data, &probe); err != nil {
		return Config{}, fmt.Errorf("clip config: %w", err)
	}
	if inner, ok := probe["model_cfg"]; ok {
		return ParseConfig(inner)
	}
	var c Config
	var err error
	switch {
	case probe["vision_cfg"] != nil:
		c, err = parseOpenCLIP(data)
	case probe["vision_config"] != nil:
		c, err = parseHF(data)
	default:
		err = errors.New("neither vision_cfg (open_clip) nor vision_config (Hugging Face) is there: not the config of a CLIP model")
	}
	if err == nil {
		err = c.check()
	}
	if err != nil {
		return Config{}, fmt.Errorf("clip config: %w", err)
	}
	return c, nil
}

func parseOpenCLIP(data []byte) (Config, error) {
	var in struct {
		EmbedDim  int  `json:"embed_dim"`
		QuickGELU bool `json:"quick_gelu"`
		Vision    struct {
			Layers    json.RawMessage `json:"layers"`
			Width     int             `json:"width"`
			HeadWidth int             `json:"head_width"`
			MLPRatio  float64         `json:"mlp_ratio"`
			PatchSize int             `json:"patch_size"`
			ImageSize json.RawMessage `json:"image_size"`
			Timm      string          `json:"timm_model_name"`
		} `json:"vision_cfg"`
		Text struct {
			Context  int     `json:"context_length"`
			Vocab    int     `json:"vocab_size"`
			Width    int     `json:"width"`
			Heads    int     `json:"heads"`
			Layers   int     `json:"layers"`
			MLPRatio float64 `json:"mlp_ratio"`
			HF       string  `json:"hf_model_name"`
		} `json:"text_cfg"`
	}
	in.Vision.Layers, in.Vision.Width, in.Vision.HeadWidth, in.Vision.MLPRatio = json.RawMessage("12"), 768, 64, 4
	in.Vision.PatchSize, in.Vision.ImageSize = 16, json.RawMessage("224")
	in.Text.Context, in.Text.Vocab, in.Text.Width, in.Text.Heads, in.Text.Layers, in.Text.MLPRatio = 77, 49408, 512, 8, 12, 4
	if err := json.Unmarshal(data, &in); err != nil {
		return Config{}, err
	}
	switch {
	case in.Vision.Timm != "":
		return Config{}, fmt.Errorf("the image tower is timm's %q; only open_clip's own vision transformer is supported", in.Vision.Timm)
	case in.Text.HF != "":
		return Config{}, fmt.Errorf("the text tower is %q; only open_clip's own text transformer is supported", in.Text.HF)
	}
	if err := refuseVariants(data); err != nil {
		return Config{}, err
	}
	var layers, side int
	if json.Unmarshal(in.Vision.Layers, &layers) != nil {
		return Config{}, errors.New("the image tower is a ResNet; only vision transformers are supported")
	}
	if json.Unmarshal(in.Vision.ImageSize, &side) != nil {
		var sides []int
		if json.Unmarshal(in.Vision.ImageSize, &sides) != nil || len(sides) != 2 || sides[0] != sides[1] {
			return Config{}, fmt.Errorf("image_size %s: only squares are supported", in.Vision.ImageSize)
		}
		side = sides[0]
	}
	act := kernels.GELU
	if in.QuickGELU {
		act = kernels.QuickGELU
	}
	if in.Vision.HeadWidth <= 0 {
		return Config{}, fmt.Errorf("head_width %d", in.Vision.HeadWidth)
	}
	return Config{
		EmbedDim: in.EmbedDim,
		Vision: VisionConfig{Width: in.Vision.Width, Layers: layers, Heads: in.Vision.Width / in.Vision.HeadWidth, MLP: int(float64(in.Vision.Width) * in.Vision.MLPRatio),
			PatchSize: in.Vision.PatchSize, ImageSize: side, Act: act, Eps: 1e-5},
		Text: TextConfig{Width: in.Text.Width, Layers: in.Text.Layers, Heads: in.Text.Heads, MLP: int(float64(in.Text.Width) * in.Text.MLPRatio),
			Context: in.Text.Context, Vocab: in.Text.Vocab, Act: act, Eps: 1e-5, EOS: -1},
	}, nil
}

// plain are the keys of open_clip (2.20 to 3) that change what a tower computes, and the values besides null, false, "" and {}
// with which it computes what OpenAI's does.
var plain = map[string]map[string]string{
	"": {"init_logit_bias": "", "multimodal_cfg": ""},
	"vision_cfg": {"ls_init_value": "", "input_patchnorm": "", "global_average_pool": "", "attentional_pool": "", "no_ln_pre": "", "final_ln_after_pool": "",
		"pool_type": `"tok"`, "pos_embed_type": `"learnable"`, "act_kwargs": "", "norm_kwargs": "", "block_type": `"default"`, "qk_norm": "", "scaled_cosine_attn": "",
		"scale_heads": "", "scale_attn_inner": "", "scale_attn": "", "scale_fc": ""},
	"text_cfg": {"ls_init_value": "", "embed_cls": "", "no_causal_mask": "", "final_ln_after_pool": "", "pool_type": `"argmax"`, "proj_bias": "", "proj_type": `"linear"`,
		"act_kwargs": "", "norm_kwargs": "", "block_type": `"default"`, "qk_norm": "", "scaled_cosine_attn": "", "scale_heads": "", "scale_attn_inner": "",
		"scale_attn": "", "scale_fc": ""},
}

// refuseVariants names what a config asks for and this package would compute as if it had not.
func refuseVariants(data []byte) error {
	var whole map[string]any
	if err := json.Unmarshal(data, &whole); err != nil {
		return err
	}
	for _, section := range []string{"", "vision_cfg", "text_cfg"} {
		values, prefix := whole, ""
		if section != "" {
			values, _ = whole[section].(map[string]any) // that it is one was looked at before
			prefix = section + "."
		}
		for _, key := range slices.Sorted(maps.Keys(plain[section])) {
			text, err := json.Marshal(values[key])
			if err != nil {
				return err
			}
			switch string(text) {
			case "null", "false", `""`, "{}", plain[section][key]:
				continue
			}
			return fmt.Errorf("%s%s is %s: the model computes what OpenAI's does not, and that is not supported", prefix, key, text)
		}
	}
	return nil
}

func parseHF(data []byte) (Config, error) {
	type tower struct {
		Width     int     `json:"hidden_size"`
		MLP       int     `json:"intermediate_size"`
		Layers    int     `json:"num_hidden_layers"`
		Heads     int     `json:"num_attention_heads"`
		Act       string  `json:"hidden_act"`
		Eps       float32 `json:"layer_norm_eps"`
		PatchSize int     `json:"patch_size"`
		ImageSize int     `json:"image_size"`
		Vocab     int     `json:"vocab_size"`
		Context   int     `json:"max_position_embeddings"`
		EOS       int     `json:"eos_token_id"`
	}
	var in struct {
		ProjectionDim int    `json:"projection_dim"`
		Type          string `json:"model_type"`
		Vision        tower  `json:"vision_config"`
		Text          tower  `json:"text_config"`
		// Older files have the towers twice. These count: transformers makes a tower of them alone.
		VisionDict json.RawMessage `json:"vision_config_dict"`
		TextDict   json.RawMessage `json:"text_config_dict"`
	}
	in.ProjectionDim = 512
	vision := tower{Width: 768, MLP: 3072, Layers: 12, Heads: 12, Act: "quick_gelu", Eps: 1e-5, PatchSize: 32, ImageSize: 224}
	text := tower{Width: 512, MLP: 2048, Layers: 12, Heads: 8, Act: "quick_gelu", Eps: 1e-5, Vocab: 49408, Context: 77, EOS: 49407}
	in.Vision, in.Text = vision, text
	if err := json.Unmarshal(data, &in); err != nil {
		return Config{}, err
	}
	for _, again := range []struct {
		text     json.RawMessage
		defaults tower
		into     *tower
	}{{in.VisionDict, vision, &in.Vision}, {in.TextDict, text, &in.Text}} {
		if len(again.text) == 0 || string(again.text) == "null" {
			continue
		}
		*again.into = again.defaults
		if err := json.Unmarshal(again.text, again.into); err != nil {
			return Config{}, err
		}
	}
	if in.Type != "" && in.Type != "clip" {
		return Config{}, fmt.Errorf("model_type %q is not clip", in.Type)
	}
	visionAct, err := activation(in.Vision.Act)
	if err != nil {
		return Config{}, err
	}
	textAct, err := activation(in.Text.Act)
	if err != nil {
		return Config{}, err
	}
	if in.Text.EOS == 2 { // what old configs say whatever the tokenizer: the largest id is meant
		in.Text.EOS = -1
	}
	return Config{
		EmbedDim: in.ProjectionDim,
		Vision: VisionConfig{Width: in.Vision.Width, Layers: in.Vision.Layers, Heads: in.Vision.Heads, MLP: in.Vision.MLP,
			PatchSize: in.Vision.PatchSize, ImageSize: in.Vision.ImageSize, Act: visionAct, Eps: in.Vision.Eps},
		Text: TextConfig{Width: in.Text.Width, Layers: in.Text.Layers, Heads: in.Text.Heads, MLP: in.Text.MLP,
			Context: in.Text.Context, Vocab: in.Text.Vocab, Act: textAct, Eps: in.Text.Eps, EOS: in.Text.EOS},
	}, nil
}

func activation(name string) (kernels.Activation, error) {
	switch name {
	case "quick_gelu":
		return kernels.QuickGELU, nil
	case "gelu":
		return kernels.GELU, nil
	case "gelu_new", "gelu_pytorch_tanh":
		return kernels.GELUTanh, nil
	}
	return 0, fmt.Errorf("the activation %q is not supported", name)
}

const maxConfig = 1 << 20 // no number of a config may be larger

func (c Config) check() error {
	v, t := c.Vision, c.Text
	for _, n := range []struct {
		name  string
		value int
	}{
		{"embed_dim", c.EmbedDim}, {"vision width", v.Width}, {"vision layers", v.Layers}, {"vision heads", v.Heads}, {"vision mlp width", v.MLP},
		{"patch_size", v.PatchSize}, {"image_size", v.ImageSize}, {"text width", t.Width}, {"text layers", t.Layers}, {"text heads", t.Heads},
		{"text mlp width", t.MLP}, {"context_length", t.Context}, {"vocab_size", t.Vocab},
	} {
		if n.value <= 0 || n.value > maxConfig {
			return fmt.Errorf("%s is %d", n.name, n.value)
		}
	}
	switch {
	case v.Width%v.Heads != 0 || t.Width%t.Heads != 0:
		return errors.New("a width is no multiple of its heads")
	case v.PatchSize > v.ImageSize:
		return fmt.Errorf("patches of %d in pictures of %d", v.PatchSize, v.ImageSize)
	case t.EOS >= t.Vocab:
		return fmt.Errorf("eos_token_id %d in a vocabulary of %d", t.EOS, t.Vocab)
	}
	return nil
}
