package schemas

// The parts of JSON that lineScanner (jsonl_scan.go) is made of: strings, numbers, objects, arrays. Reads a line from s.at
// on; moves s.at past what was read, white space before it included.

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

func (s *lineScanner) space() {
	for s.at < len(s.line) {
		switch s.line[s.at] {
		case ' ', '\t', '\r', '\n':
			s.at++
		default:
			return
		}
	}
}

// next reads one character of JSON's punctuation.
func (s *lineScanner) next(c byte) bool {
	if s.at < len(s.line) && s.line[s.at] > ' ' {
		is := s.line[s.at] == c
		if is {
			s.at++
		}
		return is
	}
	return s.nextFar(c)
}

// nextFar is next behind white space or at the end.
func (s *lineScanner) nextFar(c byte) bool {
	s.space()
	if s.at < len(s.line) && s.line[s.at] == c {
		s.at++
		return true
	}
	return false
}

// object reads an object; value is called with each key, before its value, and reads that. The key is only good until
// value reads. A key that encoding/json might match with a field in spite of its letters' case is given up.
func (s *lineScanner) object(value func(key []byte) bool) bool {
	if !s.next('{') {
		return false
	}
	if s.next('}') {
		return true
	}
	for {
		key, ok := s.str()
		if !ok {
			return false
		}
		for _, c := range key {
			if 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf {
				return false
			}
		}
		if !s.next(':') || !value(key) {
			return false
		}
		if s.next('}') {
			return true
		}
		if !s.next(',') {
			return false
		}
	}
}

// list reads an array; item reads one of its values.
func (s *lineScanner) list(item func() bool) bool {
	if !s.next('[') {
		return false
	}
	if s.next(']') {
		return true
	}
	for {
		if !item() {
			return false
		}
		if s.next(']') {
			return true
		}
		if !s.next(',') {
			return false
		}
	}
}

// skip reads any value.
func (s *lineScanner) skip(depth int) bool {
	s.space()
	if s.at == len(s.line) || depth > 100 {
		return false
	}
	switch s.line[s.at] {
	case '{':
		// Not object: the case of these keys does not matter.
		s.at++
		if s.next('}') {
			return true
		}
		for {
			if _, ok := s.str(); !ok || !s.next(':') || !s.skip(depth+1) {
				return false
			}
			if s.next('}') {
				return true
			}
			if !s.next(',') {
				return false
			}
		}
	case '[':
		return s.list(func() bool { return s.skip(depth + 1) })
	case '"':
		_, ok := s.str()
		return ok
	case 'n':
		return s.word("null")
	case 't':
		return s.word("true")
	case 'f':
		return s.word("false")
	}
	_, ok := s.numeral()
	return ok
}

func (s *lineScanner) word(word string) bool {
	end := s.at + len(word)
	if end > len(s.line) || string(s.line[s.at:end]) != word {
		return false
	}
	s.at = end
	return true
}

// str reads a string of valid UTF-8, without escapes of lone surrogates. The result is a piece of the line or, if there
// were escapes, the end of s.chars.
func (s *lineScanner) str() ([]byte, bool) {
	if !s.next('"') {
		return nil, false
	}
	line, start, high := s.line, s.at, uint64(0)
	first := len(s.chars)
	for i := start; i < len(line); {
		if i+8 <= len(line) {
			x := binary.LittleEndian.Uint64(line[i:])
			high |= x
			special := specials(x)
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
			s.at = i + 1
			b := line[start:i]
			if len(s.chars) > first {
				s.chars = append(s.chars, b...)
				b = s.chars[first:]
			}
			return b, high&eachHigh == 0 || utf8.Valid(b)
		case c == '\\':
			s.chars = append(s.chars, line[start:i]...)
			s.at = i
			r, ok := s.escape()
			if !ok {
				return nil, false
			}
			s.chars = utf8.AppendRune(s.chars, r)
			i, start = s.at, s.at
		case c < ' ':
			return nil, false
		default:
			i++
		}
	}
	return nil, false
}

// escape reads a backslash and what follows it, two escapes for a pair of surrogates.
func (s *lineScanner) escape() (rune, bool) {
	if s.at+2 > len(s.line) {
		return 0, false
	}
	c := s.line[s.at+1]
	s.at += 2
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
		if !ok || !s.word(`\u`) {
			return 0, false
		}
		second, ok := s.hex4()
		r = utf16.DecodeRune(r, second)
		return r, ok && r != utf8.RuneError
	}
	return 0, false
}

func (s *lineScanner) hex4() (r rune, ok bool) {
	if s.at+4 > len(s.line) {
		return 0, false
	}
	for _, c := range s.line[s.at : s.at+4] {
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
	s.at += 4
	return r, true
}

// integer reads a number of at most nine digits without fraction or exponent.
func (s *lineScanner) integer() (int32, bool) {
	n, ok := s.numeral()
	v := int32(n.digits)
	if n.negative {
		v = -v
	}
	return v, ok && n.integer && n.digits < 1e9
}

// number reads a float32.
func (s *lineScanner) number() (float32, bool) {
	if v, end, ok := similarity(s.line, s.at); ok {
		s.at = end
		return v, true
	}
	n, ok := s.numeral()
	if !ok {
		return 0, false
	}
	if n.plain {
		if v, ok := float32Of(n.digits, n.places); ok {
			if n.negative {
				v = -v
			}
			return v, true
		}
	}
	v, err := strconv.ParseFloat(string(s.line[n.start:s.at]), 32)
	return float32(v), err == nil
}

// similarity reads a number at line[i], after one space at most, as similarities are written: a zero and a fraction, and
// right behind it, at end, a comma or bracket.
func similarity(line []byte, i int) (v float32, end int, ok bool) {
	if i < len(line) && line[i] == ' ' {
		i++
	}
	negative := i < len(line) && line[i] == '-'
	if negative {
		i++
	}
	if i+2 > len(line) || line[i] != '0' || line[i+1] != '.' {
		return 0, 0, false
	}
	start := i + 2
	var digits uint64
	if end = start; end+8 < len(line) { // eight digits, most often: without a call
		if x := binary.LittleEndian.Uint64(line[end:]) ^ '0'*eachByte; (x|(x+0x76*eachByte))&eachHigh == 0 {
			digits, end = eightValue(x), end+8
		}
	}
	if end == start || line[end]-'0' <= 9 {
		digits, end = decimals(digits, line, end)
	}
	places := end - start
	if places == 0 || places > 18 || end == len(line) || line[end] != ',' && line[end] != ']' {
		return 0, 0, false
	}
	v, ok = float32Of(digits, places)
	if negative {
		v = -v
	}
	return v, end, ok
}

// decimals appends the digits from line[i] on to n, eight at a time, and says where they end; too many overflow. The loop
// over the last digits is quicker than masking them out: its branches are foreseen, and reading goes on meanwhile.
func decimals(n uint64, line []byte, i int) (uint64, int) {
	for i+8 <= len(line) {
		x := binary.LittleEndian.Uint64(line[i:]) ^ '0'*eachByte
		if (x|(x+0x76*eachByte))&eachHigh != 0 { // a byte above 9
			break
		}
		n = n*100000000 + eightValue(x)
		i += 8
	}
	for ; i < len(line) && line[i]-'0' <= 9; i++ {
		n = n*10 + uint64(line[i]-'0')
	}
	return n, i
}

// eightValue is the number of eight digits, a byte each, the first in the lowest.
func eightValue(x uint64) uint64 {
	x = x*10 + x>>8 // pairs, in every other byte
	return (x&0x000000ff000000ff*(100+1000000<<32) + x>>16&0x000000ff000000ff*(1+10000<<32)) >> 32
}

// numeral is a number as it is written.
type numeral struct {
	start    int // in the line
	negative bool
	integer  bool   // plain, and without fraction
	plain    bool   // without exponent and of at most 18 digits: its size is digits / 10^places
	digits   uint64 // of a plain one
	places   int
}

func (s *lineScanner) numeral() (n numeral, ok bool) {
	s.space()
	line, i := s.line, s.at
	n.start = i
	if i < len(line) && line[i] == '-' {
		n.negative = true
		i++
	}
	first := i
	n.digits, i = decimals(0, line, i)
	count := i - first
	if count == 0 || count > 1 && line[first] == '0' {
		return n, false
	}
	n.integer = count <= 18
	if i < len(line) && line[i] == '.' {
		i++
		first := i
		n.digits, i = decimals(n.digits, line, i)
		if n.places = i - first; n.places == 0 {
			return n, false
		}
		count += n.places
		n.integer = false
	}
	n.plain = count <= 18
	if i < len(line) && line[i]|0x20 == 'e' {
		n.plain, n.integer = false, false
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
	s.at = i
	return n, true
}
