package okvqa

import (
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"mmc4/match"
)

// rewriting is a step of NLTK's tokenizer: what it finds, and what stands in its place.
type rewriting struct {
	find *regexp.Regexp
	put  string
}

// rewritings are compiled when they are first needed: most runs of the program never stem.
func rewritings(pairs ...string) func() []rewriting {
	return sync.OnceValue(func() (list []rewriting) {
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, rewriting{regexp.MustCompile(pairs[i]), pairs[i+1]})
		}
		return list
	})
}

// expression is one such expression.
func expression(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

// The steps of NLTK's NLTKWordTokenizer (nltk/tokenize/destructive.py), in their order.
var (
	beforeQuotes = rewritings(
		"([«“‘„]|`+)", " $1 ",
		`^"`, "``",
		"(``)", " $1 ",
		`([ (\[{<])("|'{2})`, "$1 `` ",
	)
	punctuation = rewritings(
		`([^.])(\.)([\])}>"'»”’ ]*)\s*$`, "$1 $2 $3 ",
		`([:,])([^\p{Nd}])`, " $1 $2",
		`([:,])(\n?)$`, " $1 $2",
		`\.{2,}`, " $0 ",
		`[;@#$%&]`, " $0 ",
		`[\x{2012}-\x{2015}]`, " $0 ",
		`([^.])(\.)([\])}>"']*)\s*$`, "$1 $2$3 ",
		`[?!]`, " $0 ",
		`([^'])' `, "$1 ' ",
		`[*]`, " $0 ",
		`[\]\[(){}<>]`, " $0 ",
		`--`, " -- ",
	)
	afterQuotes = rewritings(
		`([»”’])`, " $1 ",
		`''`, " '' ",
		`"`, " '' ",
		`\s+`, " ",
		`([^' ])('[sS]|'[mM]|'[dD]|') `, "$1 $2 ",
		`([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) `, "$1 $2 ",
	)
	parting = rewritings(
		before+`(can)(not)`+behind, "$1 $2 $3 $4",
		before+`(d)('ye)`+behind, "$1 $2 $3 $4",
		before+`(gim)(me)`+behind, "$1 $2 $3 $4",
		before+`(gon)(na)`+behind, "$1 $2 $3 $4",
		before+`(got)(ta)`+behind, "$1 $2 $3 $4",
		before+`(lem)(me)`+behind, "$1 $2 $3 $4",
		before+`(more)('n)`+behind, "$1 $2 $3 $4",
		before+`(wan)(na)(\s)`, "$1 $2 $3 $4",
		`(?i)( )('t)(is)`+behind, "$1 $2 $3 $4",
		`(?i)( )('t)(was)`+behind, "$1 $2 $3 $4",
	)
)

// Where Python's expressions find a word to begin or end, which Go's do for ASCII letters only.
const (
	before = `(?i)(^|[^\p{L}\p{N}_])`
	behind = `($|[^\p{L}\p{N}_])`
)

// words is NLTK's word_tokenize: the words of the sentences of a text.
func words(text string) (tokens []string) {
	for _, s := range match.Sentences(text) {
		s = openingQuotes(rewrite(s, beforeQuotes()))
		s = rewrite(" "+rewrite(s, punctuation())+" ", afterQuotes())
		s = rewrite(rewrite(s, parting()), parting()) // twice, as words next to each other share the character between them
		tokens = append(tokens, strings.FieldsFunc(s, isSpace)...)
	}
	return tokens
}

// isSpace is what Python takes for white space.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func rewrite(s string, steps []rewriting) string {
	for _, step := range steps {
		s = step.find.ReplaceAllString(s, step.put)
	}
	return s
}

// ending is an ending that an apostrophe belongs to.
var ending = expression(`^(?i)(?:re|ve|ll|m|t|s|d|n)(?:[^\p{L}\p{N}_]|$)`)

// openingQuotes parts a single quote from the word it opens: one between no word and a word, except before an ending.
func openingQuotes(s string) string {
	var b strings.Builder
	last := rune(-1)
	for i, size := 0, 0; i < len(s); i += size {
		var r rune
		r, size = utf8.DecodeRuneInString(s[i:])
		b.WriteString(s[i : i+size])
		if next, _ := utf8.DecodeRuneInString(s[i+size:]); r == '\'' && !isWord(last) && isWord(next) && !ending().MatchString(s[i+size:]) {
			b.WriteByte(' ')
		}
		last = r
	}
	return b.String()
}

func isWord(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }
