package text

// Tokens to text as they come. A character may need several tokens, and what a token reads as may depend on those before
// it (SentencePiece drops a leading space): the last tokens are decoded again with each new one.

import (
	"slices"
	"strings"

	"mmc4/models/tokenizer"
)

const (
	window  = 32 // tokens that are decoded along with a new one, at least, and at most twice as many
	longest = 8  // tokens that are held back for a character to become whole; what is no UTF-8 never does
)

type stream struct {
	tokens tokenizer.Tokenizer
	ends   []int  // ids that are not shown
	ids    []int  // the last tokens
	held   int    // how many of them have not been shown
	text   string // of the others
}

func newStream(t tokenizer.Tokenizer, prompt, ends []int) *stream {
	s := &stream{tokens: t, ends: ends, ids: append([]int(nil), prompt[max(0, len(prompt)-window):]...)}
	s.text = t.DecodePlain(s.ids)
	return s
}

// add takes a token and gives the text that is complete with it.
func (s *stream) add(id int) string {
	if slices.Contains(s.ends, id) {
		return ""
	}
	s.ids = append(s.ids, id)
	s.held++
	text := s.tokens.DecodePlain(s.ids)
	if within := strings.HasSuffix(text, "\uFFFD") || !strings.HasPrefix(text, s.text); within && s.held < longest {
		return ""
	}
	return s.show(text)
}

// rest gives what was held back.
func (s *stream) rest() string { return s.show(s.tokens.DecodePlain(s.ids)) }

// show gives what is new in text.
func (s *stream) show(text string) string {
	common := 0
	for common < min(len(text), len(s.text)) && text[common] == s.text[common] {
		common++
	}
	s.text, s.held = text, 0
	if len(s.ids) >= 2*window {
		s.ids = append([]int(nil), s.ids[len(s.ids)-window:]...)
		s.text = s.tokens.DecodePlain(s.ids)
	}
	return text[common:]
}
