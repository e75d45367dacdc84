package jsonscan

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// Scanner reads Text from At on. Its methods move At past what they read, white space before it included, and report whether
// they could; after a false, At means nothing.
type Scanner struct {
	Text  []byte
	At    int
	Chars []byte // strings with escapes end here, without them; grows until its owner cuts it
}

func (s *Scanner) Space() {
	for s.At < len(s.Text) {
		switch s.Text[s.At] {
		case ' ', '\t', '\r', '\n':
			s.At++
		default:
			return
		}
	}
}

// Next reads one character of JSON's punctuation.
func (s *Scanner) Next(c byte) bool {
	if s.At < len(s.Text) && s.Text[s.At] > ' ' {
		is := s.Text[s.At] == c
		if is {
			s.At++
		}
		return is
	}
	return s.nextFar(c)
}

// nextFar is next behind white space or at the end.
func (s *Scanner) nextFar(c byte) bool {
	s.Space()
	if s.At < len(s.Text) && s.Text[s.At] == c {
		s.At++
		return true
	}
	return false
}

// Object reads an object; value is called with each key, before its value, and reads that. The key is only good until
// value reads. A key that encoding/json might match with a field in spite of its letters' case is given up.
func (s *Scanner) Object(value func(key []byte) bool) bool {
	if !s.Next('{') {
		return false
	}
	if s.Next('}') {
		return true
	}
	for {
		key, ok := s.Str()
		if !ok {
			return false
		}
		for _, c := range key {
			if 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
				return false
			}
		}
		if !s.Next(':') || !value(key) {
			return false
		}
		if s.Next('}') {
			return true
		}
		if !s.Next(',') {
			return false
		}
	}
}

// List reads an array; item reads one of its values.
func (s *Scanner) List(item func() bool) bool {
	if !s.Next('[') {
		return false
	}
	if s.Next(']') {
		return true
	}
	for {
		if !item() {
			return false
		}
		if s.Next(']') {
			return true
		}
		if !s.Next(',') {
			return false
		}
	}
}

// Skip reads any value.
func (s *Scanner) Skip(depth int) bool {
	s.Space()
	if s.At == len(s.Text) || depth > 100 {
		return false
	}
	switch s.Text[s.At] {
	case '{':
		// Not object: the case of these keys does not matter.
		s.At++
		if s.Next('}') {
			return true
		}
		for {
			if _, ok := s.Str(); !ok || !s.Next(':') || !s.Skip(depth+1) {
				return false
			}
			if s.Next('}') {
				return true
			}
			if !s.Next(',') {
				return false
			}
		}
	case '[':
		return s.List(func() bool { return s.Skip(depth + 1) })
	case '"':
		_, ok := s.Str()
		return ok
	case 'n':
		return s.Word("null")
	case 't':
		return s.Word("true")
	case 'f':
		return s.Word("false")
	}
	_, ok := s.Numeral()
	return ok
}

func (s *Scanner) Word(word string) bool {
	end := s.At + len(word)
	if end > len(s.Text) || string(s.Text[s.At:end]) != word {
		return false
	}
	s.At = end
	return true
}

// Str reads a string of valid UTF-8, without escapes of lone surrogates. The result is a piece of the line or, if there
// were escapes, the end of s.Chars.
func (s *Scanner) Str() ([]byte, bool) {
	if !s.Next('"') {
		return nil, false
	}
	line, start, high := s.Text, s.At, uint64(0)
	first := len(s.Chars)
	for i := start; i < len(line); {
		if i+8 <= len(line) {
			x := binary.LittleEndian.Uint64(line[i:])
			high |= x
			special := Specials(x)
			if special == 0 {
				i += 8
				continue
			}
			i += bits.TrailingZeros64(special) / 8
		}
		c := line[i]
		high |= uint64(c)
		switch {
		case c == '"':
			s.At = i + 1
			b := line[start:i]
			if len(s.Chars) > first {
				s.Chars = append(s.Chars, b...)
				b = s.Chars[first:]
			}
			return b, high&eachHigh == 0 || utf8.Valid(b)
		case c == '\\':
			s.Chars = append(s.Chars, line[start:i]...)
			s.At = i
			r, ok := s.escape()
			if !ok {
				return nil, false
			}
			s.Chars = utf8.AppendRune(s.Chars, r)
			i, start = s.At, s.At
		case c < ' ':
			return nil, false
		default:
			i++
		}
	}
	return nil, false
}

// escape reads a backslash and what follows it, two escapes for a pair of surrogates.
func (s *Scanner) escape() (rune, bool) {
	if s.At+2 > len(s.Text) {
		return 0, false
	}
	c := s.Text[s.At+1]
	s.At += 2
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		r, ok := s.hex4()
		if !utf16.IsSurrogate(r) {
			return r, ok
		}
		if !ok || !s.Word(`\u`) {
			return 0, false
		}
		second, ok := s.hex4()
		r = utf16.DecodeRune(r, second)
		return r, ok && r != utf8.RuneError
	}
	return 0, false
}

func (s *Scanner) hex4() (r rune, ok bool) {
	if s.At+4 > len(s.Text) {
		return 0, false
	}
	for _, c := range s.Text[s.At : s.At+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	s.At += 4
	return r, true
}

// Integer reads a number of at most nine digits without fraction or exponent.
func (s *Scanner) Integer() (int32, bool) {
	n, ok := s.Numeral()
	v := int32(n.Digits)
	if n.Negative {
		v = -v
	}
	return v, ok && n.Integer && n.Digits < 1e9
}

// Decimals appends the digits from text[i] on to n, eight at a time, and says where they end; too many overflow. The loop
// over the last digits is quicker than masking them out: its branches are foreseen, and reading goes on meanwhile.
func Decimals(n uint64, text []byte, i int) (uint64, int) {
	for i+8 <= len(text) {
		x, ok := Eight(text[i:])
		if !ok {
			break
		}
		n = n*100000000 + x
		i += 8
	}
	for ; i < len(text) && text[i]-'0' <= 9; i++ {
		n = n*10 + uint64(text[i]-'0')
	}
	return n, i
}

// Eight is the number that the first eight bytes are, if these are digits.
func Eight(text []byte) (n uint64, ok bool) {
	x := binary.LittleEndian.Uint64(text) ^ '0'*eachByte
	others := (x | (x + 0x76*eachByte)) & eachHigh // bytes above 9
	x = x*10 + x>>8                                // pairs, in every other byte
	x = (x&0x000000ff000000ff*(100+1000000<<32) + x>>16&0x000000ff000000ff*(1+10000<<32)) >> 32
	return x, others == 0
}

// Numeral is a number as it is written.
type Numeral struct {
	Start    int // in the line
	Negative bool
	Integer  bool   // plain, and without fraction
	Plain    bool   // without exponent and of at most 18 digits: its size is digits / 10^places
	Digits   uint64 // of a plain one
	Places   int
}

func (s *Scanner) Numeral() (n Numeral, ok bool) {
	s.Space()
	line, i := s.Text, s.At
	n.Start = i
	if i < len(line) && line[i] == '-' {
		n.Negative = true
		i++
	}
	first := i
	n.Digits, i = Decimals(0, line, i)
	count := i - first
	if count == 0 || count > 1 && line[first] == '0' {
		return n, false
	}
	n.Integer = count <= 18
	if i < len(line) && line[i] == '.' {
		i++
		first := i
		n.Digits, i = Decimals(n.Digits, line, i)
		if n.Places = i - first; n.Places == 0 {
			return n, false
		}
		count += n.Places
		n.Integer = false
	}
	n.Plain = count <= 18
	if i < len(line) && line[i]|0x20 == 'e' {
		n.Plain, n.Integer = false, false
		i++
		if i < len(line) && (line[i] == '+' || line[i] == '-') {
			i++
		}
		first := i
		for i < len(line) && line[i]-'0' <= 9 {
			i++
		}
		if i == first {
			return n, false
		}
	}
	s.At = i
	return n, true
}

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
