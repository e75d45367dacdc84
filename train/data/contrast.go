package data

// Pairs for contrastive training: a square and a row of CLIP's ids.

import (
	"context"

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
}

// Make gives the ids of one caption, padded with zeros to the context, and the picture.
func (c *Contrast) Make(ctx context.Context, d *Document, draws Draws) *Sample {
	b := &builder{rules: &Rules{Preprocess: c.Preprocess, MinBytes: c.MinBytes}, ctx: ctx, doc: d, flip: c.Flip && draws.Flip < 0.5}
	picture, caption, drop := b.pair(draws)
	if drop != nil {
		return dropped(d, *drop, b.notes)
	}
	s := &Sample{ID: d.ID, Images: []Picture{picture}, Flipped: b.flip, Notes: b.notes}
	for _, id := range c.Tokens.Row(caption, c.Context) {
		s.IDs, s.Labels = append(s.IDs, int32(id)), append(s.Labels, noLabel)
	}
	return s
}
