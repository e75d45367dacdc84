// Package htmlattr undoes character references as the HTML standard reads them in attribute values: "&copy=1" stays, which
// it does not in text.
package htmlattr

import (
	"strings"

	"golang.org/x/net/html"
)

// Unescape gives the value of an attribute that is written as s between its quotes: references undone, line breaks as LF, NUL as
// U+FFFD.
func Unescape(s string) string {
	if strings.IndexByte(s, 0) >= 0 {
		return reference(s)
	}
	if strings.IndexByte(s, '&') < 0 {
		if strings.IndexByte(s, '\r') >= 0 {
			s = strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
		}
		return s
	}
	if strings.IndexByte(s, '\r') < 0 {
		if out, ok := common(s); ok {
			return out
		}
	}
	return reference(s)
}

// reference has x/net/html read the value.
func reference(s string) string {
	z := html.NewTokenizer(strings.NewReader(`<i t="` + strings.ReplaceAll(s, `"`, "&quot;") + `">`))
	if z.Next() == html.StartTagToken {
		z.TagName()
		if key, value, _ := z.TagAttr(); string(key) == "t" {
			return string(value)
		}
	}
	return s
}

// common undoes what URLs and captions are full of: the named references below and numbers of ASCII characters, each with its ";", so
// that nothing depends on what follows. ok is false where there is anything else.
func common(s string) (out string, ok bool) {
	var b strings.Builder
	b.Grow(len(s))
	for {
		i := strings.IndexByte(s, '&')
		if i < 0 {
			b.WriteString(s)
			return b.String(), true
		}
		b.WriteString(s[:i])
		s = s[i:]
		if len(s) == 1 || !startsReference(s[1]) {
			b.WriteByte('&')
			s = s[1:]
			continue
		}
		end := strings.IndexByte(s[:min(len(s), 8)], ';')
		if end < 0 {
			return "", false
		}
		c, ok := character(s[1:end])
		if !ok {
			return "", false
		}
		b.WriteString(c)
		s = s[end+1:]
	}
}

func startsReference(c byte) bool {
	return c == '#' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z'
}

// character is what a reference stands for, given without "&" and ";".
func character(name string) (string, bool) {
	switch name {
	case "amp":
		return "&", true
	case "quot":
		return `"`, true
	case "lt":
		return "<", true
	case "gt":
		return ">", true
	case "nbsp":
		return "\u00a0", true
	}
	if len(name) < 2 || name[0] != '#' {
		return "", false
	}
	n := 0
	for _, c := range []byte(name[1:]) {
		if c < '0' || c > '9' {
			return "", false
		}
		n = n*10 + int(c-'0')
	}
	if n < ' ' || n > '~' {
		return "", false
	}
	return string(rune(n)), true
}
