package weights

// The JSON header of safetensors, read by a strict scanner in one pass: no recursion, no duplicates, no surprises.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

type headerScanner struct {
	b  []byte
	at int
}

// parseHeader reads {"NAME": {"dtype": D, "shape": [...], "data_offsets": [begin, end]}, ..., "__metadata__": {...}}.
func parseHeader(b []byte) (tensors []stored, metadata map[string]string, err error) {
	s := &headerScanner{b: bytes.TrimRight(b, " ")}
	metadata = map[string]string{}
	seen := map[string]bool{}
	err = s.object(func(name string) error {
		if seen[name] {
			return fmt.Errorf("the header names %q twice", name)
		}
		seen[name] = true
		if name == "__metadata__" {
			return s.object(func(key string) error {
				value, err := s.text()
				metadata[key] = value
				return err
			})
		}
		t, err := s.tensor(name)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		tensors = append(tensors, t)
		return nil
	})
	if err == nil {
		s.space()
		if s.at != len(s.b) {
			err = s.errorf("something follows the header's object")
		}
	}
	return tensors, metadata, err
}

func (s *headerScanner) tensor(name string) (stored, error) {
	t := stored{name: name, begin: -1, shape: []int{}}
	var have [3]bool
	mark := func(i int, field string) error {
		if have[i] {
			return fmt.Errorf("%s is there twice", field)
		}
		have[i] = true
		return nil
	}
	err := s.object(func(field string) error {
		switch field {
		case "dtype":
			if err := mark(0, field); err != nil {
				return err
			}
			name, err := s.text()
			t.dtype = DType(name)
			return err
		case "shape":
			if err := mark(1, field); err != nil {
				return err
			}
			return s.numbers(func(n int64) error { t.shape = append(t.shape, int(n)); return nil })
		case "data_offsets":
			if err := mark(2, field); err != nil {
				return err
			}
			count := 0
			err := s.numbers(func(n int64) error {
				switch count {
				case 0:
					t.begin = n
				case 1:
					t.end = n
				}
				count++
				return nil
			})
			if err == nil && count != 2 {
				err = fmt.Errorf("data_offsets has %d numbers instead of 2", count)
			}
			return err
		}
		return s.errorf("the field %q is unknown", field)
	})
	if err == nil && have != [3]bool{true, true, true} {
		err = fmt.Errorf("dtype, shape or data_offsets is missing")
	}
	return t, err
}

func (s *headerScanner) errorf(format string, args ...any) error {
	return fmt.Errorf("header, byte %d: %s", s.at, fmt.Sprintf(format, args...))
}

func (s *headerScanner) space() {
	for s.at < len(s.b) && (s.b[s.at] == ' ' || s.b[s.at] == '\n' || s.b[s.at] == '\t' || s.b[s.at] == '\r') {
		s.at++
	}
}

// next consumes the character c after white space.
func (s *headerScanner) next(c byte) bool {
	s.space()
	if s.at < len(s.b) && s.b[s.at] == c {
		s.at++
		return true
	}
	return false
}

// object calls field after each "key":.
func (s *headerScanner) object(field func(key string) error) error {
	if !s.next('{') {
		return s.errorf("an object was expected")
	}
	if s.next('}') {
		return nil
	}
	for {
		key, err := s.text()
		if err != nil {
			return err
		}
		if !s.next(':') {
			return s.errorf("':' was expected")
		}
		if err := field(key); err != nil {
			return err
		}
		if s.next('}') {
			return nil
		}
		if !s.next(',') {
			return s.errorf("',' or '}' was expected")
		}
	}
}

func (s *headerScanner) text() (string, error) {
	if !s.next('"') {
		return "", s.errorf("a string was expected")
	}
	start, plain := s.at, true
	for s.at < len(s.b) {
		switch c := s.b[s.at]; {
		case c == '"':
			raw := s.b[start:s.at]
			s.at++
			if plain {
				if !utf8.Valid(raw) {
					return "", s.errorf("a string is not UTF-8")
				}
				return string(raw), nil
			}
			var out string
			if err := json.Unmarshal(s.b[start-1:s.at], &out); err != nil {
				return "", s.errorf("%v", err)
			}
			return out, nil
		case c == '\\':
			plain = false
			s.at += 2
		case c < 0x20:
			return "", s.errorf("a control character in a string")
		default:
			s.at++
		}
	}
	return "", s.errorf("a string has no end")
}

func (s *headerScanner) numbers(each func(int64) error) error {
	if !s.next('[') {
		return s.errorf("a list of numbers was expected")
	}
	if s.next(']') {
		return nil
	}
	for {
		s.space()
		start := s.at
		var n int64
		for s.at < len(s.b) && s.b[s.at] >= '0' && s.b[s.at] <= '9' {
			if n > (1<<63-1-9)/10 {
				return s.errorf("a number is too large")
			}
			n = 10*n + int64(s.b[s.at]-'0')
			s.at++
		}
		if s.at == start {
			return s.errorf("a number without sign was expected")
		}
		if err := each(n); err != nil {
			return err
		}
		if s.next(']') {
			return nil
		}
		if !s.next(',') {
			return s.errorf("',' or ']' was expected")
		}
	}
}
