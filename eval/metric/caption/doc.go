// Package caption scores captions against references: CIDEr(-D), BLEU-1..4 and ROUGE-L as pycocoevalcap 1.2 computes
// them (METEOR and SPICE are not here: both need Java programs and word lists). Captions are tokenised first, by package
// ptb.
//
// Words are numbered once (corpus.go); all scores work on the numbers (score.go), an image at a time (local.go). Only how many images
// hold a word sequence is a matter of the whole corpus (rarity.go). The plain form of each score, on maps of strings, stands in the tests
// as the oracle.
package caption

import (
	"strings"
	"unicode"

	"mmc4/eval/metric/ptb"
)

// Item is one image: what was predicted and what people wrote, as tokens with spaces between them.
type Item struct {
	Hypothesis string
	References []string
}

// Scores is a metric over a corpus, on the scale of pycocoevalcap (published figures are 100 times as much).
type Scores struct {
	Corpus   float64
	PerImage []float64
}

// Tokenise makes items of raw captions. Hypotheses and references are each one text with a caption a line, as the
// reference program has them.
func Tokenise(hypotheses []string, references [][]string) []Item {
	var flat []string
	for _, refs := range references {
		flat = append(flat, refs...)
	}
	flat = ptb.Captions(flat)
	items := make([]Item, len(hypotheses))
	for i, h := range ptb.Captions(hypotheses) {
		n := len(references[i])
		items[i] = Item{Hypothesis: h, References: flat[:n:n]}
		flat = flat[n:]
	}
	return items
}

// words splits at white space as Python does; a token may hold a no-break space, and falls apart here.
func words(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f })
}
