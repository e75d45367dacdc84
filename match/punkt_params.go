package match

// This file loads the English parameters of Punkt: those that the Go module neurosnap/sentences carries, which were
// trained by Kiss and Strunk on Wall Street Journal text and are the ones NLTK distributes in another form.

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/neurosnap/sentences/data"
)

// The contexts in which a word was seen in training: at the beginning of a sentence, within it, or unknown; upper or
// lower case.
const (
	begUpper uint8 = 1 << 1
	midUpper uint8 = 1 << 2
	unkUpper uint8 = 1 << 3
	begLower uint8 = 1 << 4
	midLower uint8 = 1 << 5
	unkLower uint8 = 1 << 6

	anyUpper = begUpper | midUpper | unkUpper
	anyLower = begLower | midLower | unkLower
)

// punktParams are what Punkt learned about a language. Words are in lower case, abbreviations without their full stop.
type punktParams struct {
	abbreviations map[string]bool
	starters      map[string]bool            // words that often start a sentence
	collocations  map[string]map[string]bool // by the first word, then the second
	context       map[string]uint8
	special       *tailSet // ends of the words whose full stop may not end a sentence
}

// english loads the parameters once. They are part of the program: failing to read them is a fault of the build.
var english = sync.OnceValue(func() *punktParams {
	raw, err := data.Asset("data/english.json")
	if err != nil {
		panic(err)
	}
	var file struct {
		AbbrevTypes, SentStarters, Collocations map[string]int
		OrthoContext                            map[string]uint8
	}
	if err := json.Unmarshal(raw, &file); err != nil {
		panic(err)
	}
	p := &punktParams{
		abbreviations: set(file.AbbrevTypes),
		starters:      set(file.SentStarters),
		collocations:  map[string]map[string]bool{},
		context:       file.OrthoContext,
		special:       &tailSet{},
	}
	for word := range p.abbreviations {
		p.special.add(word)
	}
	for pair := range file.Collocations {
		first, second, _ := strings.Cut(pair, ",")
		if p.collocations[first] == nil {
			p.collocations[first] = map[string]bool{}
		}
		p.collocations[first][second] = true
		p.special.add(first)
	}
	return p
})

func set(words map[string]int) map[string]bool {
	s := make(map[string]bool, len(words))
	for word := range words {
		s[word] = true
	}
	return s
}
