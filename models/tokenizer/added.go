package tokenizer

// Added tokens: texts that become one id before anything else is looked at. The longest one at the leftmost place wins.
// Reads like Hugging Face tokenizers' added_vocabulary.rs.

import (
	"unicode"
	"unicode/utf8"
)

// AddedToken is one of them.
type AddedToken struct {
	ID         int    `json:"id"`
	Content    string `json:"content"`
	SingleWord bool   `json:"single_word"` // only where no word character touches it
	LStrip     bool   `json:"lstrip"`      // takes the white space before it
	RStrip     bool   `json:"rstrip"`      // takes the white space after it
	Normalized bool   `json:"normalized"`  // looked for after normalisation
	Special    bool   `json:"special"`     // left out by DecodePlain
}

// finder looks for the texts of a set of added tokens.
type finder struct {
	first [256]bool
	nodes []finderNode
	any   bool
}

type finderNode struct {
	next  map[byte]int32
	token *AddedToken
}

// add makes text stand for t.
func (f *finder) add(t *AddedToken, text string) {
	if len(f.nodes) == 0 {
		f.nodes = []finderNode{{}}
	}
	f.any = true
	f.first[text[0]] = true
	at := int32(0)
	for i := range len(text) {
		child, ok := f.nodes[at].next[text[i]]
		if !ok {
			child = int32(len(f.nodes))
			f.nodes = append(f.nodes, finderNode{})
			if f.nodes[at].next == nil {
				f.nodes[at].next = map[byte]int32{}
			}
			f.nodes[at].next[text[i]] = child
		}
		at = child
	}
	f.nodes[at].token = t
}

// find gives the next token at or after from, where it begins and ends (before stripping).
func (f *finder) find(text []byte, from int) (t *AddedToken, start, end int) {
	for i := from; i < len(text); i++ {
		if !f.first[text[i]] {
			continue
		}
		at := int32(0)
		for j := i; j < len(text); j++ {
			child, ok := f.nodes[at].next[text[j]]
			if !ok {
				break
			}
			at = child
			if f.nodes[at].token != nil {
				t, start, end = f.nodes[at].token, i, j+1
			}
		}
		if t != nil {
			return t, start, end
		}
	}
	return nil, 0, 0
}

// prefix is the length of the longest token that text begins with, or 0.
func (f *finder) prefix(text string) int {
	longest, at := 0, int32(0)
	for j := 0; f.any && j < len(text); j++ {
		child, ok := f.nodes[at].next[text[j]]
		if !ok {
			break
		}
		if at = child; f.nodes[at].token != nil {
			longest = j + 1
		}
	}
	return longest
}

// split calls plain for the text between added tokens and token for each of them, in order; nothing is empty. A token that takes the
// white space after it takes it from those that are found there only if they take the white space before them; else they
// are there once more, and so is the text after them, as in added_vocabulary.rs.
func (f *finder) split(text []byte, plain func(start, end int), token func(t *AddedToken, start, end int)) {
	done, from := 0, 0
	for f.any {
		t, start, end := f.find(text, from)
		if t == nil {
			break
		}
		from = end
		if t.SingleWord && (wordBefore(text, start) || wordAfter(text, end)) {
			continue
		}
		if t.LStrip {
			start = max(done, spaceBefore(text, start))
		}
		if t.RStrip {
			end = spaceAfter(text, end)
		}
		if done < start {
			plain(done, start)
		}
		if start < end {
			token(t, start, end)
		}
		done = end
	}
	if done < len(text) {
		plain(done, len(text))
	}
}

// wordRune is \w of the regular expressions of Unicode (UTS #18): alphabetic, marks, digits, connectors, joiners.
func wordRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.In(r, unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic, unicode.Join_Control)
}

func wordBefore(text []byte, i int) bool {
	r, _ := utf8.DecodeLastRune(text[:i])
	return i > 0 && wordRune(r)
}

func wordAfter(text []byte, i int) bool {
	r, _ := utf8.DecodeRune(text[i:])
	return i < len(text) && wordRune(r)
}

func spaceBefore(text []byte, i int) int {
	for i > 0 {
		r, n := utf8.DecodeLastRune(text[:i])
		if !unicode.Is(unicode.White_Space, r) {
			break
		}
		i -= n
	}
	return i
}

func spaceAfter(text []byte, i int) int {
	for i < len(text) {
		r, n := utf8.DecodeRune(text[i:])
		if !unicode.Is(unicode.White_Space, r) {
			break
		}
		i += n
	}
	return i
}
