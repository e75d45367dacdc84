package main

// The demo CLIP's own vocabulary: byte pairs that are frequent in our prose, as a merge table in the form that open_clip's
// SimpleTokenizer reads.

import (
	"cmp"
	"slices"
	"strings"

	"mmc4/models/tokenizer"
)

// vocabularyMerges is how many pairs are merged; with bytes and special tokens that makes the vocab_size of the config.
// vocabularyDrawings is how many drawings' sentences it is learnt from.
const vocabularyMerges, vocabularyDrawings = 1500, 20000

// learnMerges gives the merges that are most useful for sentences, one after the other; ties go to the pair that sorts first.
// Words are those of the tokenizer, which, without a merge, gives one id a byte.
func learnMerges(sentences []string, size int) ([]byte, error) {
	bytes, err := tokenizer.NewCLIP([]byte("#version\n"))
	if err != nil {
		return nil, err
	}
	names := symbolNames()
	type word struct {
		parts []string
		count int
	}
	var words []*word
	known := map[string]*word{}
	for _, sentence := range sentences {
		var parts []string
		for _, id := range bytes.Row(sentence, 4*len(sentence)+2)[1:] { // behind the token that begins the text
			if int(id) >= len(names) { // its end
				break
			}
			parts = append(parts, names[id])
			if int(id) < len(names)/2 { // inside a word
				continue
			}
			key := strings.Join(parts, " ")
			if known[key] == nil {
				known[key] = &word{parts: parts}
				words = append(words, known[key])
			}
			known[key].count++
			parts = nil
		}
	}
	type pair = [2]string
	// No line break at the end: open_clip would read an empty merge behind it.
	table := "#version: 0.2, the mmc4 demo's own"
	for range size {
		counts := map[pair]int{}
		for _, w := range words {
			for i := 1; i < len(w.parts); i++ {
				counts[pair{w.parts[i-1], w.parts[i]}] += w.count
			}
		}
		var best pair
		for p, n := range counts {
			if n > counts[best] || n == counts[best] && slices.CompareFunc(p[:], best[:], cmp.Compare[string]) < 0 {
				best = p
			}
		}
		if counts[best] == 0 {
			break
		}
		table += "\n" + best[0] + " " + best[1]
		for _, w := range words {
			joined := w.parts[:0]
			for i := 0; i < len(w.parts); i++ {
				if i+1 < len(w.parts) && w.parts[i] == best[0] && w.parts[i+1] == best[1] {
					joined = append(joined, best[0]+best[1])
					i++
				} else {
					joined = append(joined, w.parts[i])
				}
			}
			w.parts = joined
		}
	}
	return []byte(table), nil
}

// symbolNames are GPT-2's letters for the 256 bytes, in the order of their ids, then the same at the end of a word.
func symbolNames() []string {
	shown := func(b int) bool { return b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae }
	var names, hidden []string
	for b := range 256 {
		if shown(b) {
			names = append(names, string(rune(b)))
		} else {
			hidden = append(hidden, string(rune(256+len(hidden))))
		}
	}
	names = append(names, hidden...)
	for _, name := range names[:256] {
		names = append(names, name+"</w>")
	}
	return names
}
