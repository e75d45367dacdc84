package okvqa

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// tagger is NLTK's averaged perceptron tagger (nltk/tag/perceptron.py): a word's tag is that of a table, or the one with the
// highest sum of weights over the features of its place.
type tagger struct {
	weights map[string]map[string]float64 // by feature, then tag
	known   map[string]string             // words of one tag
	tags    []string                      // sorted
}

// readTagger reads the three files that NLTK keeps a tagger in.
func readTagger(read func(file string) ([]byte, error), name string) (*tagger, error) {
	t := &tagger{}
	for file, to := range map[string]any{"weights": &t.weights, "tagdict": &t.known, "classes": &t.tags} {
		data, err := read(name + "." + file + ".json")
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, to); err != nil {
			return nil, fmt.Errorf("%s.%s.json: %w", name, file, err)
		}
	}
	if len(t.tags) == 0 {
		return nil, fmt.Errorf("%s.classes.json names no tag", name)
	}
	slices.Sort(t.tags)
	return t, nil
}

// tag gives every word its tag.
func (t *tagger) tag(words []string) []string {
	context := []string{"-START-", "-START2-"}
	for _, w := range words {
		context = append(context, normal(w))
	}
	context = append(context, "-END-", "-END2-")
	tags := make([]string, len(words))
	previous, before := "-START-", "-START2-"
	for i, w := range words {
		tag := t.known[w]
		if tag == "" {
			tag = t.best(features(w, context[i:i+5], previous, before))
		}
		tags[i] = tag
		before, previous = previous, tag
	}
	return tags
}

// best is the tag of the highest sum; of equals, the last of the alphabet.
func (t *tagger) best(features []string) string {
	sums := map[string]float64{}
	for _, f := range features {
		for tag, weight := range t.weights[f] {
			sums[tag] += weight
		}
	}
	best := t.tags[0]
	for _, tag := range t.tags[1:] {
		if sums[tag] >= sums[best] {
			best = tag
		}
	}
	return best
}

// features describe a word in its context: the two normal words before it, itself and two after it, and the tags of the
// two before it.
func features(word string, context []string, previous, before string) []string {
	first, _ := utf8.DecodeRuneInString(word)
	return []string{
		"bias",
		"i suffix " + suffix(word),
		"i pref1 " + string(first),
		"i-1 tag " + previous,
		"i-2 tag " + before,
		"i tag+i-2 tag " + previous + " " + before,
		"i word " + context[2],
		"i-1 tag+i word " + previous + " " + context[2],
		"i-1 word " + context[1],
		"i-1 suffix " + suffix(context[1]),
		"i-2 word " + context[0],
		"i+1 word " + context[3],
		"i+1 suffix " + suffix(context[3]),
		"i+2 word " + context[4],
	}
}

// suffix is the last three characters.
func suffix(s string) string {
	i := len(s)
	for range 3 {
		_, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
	}
	return s[i:]
}

// normal is a word as features know it.
func normal(word string) string {
	first, _ := utf8.DecodeRuneInString(word)
	switch {
	case strings.Contains(word, "-") && first != '-':
		return "!HYPHEN"
	case utf8.RuneCountInString(word) == 4 && strings.IndexFunc(word, func(r rune) bool { return !unicode.IsDigit(r) }) < 0:
		return "!YEAR"
	case unicode.IsDigit(first):
		return "!DIGITS"
	}
	return strings.ToLower(word)
}
