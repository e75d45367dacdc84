package jsonscan

import (
	"fmt"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

// maxDepth is how deep encoding/json goes.
const maxDepth = 10000

// Scanner is a place in a JSON text.
type Scanner struct {
	Text []byte // must not change while it is read
	At   int    // what comes before is read

	Share         bool // String gives pieces of Text where it can: Text must never change
	LoneSurrogate bool // a string that was read had half a surrogate pair

	first   bool // just behind an opening bracket
	depth   int
	scratch []byte // the string read last, if it is no piece of Text
	err     *Error
}

// Error is where a text is no JSON, or not what its reader can use.
type Error struct {
	At   int // bytes before the place
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("byte %d: %s", e.At, e.What) }

// New starts at the beginning of text, which must stay unchanged.
func New(text []byte) *Scanner { return &Scanner{Text: text} }

// Reset starts again on another text and keeps the buffers, and Share.
func (s *Scanner) Reset(text []byte) { *s = Scanner{Text: text, scratch: s.scratch, Share: s.Share} }

// Err is the first error, an *Error.
func (s *Scanner) Err() error {
	if s.err == nil {
		return nil
	}
	return s.err
}

// Fail makes what is wrong at this place the error, if it is the first.
func (s *Scanner) Fail(what string) { s.FailAt(s.At, what) }

// FailAt is Fail for another place.
func (s *Scanner) FailAt(at int, what string) {
	if s.err == nil {
		s.err = &Error{at, what}
	}
}

// Kind is the first byte of the next value: { [ " t f n - or a digit; 0 at the end or after an error.
func (s *Scanner) Kind() byte {
	if s.err != nil {
		return 0
	}
	for s.At < len(s.Text) {
		c := s.Text[s.At]
		if c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
		s.At++
	}
	return 0
}

// Want tells whether the next value is an object {, an array [, a string " or a number 0. Null is passed over; another kind
// is an error.
func (s *Scanner) Want(kind byte) bool {
	got := s.Kind()
	if got == '-' || '0' <= got && got <= '9' {
		got = '0'
	}
	switch {
	case got == kind:
		return true
	case got == 'n':
		s.Skip()
	default:
		s.Fail("expected " + kindName(kind) + ", found " + kindName(got))
	}
	return false
}

func kindName(kind byte) string {
	switch kind {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 't', 'f':
		return "true or false"
	case 0:
		return "no value"
	}
	return fmt.Sprintf("%q", kind)
}

// Enter goes into an object or an array. On another value it passes over it and gives false: then More must not be
// called.
func (s *Scanner) Enter(open byte) bool {
	if s.Kind() != open {
		s.Skip()
		return false
	}
	s.At++
	s.first = true
	if s.depth++; s.depth > maxDepth {
		s.Fail("nested too deep")
	}
	return true
}

// More tells whether there is a next member or element before the closing bracket, which it takes otherwise.
func (s *Scanner) More(end byte) bool {
	c := s.Kind()
	first := s.first
	s.first = false
	switch {
	case c == end:
		s.At++
		s.depth--
		return false
	case first && c != 0:
		return true
	case !first && c == ',':
		s.At++
		return true // a value, or the want of one, comes next
	case s.At == len(s.Text):
		s.Fail("the text ends inside a value")
	default:
		s.Fail("expected a comma or a closing bracket")
	}
	return false
}

// Key reads a member's name and its colon. The bytes are valid until the next call.
func (s *Scanner) Key() []byte {
	if s.Kind() != '"' {
		s.Fail("expected a member's name")
		return nil
	}
	key := s.bytes()
	s.colon()
	return key
}

func (s *Scanner) colon() {
	if s.Kind() == ':' {
		s.At++
		return
	}
	s.Fail("expected a colon")
}

// String reads a string; ok is false, and the value passed over, when it is another type. What is no UTF-8 in it is
// U+FFFD, byte by byte, and so is half a surrogate pair.
func (s *Scanner) String() (value string, ok bool) {
	if s.Kind() != '"' {
		s.Skip()
		return "", false
	}
	from := s.At + 1
	b := s.bytes()
	if s.Share && s.At-1-from == len(b) { // no escapes
		return s.Piece(from, s.At-1), s.err == nil
	}
	return string(b), s.err == nil
}

// Piece is a part of the text as it is written.
func (s *Scanner) Piece(from, to int) string {
	b := s.Text[from:to]
	if s.Share {
		return unsafe.String(unsafe.SliceData(b), len(b))
	}
	return string(b)
}

// Bytes is String without the copy: valid until the next call.
func (s *Scanner) Bytes() (value []byte, ok bool) {
	if s.Kind() != '"' {
		s.Skip()
		return nil, false
	}
	return s.bytes(), s.err == nil
}

func (s *Scanner) bytes() []byte {
	value, all := s.str(s.scratch[:0], true)
	if len(all) > 0 { // seldom: a write that the garbage collector sees costs
		s.scratch = all
	}
	return value
}

// Append is String behind dst.
func (s *Scanner) Append(dst []byte) ([]byte, bool) {
	if s.Kind() != '"' {
		s.Skip()
		return dst, false
	}
	value, all := s.str(dst, true)
	if len(all) == len(dst) {
		all = append(all, value...)
	}
	return all, s.err == nil
}

// Int reads a whole number without fraction or exponent, also one in quotes; ok is false, and the value passed over, when it
// is something else or too large.
func (s *Scanner) Int() (n int64, ok bool) {
	switch kind := s.Kind(); {
	case kind == '"':
		text, _ := s.Bytes()
		v, err := strconv.ParseInt(string(text), 10, 64)
		return v, err == nil && s.err == nil
	case kind == '-' || '0' <= kind && kind <= '9':
		n := s.Number()
		if n.Whole && n.Plain {
			v := int64(n.Digits)
			if n.Negative {
				v = -v
			}
			return v, s.err == nil
		}
		v, err := strconv.ParseInt(string(s.Text[n.From:s.At]), 10, 64)
		return v, err == nil && s.err == nil
	}
	s.Skip()
	return 0, false
}

// Skip passes over a value.
func (s *Scanner) Skip() {
	switch s.Kind() {
	case '"':
		s.str(nil, false)
	case '{':
		for s.Enter('{'); s.More('}'); s.Skip() {
			if s.Kind() != '"' {
				s.Fail("expected a member's name")
				return
			}
			s.str(nil, false)
			s.colon()
		}
	case '[':
		for s.Enter('['); s.More(']'); {
			s.Skip()
		}
	case 't':
		s.word("true")
	case 'f':
		s.word("false")
	case 'n':
		s.word("null")
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		s.Number()
	default:
		if s.At == len(s.Text) {
			s.Fail("the text ends where a value should be")
			return
		}
		r, _ := utf8.DecodeRune(s.Text[s.At:])
		s.Fail(fmt.Sprintf("no value begins with %q", r))
	}
}

func (s *Scanner) word(word string) {
	if end := s.At + len(word); end <= len(s.Text) && string(s.Text[s.At:end]) == word {
		s.At = end
		return
	}
	s.Fail("expected " + word)
}

// Raw is Skip that gives the value's bytes, as they are written.
func (s *Scanner) Raw() []byte {
	s.Kind()
	from := s.At
	s.Skip()
	if s.err != nil {
		return nil
	}
	return s.Text[from:s.At]
}

// End checks that nothing but white space is left.
func (s *Scanner) End() error {
	if s.Kind() != 0 || s.err == nil && s.At < len(s.Text) {
		s.Fail("something follows the value")
	}
	return s.Err()
}
