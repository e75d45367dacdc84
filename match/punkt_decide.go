package match

// This file decides whether a piece of text holds a sentence break: it cuts the piece into words and applies the
// first (type based) and second (token based) pass of Punkt (Kiss and Strunk 2006, sections 3 and 4) to them. It reads
// a context of a few words and writes yes or no; it allocates nothing.

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longest is above the length in bytes of every word that lower-cases to one of the parameters; longer words need no
// look-up.
const longest = 64

const number = "##number##"

// token is a word of a context.
type token struct {
	text     string
	lower    [3 * longest]byte // lower-cased text, or ##number##; of length 0 for words longer than any parameter
	length   int
	known    learned // of the word without its full stop, when it ends in one
	isBreak  bool
	isAbbr   bool
	ellipsis bool
}

func (t *token) typ() []byte { return t.lower[:t.length] }

// decider decides about contexts, one after another, in the same two words.
type decider struct {
	*punktParams
	pair [2]token
}

// holdsBreak tells whether a word of the context ends a sentence and another word follows it.
func (p *decider) holdsBreak(context string) bool {
	first, second := &p.pair[0], &p.pair[1]
	from, to := nextWord(context, 0)
	if from == to {
		return false
	}
	p.typeBased(first, context[from:to])
	for {
		from, to = nextWord(context, to)
		if from == to {
			return false
		}
		p.typeBased(second, context[from:to])
		p.tokenBased(first, second)
		if first.isBreak {
			return true
		}
		first, second = second, first
	}
}

// typeBased is the first pass: what the word alone tells.
func (p *punktParams) typeBased(t *token, text string) {
	t.text, t.known, t.isBreak, t.isAbbr, t.ellipsis = text, 0, false, false, false
	numeric := isNumber(text)
	switch {
	case numeric:
		t.length = copy(t.lower[:], number)
	case len(text) > longest:
		t.length = 0
	default:
		t.length = len(appendLower(t.lower[:0], text))
	}
	last := len(text) - 1
	if text[last] == '.' {
		t.known = p.words[string(noPeriod(t.typ()))]
	}
	switch {
	case len(text) == 1 && class[text[0]]&mark != 0:
		t.isBreak = true
	case text[last] != '.':
	case strings.Trim(text, ".") == "":
		t.ellipsis = true
	case text[last-1] == '.':
	case t.known&abbreviation != 0 && !numeric, (numeric || strings.IndexByte(text, '-') >= 0) && p.isAbbreviation(text[:last]):
		t.isAbbr = true
	default:
		t.isBreak = true
	}
}

// isAbbreviation tells whether the word, or its part after the last hyphen, is a known abbreviation.
func (p *punktParams) isAbbreviation(word string) bool {
	part := word[strings.LastIndexByte(word, '-')+1:]
	var buf [3 * longest]byte
	for _, w := range [2]string{word, part} {
		if len(w) <= longest && p.words[string(appendLower(buf[:0], w))]&abbreviation != 0 {
			return true
		}
	}
	return false
}

// tokenBased is the second pass: what the following word tells about a word that ends in a full stop.
func (p *punktParams) tokenBased(t, next *token) {
	if t.text[len(t.text)-1] != '.' {
		return
	}
	typ, nextTyp := noPeriod(t.typ()), next.typ()
	if next.isBreak {
		nextTyp = noPeriod(nextTyp)
	}
	initial := isInitial(t.text)

	// 4.1.2, collocations
	if t.known&collocates != 0 && p.collocations[[2]string{string(typ), string(nextTyp)}] {
		t.isBreak, t.isAbbr = false, true
		return
	}
	seen := p.words[string(nextTyp)]
	starts := startsSentence(next.text, seen)
	// 4.2, abbreviations and ellipses that end a sentence all the same
	if (t.isAbbr || t.ellipsis) && !initial {
		if starts == yes || seen&starter != 0 && firstIs(next.text, isUpper) {
			t.isBreak = true
			return
		}
	}
	// 4.3, initials and ordinals
	if initial || string(typ) == number {
		if starts == no || starts == unknown && initial && seen&anyLower == 0 && firstIs(next.text, isUpper) {
			t.isBreak, t.isAbbr = false, true
		}
	}
}

type verdict int

const (
	unknown verdict = iota
	yes
	no
)

// startsSentence is the orthographic heuristic, 4.1.1: does the case of the word tell that it starts a sentence?
func startsSentence(word string, seen learned) verdict {
	if len(word) == 1 && strings.IndexByte(";:,.!?", word[0]) >= 0 {
		return no
	}
	switch {
	case firstIs(word, isUpper):
		if seen&anyLower != 0 && seen&midUpper == 0 {
			return yes
		}
	case firstIs(word, isLower):
		if seen&anyUpper != 0 || seen&begLower == 0 {
			return no
		}
	}
	return unknown
}

// nextWord finds the next word of s at or after i; from == to when there is none. Words are what is left between white
// space when punctuation other than full stops is split off; runs of hyphens or full stops are words, and so are three
// or more full stops with single spaces between them.
func nextWord(s string, i int) (from, to int) {
	from = skipSpace(s, i)
	if from == len(s) {
		return from, from
	}
	if n := repeated(s, from); n > 0 {
		return from, from + n
	}
	_, size := utf8.DecodeRuneInString(s[from:])
	to = from + size
	if class[s[from]]&noStart != 0 {
		return from, to
	}
	for {
		for to < len(s) && class[s[to]]&plain != 0 {
			to++
		}
		if endsWord(s, to) {
			return from, to
		}
		_, size := utf8.DecodeRuneInString(s[to:])
		to += size
	}
}

// endsWord tells whether a word must end before i.
func endsWord(s string, i int) bool {
	if i == len(s) {
		return true
	}
	if b := s[i]; b < utf8.RuneSelf {
		switch b {
		case ',':
			return i+1 == len(s) || class[s[i+1]]&nonWord != 0 || spaceAt(s, i+1) > 0 || repeated(s, i+1) > 0
		case '-', '.':
			return repeated(s, i) > 0
		}
		return class[b]&(nonWord|space) != 0
	}
	return spaceAt(s, i) > 0
}

// repeated is the length of "--", ".." (or longer) or ". . ." (or longer, any single space) at i, else 0.
func repeated(s string, i int) int {
	if i >= len(s) || s[i] != '-' && s[i] != '.' {
		return 0
	}
	end := i + 1
	for end < len(s) && s[end] == s[i] {
		end++
	}
	if end-i >= 2 {
		return end - i
	}
	if s[i] == '-' {
		return 0
	}
	marks, at := 1, i+1
	for {
		n := spaceAt(s, at)
		if n == 0 || s[at] == '\n' || at+n == len(s) || s[at+n] != '.' {
			break
		}
		at += n + 1
		marks++
	}
	if marks >= 3 {
		return at - i
	}
	return 0
}

// isNumber is ^-?[.,]?\d[\d,.-]*\.?$ with Unicode's decimal digits.
func isNumber(s string) bool {
	s = strings.TrimPrefix(s, "-")
	if s != "" && (s[0] == '.' || s[0] == ',') {
		s = s[1:]
	}
	for i, r := range s {
		if !isDigit(r) && (i == 0 || r != ',' && r != '.' && r != '-') {
			return false
		}
	}
	return s != ""
}

func isDigit(r rune) bool {
	if r < utf8.RuneSelf {
		return '0' <= r && r <= '9'
	}
	return unicode.Is(unicode.Nd, r)
}

// isInitial tells whether the word is one letter (or numeral that is no digit) and a full stop.
func isInitial(s string) bool {
	r, size := utf8.DecodeRuneInString(s)
	if size+1 != len(s) || s[size] != '.' {
		return false
	}
	return r == '_' || unicode.IsLetter(r) || unicode.In(r, unicode.Nl, unicode.No)
}

func firstIs(s string, is func(rune) bool) bool {
	r, _ := utf8.DecodeRuneInString(s)
	return is(r)
}

func isUpper(r rune) bool {
	if r < utf8.RuneSelf {
		return 'A' <= r && r <= 'Z'
	}
	return unicode.IsUpper(r) || unicode.Is(unicode.Other_Uppercase, r)
}

func isLower(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z'
	}
	return unicode.IsLower(r) || unicode.Is(unicode.Other_Lowercase, r)
}

// appendLower appends the lower-cased word. Python's lower-casing by context (final sigma) does not matter: no word of
// the parameters has such letters. The dotted I must not become a plain i, though. A byte becomes at most three.
func appendLower(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		b := s[i]
		if b >= utf8.RuneSelf {
			for _, r := range s[i:] {
				if r == 'İ' {
					dst = append(dst, "i\u0307"...)
					continue
				}
				dst = utf8.AppendRune(dst, unicode.ToLower(r))
			}
			return dst
		}
		if 'A' <= b && b <= 'Z' {
			b += 'a' - 'A'
		}
		dst = append(dst, b)
	}
	return dst
}

func noPeriod(typ []byte) []byte {
	if len(typ) > 1 {
		return bytes.TrimSuffix(typ, []byte{'.'})
	}
	return typ
}
