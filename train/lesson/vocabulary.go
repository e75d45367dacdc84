package lesson

// A byte-level BPE vocabulary learnt from a text, as a tokenizer.json.

import (
	"encoding/json"
	"regexp"
	"sort"
	"strings"
	"sync"

	"mmc4/models/tokenizer"
)

// endText is the vocabulary's end token.
const endText = "<|endoftext|>"

// word is what merges stay within: a subset of where GPT-2's pattern cuts.
var word = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(` ?\pL+| ?\pN+| ?[^\s\pL\pN]+`) })

// learnVocabulary merges the most frequent pair, again and again; of equally frequent ones the first in the alphabet.
func learnVocabulary(text string, merges int) ([]byte, error) {
	counts := map[string]int{}
	for _, w := range word().FindAllString(text, -1) {
		counts[w]++
	}
	var words []tokenizer.Word
	for w, n := range counts {
		var symbols []string
		for i := range len(w) {
			symbols = append(symbols, tokenizer.ByteToken([]byte{w[i]}))
		}
		words = append(words, tokenizer.Word{Symbols: symbols, Count: n})
	}
	vocabulary := map[string]int{endText: 0}
	for b := range 256 {
		vocabulary[tokenizer.ByteToken([]byte{byte(b)})] = len(vocabulary)
	}
	var learnt []string
	for _, pair := range tokenizer.LearnMerges(words, merges, 2) { // a pair that occurs once teaches nothing
		learnt = append(learnt, pair[0]+" "+pair[1])
		if whole := pair[0] + pair[1]; vocabulary[whole] == 0 {
			vocabulary[whole] = len(vocabulary)
		}
	}
	level := map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}
	return json.Marshal(map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "normalizer": nil, "pre_tokenizer": level, "post_processor": level, "decoder": level,
		"added_tokens": []any{map[string]any{"id": 0, "content": endText, "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}},
		"model":        map[string]any{"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": nil, "end_of_word_suffix": nil, "fuse_unk": false, "byte_fallback": false, "vocab": vocabulary, "merges": learnt},
	})
}

// reader tells the kind of drawing from a sentence: naive Bayes over the words of sentences whose kind is known.
type reader struct {
	kinds []int
	total map[int]int
	words map[int]map[string]int
}

func newReader() *reader {
	return &reader{total: map[int]int{}, words: map[int]map[string]int{}}
}

func wordsOf(sentence string) []string {
	return strings.FieldsFunc(strings.ToLower(sentence), func(r rune) bool { return !(r >= 'a' && r <= 'z') })
}

func (r *reader) add(kind int, sentence string) {
	if r.words[kind] == nil {
		r.words[kind] = map[string]int{}
		r.kinds = append(r.kinds, kind)
		sort.Ints(r.kinds)
	}
	for _, w := range wordsOf(sentence) {
		r.words[kind][w]++
	}
	r.total[kind]++
}

// kind is the likeliest kind; -1 for a sentence without a known word.
func (r *reader) kind(sentence string) int {
	best, most := -1, 0.0
	for _, kind := range r.kinds {
		score := 1.0
		for _, w := range wordsOf(sentence) {
			all := 0
			for _, other := range r.kinds {
				all += r.words[other][w]
			}
			if all > 0 {
				score *= (float64(r.words[kind][w]) + 0.01) / (float64(all) + 0.01*float64(len(r.kinds))) * float64(len(r.kinds))
			}
		}
		if score > most {
			best, most = kind, score
		}
	}
	return best
}
