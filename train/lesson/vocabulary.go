package lesson

// A byte-level BPE vocabulary learnt from a text, as a tokenizer.json.

import (
	"encoding/json"
	"regexp"
	"sort"
	"strings"
)

// endText is the vocabulary's end token.
const endText = "<|endoftext|>"

// word is what merges stay within: a subset of where GPT-2's pattern cuts.
var word = regexp.MustCompile(` ?\pL+| ?\pN+| ?[^\s\pL\pN]+`)

// letters are the printable letters that stand for bytes in byte-level BPE.
var letters = func() (table [256]string) {
	next := rune(256)
	for b := range 256 {
		r := rune(b)
		if !(b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae) {
			r, next = next, next+1
		}
		table[b] = string(r)
	}
	return table
}()

// learnVocabulary merges the most frequent pair, again and again; of equally frequent ones the first in the alphabet.
func learnVocabulary(text string, merges int) ([]byte, error) {
	counts := map[string]int{}
	for _, w := range word.FindAllString(text, -1) {
		counts[w]++
	}
	type piece struct {
		parts []string
		count int
	}
	var pieces []piece
	for w, n := range counts {
		var parts []string
		for i := range len(w) {
			parts = append(parts, letters[w[i]])
		}
		pieces = append(pieces, piece{parts, n})
	}
	vocabulary := map[string]int{endText: 0}
	for _, letter := range letters {
		vocabulary[letter] = len(vocabulary)
	}
	var learnt []string
	for range merges {
		pairs := map[[2]string]int{}
		for _, p := range pieces {
			for i := 1; i < len(p.parts); i++ {
				pairs[[2]string{p.parts[i-1], p.parts[i]}] += p.count
			}
		}
		var best [2]string
		most := 1 // a pair that occurs once teaches nothing
		for pair, n := range pairs {
			if n > most || n == most && n > 1 && (pair[0] < best[0] || pair[0] == best[0] && pair[1] < best[1]) {
				best, most = pair, n
			}
		}
		if most == 1 {
			break
		}
		learnt = append(learnt, best[0]+" "+best[1])
		whole := best[0] + best[1]
		if _, ok := vocabulary[whole]; !ok {
			vocabulary[whole] = len(vocabulary)
		}
		for k, p := range pieces {
			parts := p.parts[:0]
			for i := 0; i < len(p.parts); i++ {
				if i+1 < len(p.parts) && p.parts[i] == best[0] && p.parts[i+1] == best[1] {
					parts = append(parts, whole)
					i++
				} else {
					parts = append(parts, p.parts[i])
				}
			}
			pieces[k].parts = parts
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
