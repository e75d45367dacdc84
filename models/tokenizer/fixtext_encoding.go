package tokenizer

// Mojibake: UTF-8 that was read in a single-byte encoding. Undone when the text looks bad (fixtext_badness.go) and its bytes
// in one of the encodings are UTF-8, with allowance for bytes that were lost on the way.

import (
	"bytes"
	"slices"
	"sync"
)

// fixEncoding takes off one layer after the other.
func fixEncoding(text string) string {
	runes := []rune(text)
	fixed := fixEncodingRunes(runes)
	if slices.Equal(runes, fixed) {
		return text
	}
	return string(fixed)
}

func fixEncodingRunes(text []rune) []rune {
	for {
		fixed := fixEncodingOnce(text)
		if slices.Equal(fixed, text) {
			return fixed
		}
		text = fixed
	}
}

func fixEncodingOnce(text []rune) []rune {
	if !looksBad(text) {
		return text
	}
	latin1 := false
	for i, c := range codecs() {
		b, ok := c.encode(text)
		if !ok {
			continue
		}
		latin1 = latin1 || i == 0
		if c.name != "macroman" {
			b = restoreA0(b)
		}
		if c.sloppy {
			b = markLost(b)
		}
		variants := bytes.IndexByte(b, 0xed) >= 0 || bytes.IndexByte(b, 0xc0) >= 0
		if fixed, ok := decodeUTF8(b, variants); ok {
			return fixed
		}
	}
	if fixed := fixEmbedded(text); !slices.Equal(fixed, text) {
		return fixed
	}
	if latin1 {
		if fixed, ok := latin1AsWindows1252(text); ok && !slices.Equal(fixed, text) {
			return fixed
		}
	}
	var fixed []rune
	for i, r := range text {
		if r >= 0x80 && r <= 0x9f {
			if fixed == nil {
				fixed = slices.Clone(text)
			}
			fixed[i] = windows1252(byte(r))
		}
	}
	if fixed != nil {
		return fixed
	}
	return text
}

func in(c byte, lo, hi byte) bool { return c >= lo && c <= hi }

// restoreA0 puts back bytes A0 that became spaces, where that makes a likely UTF-8 sequence. "Ã " alone is "à " with its
// space kept, but for the Portuguese às, àquele, àquela, àquilo.
func restoreA0(b []byte) []byte {
	found := false
	for i := range b {
		if alteredLen(b[i:]) > 0 {
			found = true
			break
		}
	}
	if !found {
		return b
	}
	var grave []byte
	for i := 0; i < len(b); i++ {
		grave = append(grave, b[i])
		if b[i] == 0xc3 && i+1 < len(b) && b[i+1] == ' ' && !continuesWord(b[i+2:]) {
			grave = append(grave, 0xa0, ' ')
			i++
		}
	}
	out := grave[:0:0]
	for i := 0; i < len(grave); {
		n := alteredLen(grave[i:])
		if n == 0 {
			out = append(out, grave[i])
			i++
			continue
		}
		out = append(out, bytes.ReplaceAll(grave[i:i+n], []byte{' '}, []byte{0xa0})...)
		i += n
	}
	return out
}

func continuesWord(b []byte) bool {
	for _, s := range []string{" ", "quele", "quela", "quilo", "s "} {
		if bytes.HasPrefix(b, []byte(s)) {
			return true
		}
	}
	return false
}

// alteredLen is the length of a UTF-8 sequence at the front of b in which a space stands for A0, or 0.
func alteredLen(b []byte) int {
	at := func(i int) byte {
		if i < len(b) {
			return b[i]
		}
		return 0
	}
	follows := func(c byte) bool { return in(c, 0x80, 0x84) || in(c, 0x86, 0x9f) || in(c, 0xa1, 0xbf) }
	any := func(c byte) bool { return in(c, 0x80, 0xbf) }
	switch c := at(0); {
	case bytes.IndexByte([]byte{0xc2, 0xc3, 0xc5, 0xce, 0xd0, 0xd9}, c) >= 0 && at(1) == ' ':
		return 2
	case (c == 0xe2 || c == 0xe3) && at(1) == ' ' && follows(at(2)):
		return 3
	case in(c, 0xe0, 0xe3) && follows(at(1)) && at(2) == ' ':
		return 3
	case c == 0xf0 && (at(1) == ' ' && any(at(2)) && any(at(3)) || any(at(1)) && at(2) == ' ' && any(at(3)) || any(at(1)) && any(at(2)) && at(3) == ' '):
		return 4
	}
	return 0
}

// markLost replaces UTF-8 sequences that lost a byte (1A, where U+FFFD stood, or once a question mark) by U+FFFD.
func markLost(b []byte) []byte {
	if bytes.IndexByte(b, 0x1a) < 0 && bytes.IndexByte(b, '?') < 0 {
		return b
	}
	var out []byte
	for i := 0; i < len(b); {
		n := lostLen(b[i:])
		if n == 0 {
			out = append(out, b[i])
			i++
			continue
		}
		out = append(out, "\uFFFD"...)
		i += n
	}
	return out
}

func lostLen(b []byte) int {
	const (
		lost      = 1 << iota // 1A
		mark                  // ?
		following             // 80 to BF
	)
	kind := func(i int) int {
		switch {
		case i >= len(b):
			return 0
		case b[i] == 0x1a:
			return lost
		case b[i] == '?':
			return mark
		case in(b[i], 0x80, 0xbf):
			return following
		}
		return 0
	}
	matches := func(i int, kinds ...int) bool {
		for j, k := range kinds {
			if kind(i+j)&k == 0 {
				return false
			}
		}
		return true
	}
	c := b[0]
	switch {
	case in(c, 0xc2, 0xdf) && matches(1, lost), in(c, 0xc2, 0xc3) && matches(1, mark):
		return 2
	case c == 0xed && len(b) >= 6 && in(b[1], 0xa0, 0xaf) && b[3] == 0xed && in(b[4], 0xb0, 0xbf) &&
		(matches(2, lost|mark) && matches(5, lost|mark|following) || matches(2, lost|mark|following) && matches(5, lost|mark)):
		return 6
	case in(c, 0xe0, 0xef) && (matches(1, lost|mark, lost|following) || matches(1, lost|following, lost|mark)):
		return 3
	case in(c, 0xf0, 0xf4) && (matches(1, lost|mark, lost|following, lost|following) ||
		matches(1, lost|following, lost|mark, lost|following) || matches(1, lost|following, lost|following, lost|mark)):
		return 4
	case c == 0x1a:
		return 1
	}
	return 0
}

// clues are the characters that bytes of UTF-8 turn into when read in an encoding of the Latin-1 layout.
type clues struct{ first2, first3, first4, following, strict map[rune]bool }

var utf8Clues = sync.OnceValue(func() *clues {
	set := func(bytes ...byte) map[rune]bool {
		m := map[rune]bool{}
		for _, c := range codecs()[:codecsLikeLatin1] {
			for _, b := range bytes {
				m[c.to[b]] = true
			}
		}
		return m
	}
	span := func(lo, hi byte) (b []byte) {
		for c := int(lo); c <= int(hi); c++ {
			b = append(b, byte(c))
		}
		return b
	}
	c := &clues{first2: set(span(0xc2, 0xdf)...), first3: set(span(0xe0, 0xef)...), first4: set(0xf0, 0xf3),
		following: set(span(0x80, 0xbf)...), strict: set(span(0x80, 0xbf)...)}
	c.following[' '] = true
	for _, r := range "–—―‘’‚“”„•…" { // these stand for themselves too often
		delete(c.strict, r)
	}
	return c
})

// fixEmbedded repairs stretches that look like UTF-8 read wrongly, each by itself.
func fixEmbedded(text []rune) []rune {
	c := utf8Clues()
	var out []rune
	for i := 0; i < len(text); {
		n := 0
		if i == 0 || !c.strict[text[i-1]] {
			n = c.stretch(text[i:])
		}
		if n == 0 {
			out = append(out, text[i])
			i++
			continue
		}
		part := text[i : i+n]
		if n < len(text) && looksBad(part) {
			part = fixEncodingRunes(part)
		}
		out = append(out, part...)
		i += n
	}
	return out
}

// stretch is the length of the run of such sequences at the front of text.
func (c *clues) stretch(text []rune) int {
	follows := func(i, n int) bool {
		for j := i; j < i+n; j++ {
			if j >= len(text) || !c.following[text[j]] {
				return false
			}
		}
		return true
	}
	i := 0
	for i < len(text) {
		switch r := text[i]; {
		case c.first2[r] && follows(i+1, 1):
			i += 2
		case c.first3[r] && follows(i+1, 2):
			i += 3
		case c.first4[r] && follows(i+1, 3):
			i += 4
		default:
			return i
		}
	}
	return i
}
