package page

// Tags: the tokenizer of the HTML standard, as far as a search for images needs it.

import (
	"bytes"

	"mmc4/crawl/internal/htmlattr"
)

// tag walks over the attributes of a tag: at stands behind its name, and behind its ">" once next gave false.
type tag struct {
	src []byte
	at  int

	nameFrom, nameTo   int
	valueFrom, valueTo int

	decode func([]byte) string // of values; nil: they are UTF-8

	selfClosing bool
	cut         bool // the text ended inside the tag: there is no tag
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// next goes to the next attribute.
func (t *tag) next() bool {
	b, i := t.src, t.at
	for i < len(b) && (isSpace(b[i]) || b[i] == '/') {
		t.selfClosing = b[i] == '/'
		i++
	}
	if i < len(b) && b[i] == '>' {
		t.selfClosing = t.selfClosing && b[i-1] == '/'
		t.at = i + 1
		return false
	}
	t.selfClosing = false
	t.nameFrom = i
	if i < len(b) && b[i] == '=' {
		i++
	}
	for i < len(b) && !isSpace(b[i]) && b[i] != '/' && b[i] != '>' && b[i] != '=' {
		i++
	}
	t.nameTo = i
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	t.valueFrom, t.valueTo = i, i
	if i < len(b) && b[i] == '=' {
		for i++; i < len(b) && isSpace(b[i]); i++ {
		}
		if i == len(b) {
			return t.end()
		}
		switch q := b[i]; q {
		case '"', '\'':
			n := bytes.IndexByte(b[i+1:], q)
			if n < 0 {
				return t.end()
			}
			t.valueFrom, t.valueTo = i+1, i+1+n
			i = t.valueTo + 1
		case '>':
			t.valueFrom, t.valueTo = i, i
		default:
			t.valueFrom = i
			for i < len(b) && !isSpace(b[i]) && b[i] != '>' {
				i++
			}
			t.valueTo = i
		}
	}
	if i >= len(b) {
		return t.end()
	}
	t.at = i
	return true
}

// skip goes behind the tag's end; only full sets selfClosing and cut.
func (t *tag) skip(full bool) {
	if !full {
		t.at = skipTag(t.src, t.at)
		return
	}
	for t.next() {
	}
}

// skipTag gives the place behind the ">" of a tag, from a place in or behind its name on; len(b) when it has none.
func skipTag(b []byte, i int) int {
	for i < len(b) && !endsName(b[i]) {
		i++
	}
	name := false // an attribute's name stands before: "=" begins its value
	for i < len(b) {
		switch c := b[i]; {
		case c == '>':
			return i + 1
		case c == '=' && name:
			name = false
			for i++; i < len(b) && isSpace(b[i]); i++ {
			}
			if i == len(b) {
				return i
			}
			if q := b[i]; q == '"' || q == '\'' {
				n := bytes.IndexByte(b[i+1:], q)
				if n < 0 {
					return len(b)
				}
				i += n + 2
				continue
			}
			for i < len(b) && !isSpace(b[i]) && b[i] != '>' {
				i++
			}
			continue
		case c == '/':
			name = false
		case !isSpace(c):
			name = true
		}
		i++
	}
	return len(b)
}

func (t *tag) end() bool {
	t.at, t.cut = len(t.src), true
	return false
}

// named tells whether the attribute at hand has this name, which is in lower case.
func (t *tag) named(lower string) bool { return equalFold(t.src[t.nameFrom:t.nameTo], lower) }

// value is the attribute's value with character references undone.
func (t *tag) value() string {
	raw := t.src[t.valueFrom:t.valueTo]
	if t.decode != nil {
		return htmlattr.Unescape(t.decode(raw))
	}
	return htmlattr.Unescape(string(raw))
}

// equalFold compares with a name in lower case; ASCII letters only.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i := range len(lower) {
		c := b[i]
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}

// comment gives the end of a comment that begins at "<!--": behind "-->" or "--!>", or of "<!-->" and "<!--->".
func comment(b []byte, at int) int {
	i := at + 4
	switch {
	case bytes.HasPrefix(b[i:], []byte(">")):
		return i + 1
	case bytes.HasPrefix(b[i:], []byte("->")):
		return i + 2
	}
	for {
		n := bytes.Index(b[i:], []byte("--"))
		if n < 0 {
			return len(b)
		}
		i += n + 2
		switch {
		case bytes.HasPrefix(b[i:], []byte(">")):
			return i + 1
		case bytes.HasPrefix(b[i:], []byte("!>")):
			return i + 2
		}
		i-- // "--->": the second dash may be the first of the end
	}
}

// rawText gives where the text of a raw element ends: at its end tag, or at the end of b.
func rawText(b []byte, at int, name string) int {
	for i := at; ; {
		n := bytes.IndexByte(b[i:], '<')
		if n < 0 {
			return len(b)
		}
		i += n
		if endTag(b[i:], name) {
			return i
		}
		i++
	}
}

// endTag tells whether b begins with "</name" and what ends a name.
func endTag(b []byte, name string) bool {
	return len(b) > 2+len(name) && b[1] == '/' && equalFold(b[2:2+len(name)], name) && endsName(b[2+len(name)])
}

func endsName(c byte) bool { return isSpace(c) || c == '/' || c == '>' }

// scriptText is rawText for scripts, in which "<!--" and "<script" hide end tags.
func scriptText(b []byte, at int) int {
	const (
		data = iota
		escaped
		doubleEscaped
	)
	state, dashes := data, 0
	for i := at; i < len(b); i++ {
		if state == data {
			n := bytes.IndexByte(b[i:], '<')
			if n < 0 {
				break
			}
			i += n
		}
		switch c := b[i]; {
		case c == '-' && state != data:
			dashes++
			continue
		case c == '>' && dashes >= 2:
			state = data
		case c == '<':
			rest := b[i:]
			switch {
			case state == data && bytes.HasPrefix(rest, []byte("<!--")):
				state, dashes = escaped, 2
				i += 3
				continue
			case endTag(rest, "script"):
				if state != doubleEscaped {
					return i
				}
				state = escaped
				i += len("</script") - 1
			case state == escaped && len(rest) > 7 && equalFold(rest[1:7], "script") && endsName(rest[7]):
				state = doubleEscaped
				i += len("<script") - 1
			}
		}
		dashes = 0
	}
	return len(b)
}
