package flamingo

// flamingo-mini's models: a FlamingoConfig, whose language model and vision tower are named there and described by their own
// config.json.

import (
	"encoding/json"
	"fmt"

	"mmc4/models/lm"
)

// ParseMini reads {"flamingo": FlamingoConfig, "lm": config.json of the language model, "vision": CLIPVisionConfig}.
// flamingo-mini adds one row to the vocabulary (<EOC>), puts blocks before layers 0, n, 2n.., keeps the class token, adds an
// embedding to every frame (the first to a single one) and trains the whole embedding.
func ParseMini(data []byte) (Config, error) {
	var in struct {
		Flamingo json.RawMessage `json:"flamingo"`
		LM       json.RawMessage `json:"lm"`
		Vision   json.RawMessage `json:"vision"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return Config{}, fmt.Errorf("flamingo-mini config: %w", err)
	}
	f := struct {
		Dim        int    `json:"dim"`
		DimVisual  int    `json:"dim_visual"`
		Every      int    `json:"xattn_every"`
		HeadDim    int    `json:"xattn_dim_head"`
		Heads      int    `json:"xattn_heads"`
		FFMult     int    `json:"xattn_ff_mult"`
		Act        string `json:"xattn_act"`
		Depth      int    `json:"resampler_depth"`
		ResHeadDim int    `json:"resampler_dim_head"`
		ResHeads   int    `json:"resampler_heads"`
		Latents    int    `json:"resampler_num_latents"`
		Frames     int    `json:"resampler_num_time_embeds"`
		ResFFMult  int    `json:"resampler_ff_mult"`
		ResAct     string `json:"resampler_act"`
	}{Dim: 1024, DimVisual: 768, Every: 1, HeadDim: 64, Heads: 8, FFMult: 4, Depth: 6, ResHeadDim: 64, ResHeads: 8, Latents: 64, Frames: 4, ResFFMult: 4}
	if err := json.Unmarshal(in.Flamingo, &f); err != nil {
		return Config{}, fmt.Errorf("flamingo-mini config: flamingo: %w", err)
	}
	c := Config{Style: FlamingoMini, Every: f.Every, Placement: FirstOfN, ClassToken: true, Media: -1, EOC: -1, Pad: -1}
	var err error
	if c.Vision, c.EmbedDim, err = visionConfig(in.Vision); err != nil {
		return Config{}, fmt.Errorf("flamingo-mini config: vision: %w", err)
	}
	if c.LM, err = lm.ParseConfig(in.LM); err != nil {
		return Config{}, fmt.Errorf("flamingo-mini config: lm: %w", err)
	}
	c.EOC = c.LM.Vocab
	c.LM.Vocab++
	c.LM.NoGradID = -1 // resizing drops torch's padding_idx
	resampler, err := sizesJSON{Depth: f.Depth, HeadDim: f.ResHeadDim, Heads: f.ResHeads, Latents: f.Latents, FFMult: f.ResFFMult, Act: f.ResAct, MaxFrames: f.Frames}.perceiver()
	if err != nil {
		return Config{}, fmt.Errorf("flamingo-mini config: resampler: %w", err)
	}
	blocks, err := sizesJSON{HeadDim: f.HeadDim, Heads: f.Heads, FFMult: f.FFMult, Act: f.Act}.perceiver()
	if err != nil {
		return Config{}, fmt.Errorf("flamingo-mini config: xattn: %w", err)
	}
	c.Perceiver, c.XAttn = resampler, XAttnConfig{Heads: blocks.Heads, HeadDim: blocks.HeadDim, FFMult: blocks.FFMult, Act: blocks.Act}
	if f.Dim != c.LM.Width || f.DimVisual != c.Vision.Width {
		return Config{}, fmt.Errorf("flamingo-mini config: dim %d and dim_visual %d, but the language model has width %d and the tower %d", f.Dim, f.DimVisual, c.LM.Width, c.Vision.Width)
	}
	if err := c.check(); err != nil {
		return Config{}, fmt.Errorf("flamingo-mini config: %w", err)
	}
	return c, nil
}
