package ptb

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// lower is Java's String.toLowerCase in an English locale: Unicode's simple mapping, a dotted capital I that becomes two
// characters, and the other form of sigma at the end of a word.
func lower(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return lowerUnicode(s)
		}
	}
	return strings.ToLower(s)
}

// appendLower appends the token in lower case.
func appendLower(b []byte, token string) []byte {
	start := len(b)
	for i := range len(token) {
		c := token[i]
		if c >= utf8.RuneSelf {
			return append(b[:start], lowerUnicode(token)...)
		}
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		b = append(b, c)
	}
	return b
}

func lowerUnicode(s string) string {
	var b strings.Builder
	for i, r := range s {
		switch r {
		case 'İ':
			b.WriteString("i\u0307")
		case 'Σ':
			if casedBefore(s[:i]) && !casedAfter(s[i+len("Σ"):]) {
				b.WriteRune('ς')
			} else {
				b.WriteRune('σ')
			}
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// casedBefore and casedAfter look for a letter with a case in the same word as a sigma. What Java takes for one word
// goes on over digits, marks, and a single hyphen, apostrophe, full stop or colon.
func casedBefore(s string) bool {
	for len(s) > 0 {
		r, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
		if cased(r) || !joins(r) {
			return cased(r)
		}
	}
	return false
}

func casedAfter(s string) bool {
	for _, r := range s {
		if cased(r) || !joins(r) {
			return cased(r)
		}
	}
	return false
}

func cased(r rune) bool {
	return unicode.IsUpper(r) || unicode.IsLower(r) || unicode.IsTitle(r) || unicode.In(r, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func joins(r rune) bool {
	switch r {
	case '\'', '.', ':', '-', '\u00ad', '\u00b7', '\u2018', '\u2019', '\u2024', '\u2027':
		return true
	}
	return unicode.In(r, unicode.Nd, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lo)
}
