package main

// The demo CLIP's own vocabulary: byte pairs that are frequent in our prose, as a merge table in the form that open_clip's
// SimpleTokenizer reads.

import (
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
	var words []tokenizer.Word
	known := map[string]int{} // where a word lies
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
			at, ok := known[key]
			if !ok {
				at, known[key] = len(words), len(words)
				words = append(words, tokenizer.Word{Symbols: parts})
			}
			words[at].Count++
			parts = nil
		}
	}
	// No line break at the end: open_clip would read an empty merge behind it.
	table := "#version: 0.2, the mmc4 demo's own"
	for _, pair := range tokenizer.LearnMerges(words, size, 1) {
		table += "\n" + pair[0] + " " + pair[1]
	}
	return []byte(table), nil
}

// symbolNames are GPT-2's letters for the 256 bytes, in the order of their ids, then the same at the end of a word.
func symbolNames() []string {
	var names, hidden []string
	for b := range 256 {
		name := tokenizer.ByteToken([]byte{byte(b)})
		if name == string(rune(b)) {
			names = append(names, name)
		} else {
			hidden = append(hidden, name)
		}
	}
	names = append(names, hidden...)
	for _, name := range names[:256] {
		names = append(names, name+"</w>")
	}
	return names
}
