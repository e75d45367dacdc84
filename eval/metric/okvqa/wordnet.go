package okvqa

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// verbs is what of WordNet tells the lemmas of verbs.
type verbs struct {
	lemmas     map[string]bool
	exceptions map[string][]string // irregular forms
}

// readVerbs reads index.verb and verb.exc.
func readVerbs(read func(file string) ([]byte, error)) (*verbs, error) {
	v := &verbs{map[string]bool{}, map[string][]string{}}
	index, err := read("index.verb")
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(index) {
		if lemma, _, ok := bytes.Cut(line, []byte(" ")); ok && len(lemma) > 0 { // lines of the licence begin with spaces
			v.lemmas[string(lemma)] = true
		}
	}
	exceptions, err := read("verb.exc")
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(exceptions) {
		if forms := strings.Fields(string(line)); len(forms) > 1 {
			v.exceptions[forms[0]] = forms[1:]
		}
	}
	return v, nil
}

// endings are WordNet's rules of detachment for verbs.
var endings = [][2]string{{"s", ""}, {"ies", "y"}, {"es", "e"}, {"es", ""}, {"ed", "e"}, {"ed", ""}, {"ing", "e"}, {"ing", ""}}

// lemma is the shortest verb that the word is a form of, by WordNet's morphy; the word itself when there is none.
func (v *verbs) lemma(word string) string {
	if irregular, ok := v.exceptions[word]; ok {
		return v.shortest(append([]string{word}, irregular...), word)
	}
	forms := detach([]string{word})
	lemma := v.shortest(append([]string{word}, forms...), "")
	for lemma == "" && len(forms) > 0 {
		forms = detach(forms)
		lemma = v.shortest(forms, "")
	}
	if lemma == "" {
		return word
	}
	return lemma
}

func detach(forms []string) (out []string) {
	for _, form := range forms {
		for _, e := range endings {
			if stem, ok := strings.CutSuffix(form, e[0]); ok {
				out = append(out, stem+e[1])
			}
		}
	}
	return out
}

// shortest is the first of the shortest forms that are lemmas.
func (v *verbs) shortest(forms []string, none string) string {
	best := none
	found := false
	for _, form := range forms {
		if v.lemmas[form] && (!found || utf8.RuneCountInString(form) < utf8.RuneCountInString(best)) {
			best, found = form, true
		}
	}
	return best
}
