package tokenizer

// HTML entities: Python's html.unescape, and ftfy's stricter form of it. Names come from Go's html package (the HTML
// standard's table, as Python's).

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// entity gives the text of a name that ends in ";" ("eacute;"), or ok false.
func entity(name string) (string, bool) {
	text := html.UnescapeString("&" + name)
	if text == "&"+name || strings.HasSuffix(text, ";") && name != "semi;" {
		return "", false
	}
	return text, true
}

// unescapeHTML is Python's html.unescape: also entities without semicolon, by their longest known prefix.
func unescapeHTML(text string) string {
	if strings.IndexByte(text, '&') < 0 {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		if text[i] != '&' {
			out.WriteByte(text[i])
			i++
			continue
		}
		n := referenceLen(text[i:])
		if n == 0 {
			out.WriteByte('&')
			i++
			continue
		}
		ref := text[i : i+n]
		if ref[1] == '#' {
			out.WriteString(numeric(ref))
		} else {
			out.WriteString(html.UnescapeString(ref))
		}
		i += n
	}
	return out.String()
}

// referenceLen is the length of what Python takes for a reference at the front of s ("&..."), or 0.
func referenceLen(s string) int {
	if len(s) < 2 {
		return 0
	}
	i := 1
	if s[1] == '#' {
		i = 2
		digit := func(c byte) bool { return c >= '0' && c <= '9' }
		if i < len(s) && (s[i] == 'x' || s[i] == 'X') {
			i = 3
			digit = func(c byte) bool {
				return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
			}
		}
		start := i
		for i < len(s) && digit(s[i]) {
			i++
		}
		if i == start {
			return 0
		}
	} else {
		for n := 0; n < 32 && i < len(s) && strings.IndexByte("\t\n\f <&#;", s[i]) < 0; n++ {
			_, size := utf8.DecodeRuneInString(s[i:])
			i += size
		}
		if i == 1 {
			return 0
		}
	}
	if i < len(s) && s[i] == ';' {
		i++
	}
	return i
}

// numeric gives the character of &#123; or &#x7b; as HTML has it: C1 numbers mean Windows-1252, non-characters nothing.
func numeric(ref string) string {
	digits, base := strings.TrimSuffix(ref[2:], ";"), 10
	if digits[0] == 'x' || digits[0] == 'X' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	switch {
	case err != nil || n > 0x10ffff || n == 0 || n >= 0xd800 && n <= 0xdfff:
		return "\uFFFD"
	case n >= 0x80 && n <= 0x9f:
		return string(windows1252(byte(n)))
	case n == 0x0d:
		return "\r"
	case n >= 1 && n <= 8, n == 0x0b, n >= 0x0e && n <= 0x1f, n == 0x7f, n >= 0xfdd0 && n <= 0xfdef, n&0xfffe == 0xfffe:
		return ""
	}
	return string(rune(n))
}

// unescapeStrict is ftfy's unescape_html: only references with a semicolon, names in capitals too ("&EACUTE;").
func unescapeStrict(text string) string {
	if strings.IndexByte(text, '&') < 0 {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); {
		n := 0
		if text[i] == '&' {
			n = strictLen(text[i:])
		}
		if n == 0 {
			out.WriteByte(text[i])
			i++
			continue
		}
		out.WriteString(strictReference(text[i : i+n]))
		i += n
	}
	return out.String()
}

// strictLen is the length of "&" or "&#", 1 to 24 letters and digits, ";".
func strictLen(s string) int {
	i := 1
	if i < len(s) && s[i] == '#' {
		i++
	}
	start := i
	for i < len(s) && i-start < 25 && (s[i] >= '0' && s[i] <= '9' || s[i] >= 'a' && s[i] <= 'z' || s[i] >= 'A' && s[i] <= 'Z') {
		i++
	}
	if i == start || i-start > 24 || i >= len(s) || s[i] != ';' {
		return 0
	}
	return i + 1
}

func strictReference(ref string) string {
	if ref[1] == '#' {
		if got := unescapeHTML(ref); !strings.Contains(got, ";") {
			return got
		}
		return ref
	}
	name := ref[1:]
	if text, ok := entity(name); ok {
		return text
	}
	lower := strings.ToLower(name)
	if strings.ToUpper(lower) == name && html.UnescapeString(ref) == ref {
		if text, ok := entity(lower); ok {
			return cases.Upper(language.Und).String(text)
		}
	}
	return ref
}
