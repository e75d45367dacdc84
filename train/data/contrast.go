package data

// Pairs for contrastive training: a square and a row of CLIP's ids.

import (
	"context"
	"slices"

	"mmc4/models/clip"
	"mmc4/models/tokenizer"
)

// Contrast makes pairs for a CLIP; it is a Maker.
type Contrast struct {
	Tokens     *tokenizer.CLIP
	Context    int
	Preprocess clip.Preprocess
	MinBytes   int
	Flip       bool // mirror half of the pictures
	// Unpaired makes samples of records that have no text or no picture at all: without IDs, without Images.
	Unpaired bool
}

// Make gives the ids of one caption, padded with zeros to the context, and the picture.
func (c *Contrast) Make(ctx context.Context, d *Document, draws Draws) *Sample {
	texts := slices.Concat(d.Captions, d.Sentences)
	b := &builder{rules: &Rules{Preprocess: c.Preprocess, MinBytes: c.MinBytes}, ctx: ctx, doc: d, flip: c.Flip && draws.Flip < 0.5}
	s := &Sample{ID: d.ID, Likeness: d.Likeness, Flipped: b.flip}
	if c.Unpaired && len(d.Images) == 0 && len(texts) > 0 {
		c.write(s, texts[int(draws.Pick*float64(len(texts)))])
		return s
	}
	alone := c.Unpaired && len(texts) == 0
	picture, caption, drop := b.pair(draws, alone)
	if drop != nil {
		return dropped(d, *drop, b.notes)
	}
	s.Images, s.Notes = []Picture{picture}, b.notes
	if !alone {
		c.write(s, caption)
	}
	return s
}

// write gives a sample its text.
func (c *Contrast) write(s *Sample, text string) {
	for _, id := range c.Tokens.Row(text, c.Context) {
		s.IDs, s.Labels = append(s.IDs, int32(id)), append(s.Labels, noLabel)
	}
}
