package tokenizer

// Python's str.lower: full case mapping, with the final sigma (ς at the end of a word).

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func pythonLower(s string) string {
	plain := true
	for i := range len(s) {
		if s[i] >= 'A' && s[i] <= 'Z' || s[i] >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	var out strings.Builder
	out.Grow(len(s))
	for i, r := range s {
		switch {
		case r >= 'A' && r <= 'Z':
			out.WriteByte(byte(r) + 'a' - 'A')
		case r < utf8.RuneSelf:
			out.WriteByte(byte(r))
		case r == 'Σ':
			if casedBefore(s[:i]) && !casedAfter(s[i+utf8.RuneLen(r):]) {
				out.WriteRune('ς')
			} else {
				out.WriteRune('σ')
			}
		case r == 'İ':
			out.WriteString("i\u0307")
		default:
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

func cased(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func caseIgnorable(r rune) bool {
	switch r {
	case '\'', '.', ':', '·', '\u2018', '\u2019', '\u2024', '\u2027', '\u0387', '\u055f', '\u05f4', '\ufe13', '\ufe52', '\ufe55', '\uff07', '\uff0e', '\uff1a':
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}

// The runs of ignorable characters looked through are bounded: nobody writes longer ones, and hostile text stays linear.
const maxIgnorable = 1024

func casedBefore(s string) bool {
	for n := 0; s != "" && n < maxIgnorable; n++ {
		r, size := utf8.DecodeLastRuneInString(s)
		if !caseIgnorable(r) {
			return cased(r)
		}
		s = s[:len(s)-size]
	}
	return false
}

func casedAfter(s string) bool {
	n := 0
	for _, r := range s {
		if !caseIgnorable(r) || n == maxIgnorable {
			return cased(r)
		}
		n++
	}
	return false
}
