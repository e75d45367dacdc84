package data

// MMC4's generated sequences (ChatGPT): text with places for pictures (open_flamingo's preprocess_gpt_interleaved).

import (
	"context"
	"regexp"
	"strings"
)

var place = regexp.MustCompile(`_!_IMAGE\d+_!_`)

// generated makes the sequence of a generated document: no size rule, no similarity, no coin. Upstream cuts the text before
// the last allowed marker; repaired, before the first one that is not allowed.
func (r *Rules) generated(ctx context.Context, d *Document, draws Draws) *Sample {
	b := &builder{rules: r, ctx: ctx, doc: d, flip: draws.Flip < 0.5}
	var kept []candidate
	usable := make([]bool, len(d.Images))
	for i := range d.Images {
		data, drop := b.load(i)
		if drop != nil {
			return dropped(d, *drop, b.notes)
		}
		if data == nil && d.Images[i].Square == nil {
			continue
		}
		square, drop := b.decode(i, data)
		if drop != nil {
			return dropped(d, *drop, b.notes)
		}
		if square != nil {
			kept, usable[i] = append(kept, candidate{index: i, square: square}), true
		}
	}
	if len(kept) == 0 {
		return dropped(d, Reject{Rule: RuleNoImage}, b.notes)
	}
	kept = b.limit(kept)
	next := 0
	text := place.ReplaceAllStringFunc(r.plain(d.Generated), func(string) string {
		i := next
		next++
		if !r.Compat && (i >= len(usable) || !usable[i]) {
			return "" // its picture is not there
		}
		return EOCText + MediaText
	})
	text = tidy(text)
	allowed := r.MaxImages
	if r.Compat {
		allowed--
	}
	if strings.Count(text, MediaText) > r.MaxImages {
		text = cutBefore(text, MediaText, allowed)
		if !r.Compat {
			text = strings.TrimSuffix(text, EOCText)
		}
	}
	ids := r.Tokens.encode(text+EOCText+r.Tokens.EOSText, r.MaxTokens)
	return r.finish(d, b, ids, kept, draws)
}

// cutBefore cuts text before occurrence n (from 0) of a word.
func cutBefore(text, word string, n int) string {
	at := 0
	for {
		i := strings.Index(text[at:], word)
		if i < 0 {
			return text
		}
		if n == 0 {
			return text[:at+i]
		}
		at += i + len(word)
		n--
	}
}
