package match

// This file is why most of a text is never looked at byte by byte: marks are found by strings.IndexByte, which has
// vector instructions, and a word of plain letters about which Punkt learned nothing ends a sentence at its full stop
// without being annotated. It reads a text and writes places in it.

import (
	"encoding/binary"
	"math/bits"
	"strings"
)

// markFinder finds the marks of a text in order: three searches, each of which goes through the text once.
type markFinder struct {
	text string
	at   [len(markBytes)]int // the next of each
}

const markBytes = ".?!"

func newMarkFinder(text string) *markFinder {
	m := &markFinder{text: text}
	for k := range m.at {
		m.at[k] = -1
	}
	return m
}

// next is the first mark at or after from, which never goes back; len(text) when there is none.
func (m *markFinder) next(from int) int {
	first := len(m.text)
	for k, at := range m.at {
		if at < from {
			at = len(m.text)
			if i := strings.IndexByte(m.text[from:], markBytes[k]); i >= 0 {
				at = from + i
			}
			m.at[k] = at
		}
		first = min(first, at)
	}
	return first
}

// wordBefore is where the word before the mark begins: after ASCII white space, or, when there is none behind the mark
// before, where that one's word began. The word is ordinary when it is two or more ASCII letters that are no abbreviation
// and in no collocation: such a word with a full stop ends a sentence whatever the next word is.
func wordBefore(text string, at int, before span, special *tailSet) (from int, ordinary bool) {
	from = at
	var key uint64
	for from >= 8 {
		tail, n := letters(text[from-8 : from])
		if from == at {
			key = tail
		}
		from -= n
		if n < 8 {
			break
		}
	}
	if from-1 > before.to && class[text[from-1]]&asciiSpace != 0 {
		return from, at-from > 1 && !special.has(key)
	}
	for from--; from > before.to; from-- {
		if class[text[from]]&asciiSpace != 0 {
			return from + 1, false
		}
	}
	return before.from, false
}

const (
	eachByte = 0x0101010101010101
	eachHigh = 0x80 * eachByte
)

// letters is how many of the last of eight bytes are ASCII letters, and these letters in lower case, the last on top.
func letters(eight string) (tail uint64, n int) {
	x := binary.LittleEndian.Uint64([]byte(eight))
	lower := x | 0x20*eachByte
	low := lower &^ eachHigh
	others := (^(low + (0x80-'a')*eachByte) | (low + (0x80-'z'-1)*eachByte) | x) & eachHigh
	n = bits.LeadingZeros64(others) / 8
	return lower &^ (^uint64(0) >> (8 * n)), n
}

// tailSet holds the ends of words, eight letters at most. It may say yes of others too (a Bloom filter of one function).
type tailSet [1 << 8]uint64

func (s *tailSet) place(tail uint64) (word, bit uint64) {
	h := tail * 0x9E3779B97F4A7C15 >> 50
	return h >> 6, 1 << (h & 63)
}

func (s *tailSet) has(tail uint64) bool {
	word, bit := s.place(tail)
	return s[word]&bit != 0
}

// add adds a word in lower case.
func (s *tailSet) add(word string) {
	tail, _ := letters(("        " + word)[len(word):])
	w, bit := s.place(tail)
	s[w] |= bit
}
