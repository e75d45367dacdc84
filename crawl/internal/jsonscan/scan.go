// Package jsonscan walks through one JSON text without building it: the caller asks for the members that it wants and passes
// over the others. It is what makes WAT files and C4 lines cheap to read; encoding/json is its reference in the tests.
//
//	s := jsonscan.New(data)
//	for s.Enter('{'); s.More('}'); {
//		switch string(s.Key()) {
//		case "url":
//			url = s.String()
//		default:
//			s.Skip()
//		}
//	}
//	err := s.End()
//
// Errors are sticky: after one, More is false and values are empty.
package jsonscan

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Scanner is a place in a JSON text.
type Scanner struct {
	data    []byte
	at      int
	first   bool // just behind an opening bracket
	err     error
	scratch []byte
	last    []byte // the string read last, as it is written

	LoneSurrogate bool // a string that was read held half a surrogate pair (now U+FFFD)
}

// New starts at the beginning of data, which must stay unchanged.
func New(data []byte) *Scanner { return &Scanner{data: data} }

// Reset starts again on another text and keeps the buffers.
func (s *Scanner) Reset(data []byte) { *s = Scanner{data: data, scratch: s.scratch} }

// Err is the first error.
func (s *Scanner) Err() error { return s.err }

func (s *Scanner) fail(what string) {
	if s.err == nil {
		s.err = fmt.Errorf("byte %d: %s", s.at, what)
	}
}

// Kind is the first byte of the next value: { [ " t f n - or a digit; 0 at the end or after an error.
func (s *Scanner) Kind() byte {
	if s.err != nil {
		return 0
	}
	for s.at < len(s.data) {
		switch c := s.data[s.at]; c {
		case ' ', '\t', '\n', '\r':
			s.at++
		default:
			return c
		}
	}
	return 0
}

// Enter goes into an object or an array. On another value it passes over it and gives false: then More must not be
// called.
func (s *Scanner) Enter(open byte) bool {
	if s.Kind() == open {
		s.at++
		s.first = true
		return true
	}
	s.Skip()
	return false
}

// More tells whether there is a next member or element before the closing bracket, which it takes otherwise.
func (s *Scanner) More(end byte) bool {
	c := s.Kind()
	if c == end {
		s.at++
		s.first = false
		return false
	}
	if s.first {
		s.first = false
		if c == 0 {
			s.fail("the text ends inside a value")
		}
		return s.err == nil
	}
	if c != ',' {
		s.fail("expected a comma or a closing bracket")
		return false
	}
	s.at++
	if s.Kind() == end {
		s.fail("comma before a closing bracket")
	}
	return s.err == nil
}

// Key reads a member's name and its colon. The bytes are valid until the next call.
func (s *Scanner) Key() []byte {
	if s.Kind() != '"' {
		s.fail("expected a member's name")
		return nil
	}
	key, escaped := s.raw()
	if escaped {
		key = s.unescape(key)
	}
	if s.Kind() != ':' {
		s.fail("expected a colon")
		return nil
	}
	s.at++
	return key
}

// String reads a string; ok is false, and the value passed over, when it is another type.
func (s *Scanner) String() (value string, ok bool) {
	b, ok := s.Bytes()
	if !ok {
		return "", false
	}
	if !utf8.Valid(b) {
		return string([]rune(string(b))), s.err == nil
	}
	return string(b), s.err == nil
}

// Bytes is String without the copy: valid until the next call, and not made valid UTF-8.
func (s *Scanner) Bytes() (value []byte, ok bool) {
	if s.Kind() != '"' {
		s.Skip()
		return nil, false
	}
	value, escaped := s.raw()
	s.last = value
	if escaped {
		value = s.unescape(value)
	}
	return value, s.err == nil
}

// Last is the string that String or Bytes read last, with its escapes: JSON allows no control character in it, the
// scanner does.
func (s *Scanner) Last() []byte { return s.last }

// Int reads a whole number, also one in quotes.
func (s *Scanner) Int() (n int64, ok bool) {
	start := s.Kind()
	var text []byte
	if start == '"' {
		text, _ = s.raw()
	} else {
		from := s.at
		s.Skip()
		if s.err != nil {
			return 0, false
		}
		text = s.data[from:s.at]
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	return n, err == nil
}

// raw gives the bytes between the quotes that the scanner stands at.
func (s *Scanner) raw() (inside []byte, escaped bool) {
	from := s.at + 1
	for i := from; ; {
		end := bytes.IndexByte(s.data[i:], '"')
		if end < 0 {
			s.fail("the text ends inside a string")
			return nil, false
		}
		end += i
		slashes := 0
		for slashes < end-from && s.data[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			s.at = end + 1
			inside = s.data[from:end]
			return inside, bytes.IndexByte(inside, '\\') >= 0
		}
		i = end + 1
	}
}

// unescape undoes the escapes of a string into the scratch buffer.
func (s *Scanner) unescape(in []byte) []byte {
	out := s.scratch[:0]
	for {
		i := bytes.IndexByte(in, '\\')
		if i < 0 {
			s.scratch = append(out, in...)
			return s.scratch
		}
		out = append(out, in[:i]...)
		in = in[i+1:]
		if len(in) == 0 {
			s.fail("escape at the end of a string")
			return nil
		}
		c := in[0]
		in = in[1:]
		switch c {
		case '"', '\\', '/':
			out = append(out, c)
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, ok := hex4(in)
			if !ok {
				s.fail(`\u without four hex digits`)
				return nil
			}
			in = in[4:]
			if utf16.IsSurrogate(r) {
				pair := utf8.RuneError
				if len(in) >= 6 && in[0] == '\\' && in[1] == 'u' {
					if low, ok := hex4(in[2:]); ok {
						pair = utf16.DecodeRune(r, low)
					}
				}
				if pair == utf8.RuneError {
					s.LoneSurrogate = true
				} else {
					in = in[6:]
				}
				r = pair
			}
			out = utf8.AppendRune(out, r)
		default:
			s.fail("unknown escape")
			return nil
		}
	}
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			r = r<<4 | rune(c-'0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// Skip passes over a value. It minds brackets and strings, and does not check what is between them; Raw gives the bytes to
// who wants to.
func (s *Scanner) Skip() {
	c := s.Kind()
	switch c {
	case '"':
		s.raw()
	case '{', '[':
		depth := 0
		for s.err == nil {
			i := s.at
			for i < len(s.data) && !structural[s.data[i]] {
				i++
			}
			s.at = i
			if i == len(s.data) {
				s.fail("the text ends inside a value")
				return
			}
			switch s.data[i] {
			case '"':
				s.raw()
			case '{', '[':
				depth++
				s.at++
			default:
				depth--
				s.at++
				if depth == 0 {
					s.first = false
					return
				}
			}
		}
	case 0:
		s.fail("expected a value")
	default:
		from := s.at
		for s.at < len(s.data) && !ends[s.data[s.at]] {
			s.at++
		}
		if s.at == from {
			s.fail("expected a value")
		}
	}
}

// Raw is Skip that gives the value's bytes.
func (s *Scanner) Raw() []byte {
	s.Kind()
	from := s.at
	s.Skip()
	if s.err != nil {
		return nil
	}
	return s.data[from:s.at]
}

// End checks that nothing but white space is left.
func (s *Scanner) End() error {
	if s.err == nil && s.Kind() != 0 {
		s.fail("something follows the value")
	}
	return s.err
}

var structural, ends = func() (a, b [256]bool) {
	for _, c := range []byte(`"{}[]`) {
		a[c] = true
	}
	for _, c := range []byte(" \t\n\r,:]}\"{[") {
		b[c] = true
	}
	return
}()
