package vqa

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Normalise is what both a prediction and people's answers go through before they are compared.
func Normalise(answer string) string { return Words(Punctuation(Trim(answer))) }

// Trim turns line breaks and tabs into spaces and removes white space at both ends.
func Trim(s string) string {
	if strings.ContainsAny(s, "\n\t") {
		s = strings.Map(func(r rune) rune {
			if r == '\n' || r == '\t' {
				return ' '
			}
			return r
		}, s)
	}
	return strings.TrimFunc(s, isSpace)
}

// marks are taken out of answers.
const marks = ";/[]\"{}()=+\\_-><@`,?!"

// maxStops is how many full stops are removed at most: the reference passes a flag of value 32 where its regular
// expression takes a count.
const maxStops = 32

// Punctuation removes marks and full stops. A mark that has a space on one side somewhere in the text is deleted
// everywhere, another becomes a space; but one comma between digits anywhere makes all marks be deleted. A full stop
// stays before a digit only (the reference also means to keep one after a digit, and does not).
func Punctuation(s string) string {
	if !strings.ContainsAny(s, marks+".") {
		return s
	}
	var remove [utf8.RuneSelf]bool
	all := commaBetweenDigits(s)
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < utf8.RuneSelf && (i > 0 && s[i-1] == ' ' || i+1 < len(s) && s[i+1] == ' ') {
			remove[c] = true
		}
	}
	// First all marks, in any order: none is made of others. Then full stops, on what is left.
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf || strings.IndexByte(marks, c) < 0:
			b = append(b, c)
		case !all && !remove[c]:
			b = append(b, ' ')
		}
	}
	s = string(b)
	if strings.IndexByte(s, '.') < 0 {
		return s
	}
	b, stops := b[:0], 0
	for i := 0; i < len(s); i++ {
		if s[i] == '.' && stops < maxStops {
			if r, _ := utf8.DecodeRuneInString(s[i+1:]); !unicode.IsDigit(r) {
				stops++
				continue
			}
		}
		b = append(b, s[i])
	}
	return string(b)
}

func commaBetweenDigits(s string) bool {
	for at := 0; ; {
		i := strings.IndexByte(s[at:], ',')
		if i < 0 {
			return false
		}
		i += at
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		after, _ := utf8.DecodeRuneInString(s[i+1:])
		if unicode.IsDigit(before) && unicode.IsDigit(after) {
			return true
		}
		at = i + 1
	}
}

// Words writes an answer in lower case with number words as digits, without articles, and with apostrophes in
// contractions.
func Words(s string) string {
	fields := strings.FieldsFunc(lower(s), isSpace)
	out := fields[:0]
	for _, w := range fields {
		switch w {
		case "a", "an", "the":
			continue
		}
		if n, ok := numberWords[w]; ok {
			w = n
		}
		if c, ok := contractions[w]; ok {
			w = c
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// isSpace is what Python takes for white space.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// lower is Python's str.lower: two letters differ from Go's mapping.
func lower(s string) string {
	if !strings.ContainsAny(s, "İΣ") {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == 'İ':
			b.WriteString("i\u0307")
		case r == 'Σ' && caseBefore(s[:i]) && !caseAfter(s[i+len("Σ"):]):
			b.WriteRune('ς')
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

// caseBefore and caseAfter look past characters that do not count for the end of a word.
func caseBefore(s string) bool {
	for len(s) > 0 {
		r, n := utf8.DecodeLastRuneInString(s)
		if s = s[:len(s)-n]; !uncounted(r) {
			return hasCase(r)
		}
	}
	return false
}

func caseAfter(s string) bool {
	for _, r := range s {
		if !uncounted(r) {
			return hasCase(r)
		}
	}
	return false
}

func hasCase(r rune) bool {
	return unicode.In(r, unicode.Lu, unicode.Ll, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func uncounted(r rune) bool {
	return strings.ContainsRune("'.:^`\u00a8\u00ad\u00af\u00b4\u00b7\u00b8\u2018\u2019\u2024\u2027", r) ||
		unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}
