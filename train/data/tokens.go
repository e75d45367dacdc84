package data

// The tokens of open_flamingo's sequences, added to whatever tokenizer a language model has.

import (
	"fmt"

	"mmc4/models/tokenizer"
)

// What open_flamingo adds to a vocabulary, in this order.
const (
	EOCText   = "<|endofchunk|>"
	MediaText = "<image>"
	PadText   = "<PAD>"
)

// Tokens is a tokenizer with the special tokens of sequences.
type Tokens struct {
	tokenizer.Tokenizer
	EOSText              string
	Media, EOC, EOS, Pad int32
}

// NewTokens adds <|endofchunk|>, <image> and, where the tokenizer has none, <PAD>. eos and pad name its end and padding
// tokens; pad may be "".
func NewTokens(t tokenizer.Tokenizer, eos, pad string) (*Tokens, error) {
	tokens := &Tokens{Tokenizer: t, EOSText: eos}
	if eos != "" {
		if _, ok := t.ID(eos); !ok {
			return nil, fmt.Errorf("tokenizer: it has no end token %q; name the right one", eos)
		}
		t.AddSpecial(eos)
	}
	if pad == "" {
		pad = PadText
	}
	t.AddSpecial(EOCText, MediaText, pad)
	for _, s := range []struct {
		text string
		id   *int32
	}{{EOCText, &tokens.EOC}, {MediaText, &tokens.Media}, {pad, &tokens.Pad}, {eos, &tokens.EOS}} {
		id, ok := t.ID(s.text)
		if !ok && s.text != "" {
			return nil, fmt.Errorf("tokenizer: the token %q could not be added", s.text)
		}
		*s.id = int32(id)
	}
	return tokens, nil
}

// encode gives at most limit ids of a text, cut on the right as transformers does.
func (t *Tokens) encode(text string, limit int) []int32 {
	ids := t.Encode(text)
	if limit > 0 && len(ids) > limit {
		ids = ids[:limit]
	}
	out := make([]int32, len(ids))
	for i, id := range ids {
		out[i] = int32(id)
	}
	return out
}

func count(ids []int32, id int32) int {
	n := 0
	for _, v := range ids {
		if v == id {
			n++
		}
	}
	return n
}
