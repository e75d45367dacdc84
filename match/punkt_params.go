package match

// This file loads the English parameters of Punkt: those that the Go module neurosnap/sentences carries, which were
// trained by Kiss and Strunk on Wall Street Journal text and are the ones NLTK distributes in another form.

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/neurosnap/sentences/data"
)

// learned is what Punkt learned of a word: the contexts in which it was seen in training (at the beginning of a sentence,
// within it, or unknown; upper or lower case), and in which lists it is.
type learned uint16

const (
	begUpper learned = 1 << 1
	midUpper learned = 1 << 2
	unkUpper learned = 1 << 3
	begLower learned = 1 << 4
	midLower learned = 1 << 5
	unkLower learned = 1 << 6

	abbreviation learned = 1 << 8
	starter      learned = 1 << 9  // often starts a sentence
	collocates   learned = 1 << 10 // is the first of a collocation

	anyUpper = begUpper | midUpper | unkUpper
	anyLower = begLower | midLower | unkLower
)

// punktParams are what Punkt learned about a language. Words are in lower case, abbreviations without their full stop.
type punktParams struct {
	words        map[string]learned
	collocations map[[2]string]bool
	special      *tailSet // ends of the words whose full stop may not end a sentence
}

// english loads the parameters once. They are part of the program: failing to read them is a fault of the build.
var english = sync.OnceValue(func() *punktParams {
	raw, err := data.Asset("data/english.json")
	if err != nil {
		panic(err)
	}
	var file struct {
		AbbrevTypes, SentStarters, Collocations map[string]int
		OrthoContext                            map[string]learned
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		panic(err)
	}
	p := &punktParams{words: file.OrthoContext, collocations: map[[2]string]bool{}, special: &tailSet{}}
	for word := range file.AbbrevTypes {
		p.words[word] |= abbreviation
		p.special.add(word)
	}
	for word := range file.SentStarters {
		p.words[word] |= starter
	}
	for pair := range file.Collocations {
		first, second, _ := strings.Cut(pair, ",")
		p.collocations[[2]string{first, second}] = true
		p.words[first] |= collocates
		p.special.add(first)
	}
	return p
})
