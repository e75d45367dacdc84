package flamingo

import (
	"encoding/json"
	"errors"
	"fmt"

	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/lm"
)

// Style is the program whose weights' names and rules a model follows.
type Style uint8

const (
	OpenFlamingo    Style = iota
	FlamingoMini          // blocks at layers 0, n, 2n..; the class token is kept; frame embeddings
	FlamingoPytorch       // parts alone: embeddings a slot
)

// Placement says which layers have a gated block before them.
type Placement uint8

const (
	LastOfN  Placement = iota // open_flamingo: (i+1) mod n == 0
	FirstOfN                  // DeepMind, flamingo-mini: i mod n == 0
)

// Config is the shape of a model.
type Config struct {
	Style     Style
	Vision    clip.VisionConfig
	EmbedDim  int // of the tower's projection, which Flamingo does not use
	LM        lm.Config
	Perceiver PerceiverConfig
	XAttn     XAttnConfig

	Every     int // a gated block every so many layers
	Placement Placement
	// AttendPrevious lets text look at all images up to its own instead of its own alone. Text before the first marker then
	// looks at all images alike, as in flamingo-pytorch and open_flamingo.
	AttendPrevious bool
	ClassToken     bool // the tower's class token is kept in front of the patches

	Media, EOC, Pad int // ids of <image>, <|endofchunk|> and padding; -1: none
}

// PerceiverConfig is the resampler.
type PerceiverConfig struct {
	Depth, Heads, HeadDim, Latents, FFMult int
	Act                                    kernels.Activation
	MaxFrames                              int // rows of frame embeddings, 0: none
	MaxMedia                               int // rows of slot embeddings, 0: none
}

// XAttnConfig is a gated block.
type XAttnConfig struct {
	Heads, HeadDim, FFMult int
	Act                    kernels.Activation
}

// HasBlock says whether a gated block stands before layer i (0-based).
func (c Config) HasBlock(i int) bool {
	if c.Placement == FirstOfN {
		return i%c.Every == 0
	}
	return (i+1)%c.Every == 0
}

// Tokens is the number of visual tokens of a frame.
func (c Config) Tokens() int {
	if c.ClassToken {
		return c.Vision.Patches() + 1
	}
	return c.Vision.Patches()
}

type sizesJSON struct {
	Depth     int    `json:"depth"`
	HeadDim   int    `json:"dim_head"`
	Heads     int    `json:"heads"`
	Latents   int    `json:"num_latents"`
	FFMult    int    `json:"ff_mult"`
	Act       string `json:"act"`
	MaxFrames int    `json:"max_num_frames"`
	MaxMedia  int    `json:"max_num_media"`
}

// ParseConfig reads the description of a model:
//
//	{"vision": open_clip or Hugging Face config of the tower, "lm": Hugging Face config.json,
//	 "perceiver": {"depth": 6, "heads": 8, "dim_head": 64, "num_latents": 64, "ff_mult": 4}, "xattn": {"heads": 8, "dim_head": 64, "ff_mult": 4},
//	 "cross_attn_every_n_layers": 4, "media_token_id": 50278, "eoc_token_id": 50277, "pad_token_id": 50279}
//
// perceiver and xattn may be left out, or single keys of them; "act" is gelu, relu or sqrelu, "max_num_frames" and
// "max_num_media" add embeddings, "placement" is "last" (open_flamingo's) or "first" (DeepMind's), "attend_previous" true
// or false.
func ParseConfig(data []byte) (Config, error) {
	in := struct {
		Vision    json.RawMessage `json:"vision"`
		LM        json.RawMessage `json:"lm"`
		Perceiver sizesJSON       `json:"perceiver"`
		XAttn     sizesJSON       `json:"xattn"`
		Every     int             `json:"cross_attn_every_n_layers"`
		Placement string          `json:"placement"`
		Previous  bool            `json:"attend_previous"`
		Media     *int            `json:"media_token_id"`
		EOC       *int            `json:"eoc_token_id"`
		Pad       *int            `json:"pad_token_id"`
	}{Perceiver: sizesJSON{Depth: 6, Heads: 8, HeadDim: 64, Latents: 64, FFMult: 4}, XAttn: sizesJSON{Heads: 8, HeadDim: 64, FFMult: 4}, Every: 1}
	if err := json.Unmarshal(data, &in); err != nil {
		return Config{}, fmt.Errorf("flamingo config: %w", err)
	}
	c := Config{Every: in.Every, AttendPrevious: in.Previous, Media: orNone(in.Media), EOC: orNone(in.EOC), Pad: orNone(in.Pad)}
	var err error
	if c.Vision, c.EmbedDim, err = visionConfig(in.Vision); err != nil {
		return Config{}, fmt.Errorf("flamingo config: vision: %w", err)
	}
	if c.LM, err = lm.ParseConfig(in.LM); err != nil {
		return Config{}, fmt.Errorf("flamingo config: lm: %w", err)
	}
	c.LM.NoGradID = -1 // resizing the embedding for new tokens drops torch's padding_idx
	if c.Perceiver, err = in.Perceiver.perceiver(); err != nil {
		return Config{}, fmt.Errorf("flamingo config: perceiver: %w", err)
	}
	x, err := in.XAttn.perceiver()
	if err != nil {
		return Config{}, fmt.Errorf("flamingo config: xattn: %w", err)
	}
	c.XAttn = XAttnConfig{Heads: x.Heads, HeadDim: x.HeadDim, FFMult: x.FFMult, Act: x.Act}
	switch in.Placement {
	case "", "last":
	case "first":
		c.Placement = FirstOfN
	default:
		return Config{}, fmt.Errorf("flamingo config: placement %q is neither last nor first", in.Placement)
	}
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf("flamingo config: %w", err)
	}
	return c, nil
}

func orNone(id *int) int {
	if id == nil {
		return -1
	}
	return *id
}

func (s sizesJSON) perceiver() (PerceiverConfig, error) {
	act, err := activation(s.Act)
	return PerceiverConfig{Depth: s.Depth, Heads: s.Heads, HeadDim: s.HeadDim, Latents: s.Latents, FFMult: s.FFMult, Act: act,
		MaxFrames: s.MaxFrames, MaxMedia: s.MaxMedia}, err
}

func activation(name string) (kernels.Activation, error) {
	switch name {
	case "", "gelu":
		return kernels.GELU, nil
	case "relu":
		return kernels.ReLU, nil
	case "sqrelu":
		return kernels.SquaredReLU, nil
	}
	return 0, fmt.Errorf("the activation %q is none of gelu, relu, sqrelu", name)
}

// visionConfig reads the tower's part of a CLIP config, which may lack the text tower's.
func visionConfig(data []byte) (clip.VisionConfig, int, error) {
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(data, &parts); err != nil {
		return clip.VisionConfig{}, 0, err
	}
	if inner, ok := parts["model_cfg"]; ok {
		return visionConfig(inner)
	}
	missing := "text_cfg"
	if parts["vision_cfg"] == nil {
		missing = "text_config"
		if parts["vision_config"] == nil { // a CLIPVisionConfig alone
			parts = map[string]json.RawMessage{"vision_config": data}
		}
	}
	if parts[missing] == nil {
		parts[missing] = json.RawMessage("{}")
	}
	whole, err := json.Marshal(parts)
	if err != nil {
		return clip.VisionConfig{}, 0, err
	}
	c, err := clip.ParseConfig(whole)
	return c.Vision, c.EmbedDim, err
}

func (c Config) check() error {
	const most = 1 << 16
	for _, n := range []struct {
		name  string
		value int
	}{
		{"cross_attn_every_n_layers", c.Every}, {"perceiver depth", c.Perceiver.Depth}, {"perceiver heads", c.Perceiver.Heads},
		{"perceiver dim_head", c.Perceiver.HeadDim}, {"num_latents", c.Perceiver.Latents}, {"perceiver ff_mult", c.Perceiver.FFMult},
		{"xattn heads", c.XAttn.Heads}, {"xattn dim_head", c.XAttn.HeadDim}, {"xattn ff_mult", c.XAttn.FFMult},
	} {
		if n.value <= 0 || n.value > most {
			return fmt.Errorf("%s is %d", n.name, n.value)
		}
	}
	switch {
	case c.Perceiver.MaxFrames < 0 || c.Perceiver.MaxFrames > most || c.Perceiver.MaxMedia < 0 || c.Perceiver.MaxMedia > most:
		return errors.New("max_num_frames or max_num_media is out of range")
	case c.Media >= c.LM.Vocab || c.EOC >= c.LM.Vocab:
		return fmt.Errorf("media_token_id %d or eoc_token_id %d is not in the vocabulary of %d", c.Media, c.EOC, c.LM.Vocab)
	}
	return nil
}
