package data

// Sequences of one picture and its caption: open_flamingo's preprocess_laion_text. Repaired unless Compat is set: a long
// caption is cut before <|endofchunk|>, which upstream loses; markers in captions are text.

import (
	"context"
	"math"
	"strings"

	"mmc4/models/clip"
)

// Pairs makes caption sequences; it is a Maker.
type Pairs struct {
	Tokens     *Tokens
	Preprocess clip.Preprocess
	MaxTokens  int
	MinBytes   int
	Compat     bool
}

// Make makes the sequence of the first picture and one of its captions.
func (p *Pairs) Make(ctx context.Context, d *Document, draws Draws) *Sample {
	b := &builder{rules: &Rules{Preprocess: p.Preprocess, MinBytes: p.MinBytes}, ctx: ctx, doc: d, flip: draws.Flip < 0.5}
	picture, caption, drop := b.pair(draws, false)
	if drop != nil {
		return dropped(d, *drop, b.notes)
	}
	s := &Sample{ID: d.ID, IDs: p.IDs(caption), Images: []Picture{picture}, Flipped: b.flip, Notes: b.notes}
	pad := p.Tokens.Pad
	s.Labels = PairLabels(s.IDs, p.Tokens.Media, pad)
	return s
}

// IDs is the sequence of a caption.
func (p *Pairs) IDs(caption string) []int32 {
	t := p.Tokens
	if p.Compat {
		return t.encode(MediaText+strip(caption)+EOCText+t.EOSText, p.MaxTokens)
	}
	caption = strip(withoutMarkers(caption, t.EOSText))
	ids := t.encode(MediaText+caption+EOCText+t.EOSText, 0)
	if over := len(ids) - p.MaxTokens; p.MaxTokens > 0 && over > 0 {
		end := len(ids) - 1
		for end > 0 && ids[end] != t.EOC {
			end--
		}
		if keep := end - over; keep > 0 {
			ids = append(ids[:keep:keep], ids[end:]...)
		} else {
			ids = ids[:p.MaxTokens]
		}
	}
	return ids
}

// strip removes white space around, as Python's str.strip.
func strip(s string) string {
	return strings.TrimFunc(s, func(r rune) bool {
		switch {
		case r >= 0x09 && r <= 0x0d, r >= 0x1c && r <= 0x20, r == 0x85, r == 0xa0, r == 0x1680, r >= 0x2000 && r <= 0x200a,
			r == 0x2028, r == 0x2029, r == 0x202f, r == 0x205f, r == 0x3000:
			return true
		}
		return false
	})
}

// pair loads the first usable picture and chooses a caption: one of Captions, or the sentence that the picture was matched to.
// A picture alone needs none.
func (b *builder) pair(draws Draws, alone bool) (Picture, string, *Reject) {
	d := b.doc
	first := 0 // of several pictures with their sentences, another one each epoch
	if len(d.Captions) == 0 {
		first = int(draws.Pick * float64(len(d.Images)))
	}
	for k := range d.Images {
		i := (first + k) % len(d.Images)
		data, _ := b.load(i)
		if data == nil && d.Images[i].Square == nil || b.small(i, data) {
			continue
		}
		square, _ := b.decode(i, data)
		if square == nil {
			continue
		}
		if alone {
			return Picture{i, square}, "", nil
		}
		if n := len(d.Captions); n > 0 {
			return Picture{i, square}, d.Captions[min(int(math.Floor(draws.Pick*float64(n))), n-1)], nil
		}
		if at := d.Images[i].Matched; at >= 0 && at < len(d.Sentences) {
			return Picture{i, square}, d.Sentences[at], nil
		}
		b.note(RuleBadRecord, i, Reject{Detail: "it has no caption"})
	}
	return Picture{}, "", &Reject{Rule: RuleNoImage}
}
