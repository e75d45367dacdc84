package match

// This file is the character classes of Punkt's regular expressions, with Python's idea of white space.

import "unicode/utf8"

const (
	mark       uint8 = 1 << iota // . ? !
	asciiSpace                   // string.whitespace
	otherSpace                   // the further ASCII white space of \s: U+001C to U+001F
	nonWord                      // punctuation that cannot stand within a word
	noStart                      // characters that cannot start a word
	closer                       // closing punctuation that goes to the sentence before it
	plain                        // ASCII letters and digits: what words are made of
)

const space = asciiSpace | otherSpace

var class = classes(map[uint8]string{
	mark:       ".?!",
	asciiSpace: " \t\n\r\v\f",
	otherSpace: "\x1c\x1d\x1e\x1f",
	nonWord:    `)";}]*:@'({[?!`,
	noStart:    "(\"`{[:;&#*@)}]-,",
	closer:     `"')]}`,
	plain:      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
})

func classes(sets map[uint8]string) (table [256]uint8) {
	for bit, set := range sets {
		for i := range len(set) {
			table[set[i]] |= bit
		}
	}
	return table
}

// spaceAt is the length in bytes of the white space character at i, 0 where there is none.
func spaceAt(s string, i int) int {
	if i >= len(s) {
		return 0
	}
	if s[i] < utf8.RuneSelf {
		if class[s[i]]&space != 0 {
			return 1
		}
		return 0
	}
	rest := s[i:]
	switch {
	case s[i] == 0xC2 && len(rest) > 1 && (rest[1] == 0x85 || rest[1] == 0xA0): // U+0085, U+00A0
		return 2
	case len(rest) < 3:
		return 0
	case s[i] == 0xE1 && rest[1] == 0x9A && rest[2] == 0x80, // U+1680
		s[i] == 0xE2 && rest[1] == 0x80 && (rest[2] >= 0x80 && rest[2] <= 0x8A || rest[2] == 0xA8 || rest[2] == 0xA9 || rest[2] == 0xAF),
		s[i] == 0xE2 && rest[1] == 0x81 && rest[2] == 0x9F, // U+205F
		s[i] == 0xE3 && rest[1] == 0x80 && rest[2] == 0x80: // U+3000
		return 3
	}
	return 0
}

func skipSpace(s string, i int) int {
	if i+1 < len(s) && s[i] == ' ' && s[i+1] > ' ' && s[i+1] < utf8.RuneSelf { // nearly always
		return i + 1
	}
	for n := spaceAt(s, i); n > 0; n = spaceAt(s, i) {
		i += n
	}
	return i
}

func skipNonSpace(s string, i int) int {
	for i < len(s) && spaceAt(s, i) == 0 {
		i++
	}
	return i
}

// trimRight is the length of s without the white space at its end.
func trimRight(s string) int {
	end := len(s)
	for end > 0 {
		i := end - 1
		for i > 0 && end-i < 3 && !utf8.RuneStart(s[i]) {
			i--
		}
		if n := spaceAt(s, i); n == 0 || i+n != end {
			break
		}
		end = i
	}
	return end
}
