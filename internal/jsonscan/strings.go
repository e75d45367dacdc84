package jsonscan

// Strings, eight bytes at a time.

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

const (
	eachByte = 0x0101010101010101
	eachHigh = 0x80 * eachByte
)

// Specials has the high bit of the lowest byte of x that is a quote, a backslash or below a space, and of no byte under
// it; bits above it mean nothing.
func Specials(x uint64) uint64 {
	quote, backslash := x^'"'*eachByte, x^'\\'*eachByte
	return ((x-' '*eachByte)&^x | (quote-eachByte)&^quote | (backslash-eachByte)&^backslash) & eachHigh
}

// str reads the string that At stands at. Its value is a piece of the text or, if that is not as it is written, the end of all,
// which is dst and more; a string that is not decoded has no value.
func (s *Scanner) str(dst []byte, decode bool) (value, all []byte) {
	text, start, high := s.Text, s.At+1, uint64(0)
	first := len(dst)
	for i := start; i < len(text); {
		if i+8 <= len(text) {
			x := binary.LittleEndian.Uint64(text[i:])
			special := Specials(x)
			if special == 0 {
				high |= x
				i += 8
				continue
			}
			n := bits.TrailingZeros64(special) &^ 7
			high |= x & (1<<n - 1)
			i += n / 8
		}
		switch c := text[i]; {
		case c == '"':
			s.At = i + 1
			if !decode {
				return nil, dst
			}
			value = text[start:i]
			if len(dst) > first {
				dst = append(dst, value...)
				value = dst[first:]
			}
			if high&eachHigh != 0 && !utf8.Valid(value) {
				dst = append(dst[:first], string([]rune(string(value)))...)
				value = dst[first:]
			}
			return value, dst
		case c == '\\':
			if decode {
				dst = append(dst, text[start:i]...)
			}
			s.At = i
			r := s.escape()
			if s.err != nil {
				return nil, dst
			}
			if decode {
				dst = utf8.AppendRune(dst, r)
			}
			i, start = s.At, s.At
		case c < ' ':
			s.At = i
			s.Fail("control character in a string")
			return nil, dst
		default:
			high |= uint64(c)
			i++
		}
	}
	s.Fail("the text ends inside a string that begins here")
	return nil, dst
}

// escape reads a backslash and what follows it, two escapes for a pair of surrogates.
func (s *Scanner) escape() rune {
	at := s.At
	if at+2 > len(s.Text) {
		s.Fail("the text ends inside a string")
		return 0
	}
	c := s.Text[at+1]
	s.At += 2
	switch c {
	case '"', '\\', '/':
		return rune(c)
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	case 'u':
		r, ok := s.hex4(s.At)
		if !ok {
			s.FailAt(at, `\u without four hex digits`)
			return 0
		}
		s.At += 4
		if utf16.IsSurrogate(r) {
			r = s.surrogates(r)
		}
		return r
	}
	s.FailAt(at, "unknown escape")
	return 0
}

// surrogates takes the other half of a pair, which must be escaped too.
func (s *Scanner) surrogates(half rune) rune {
	if s.At+2 <= len(s.Text) && s.Text[s.At] == '\\' && s.Text[s.At+1] == 'u' {
		if other, ok := s.hex4(s.At + 2); ok {
			if r := utf16.DecodeRune(half, other); r != utf8.RuneError {
				s.At += 6
				return r
			}
		}
	}
	s.LoneSurrogate = true
	return utf8.RuneError
}

func (s *Scanner) hex4(at int) (r rune, ok bool) {
	if at+4 > len(s.Text) {
		return 0, false
	}
	for _, c := range s.Text[at : at+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}
