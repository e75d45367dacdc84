package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"mmc4/internal/jsonscan"
)

// ID is what examples are known by: a string, or a number as it is written. 42 and "42" are the same.
type ID string

// UnmarshalJSON takes a string or a number.
func (id *ID) UnmarshalJSON(b []byte) error {
	r := reader{Scanner: jsonscan.Scanner{Text: b}}
	if r.Kind() == 'n' {
		return fmt.Errorf("an id is a number or a string, not null")
	}
	*id = r.id()
	return r.End()
}

// MarshalJSON writes whole numbers as numbers, as the official files have them.
func (id ID) MarshalJSON() ([]byte, error) {
	if n, err := strconv.ParseInt(string(id), 10, 64); err == nil && strconv.FormatInt(n, 10) == string(id) {
		return []byte(id), nil
	}
	return json.Marshal(string(id))
}

// reader reads a file.
type reader struct {
	jsonscan.Scanner
	path string
	people
}

// open reads the file at path whole; a byte order mark is dropped. Strings that are read are pieces of it.
func open(path string) (*reader, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return newReader(path, data), nil
}

func newReader(path string, data []byte) *reader {
	r := &reader{path: path}
	r.Text, r.Share = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), true
	return r
}

// end checks that the file is over, and says where it was wrong.
func (r *reader) end() error {
	err := r.End()
	var place *jsonscan.Error
	if errors.As(err, &place) {
		line := 1 + bytes.Count(r.Text[:min(place.At, len(r.Text))], []byte("\n"))
		err = fmt.Errorf("%s: line %d (byte %d): %s", r.path, line, place.At, place.What)
	}
	return err
}

// records reads a JSON array, or JSON lines; one reads an element.
func records[T any](r *reader, one func(*T)) ([]T, error) {
	if r.Kind() == 0 && r.At == len(r.Text) {
		return nil, fmt.Errorf("%s: the file is empty", r.path)
	}
	if r.Kind() == '[' {
		out := array(r, one)
		return out, r.end()
	}
	var out []T
	for r.Kind() != 0 {
		out = append(out, *new(T))
		one(&out[len(out)-1])
	}
	return out, r.end()
}

// recordsUnder reads the array under a key of the file's one object.
func recordsUnder[T any](r *reader, key string, one func(*T)) (out []T, err error) {
	found := false
	r.members(func(name string) {
		if name != key {
			r.Skip()
			return
		}
		if found = true; r.Kind() != '[' {
			r.Fail(fmt.Sprintf("%q is not a list", key))
		}
		out = array(r, one)
	})
	if err := r.end(); err != nil {
		return nil, err
	}
	if !found {
		return nil, fmt.Errorf("%s: no %q in it", r.path, key)
	}
	return out, nil
}

// array reads an array that begins here.
func array[T any](r *reader, one func(*T)) []T {
	out := []T{}
	for r.Enter('['); r.More(']'); {
		out = append(out, *new(T))
		one(&out[len(out)-1])
	}
	return out
}

// members reads an object; value is called with each name, and reads or passes over what belongs to it.
func (r *reader) members(value func(name string)) {
	if r.Want('{') {
		for r.Enter('{'); r.More('}'); {
			value(string(r.Key()))
		}
	}
}

// field is a member that a record may have; null is as good as none.
type field struct {
	text  string
	given bool
}

func (r *reader) string() string {
	if r.Want('"') {
		s, _ := r.String()
		return s
	}
	return ""
}

func (r *reader) strings() []string {
	if !r.Want('[') {
		return nil
	}
	return array(r, func(to *string) { *to = r.string() })
}

// number gives a number as it is written.
func (r *reader) number() string {
	if r.Want('0') {
		n := r.Number()
		return r.Piece(n.From, r.At)
	}
	return ""
}

func (r *reader) id() ID {
	switch kind := r.Kind(); {
	case kind == '"':
		return ID(r.string())
	case kind == '-' || '0' <= kind && kind <= '9':
		return ID(r.number())
	case kind == 'n':
		r.Skip()
	default:
		r.Fail("an id is a number or a string")
	}
	return ""
}

func (r *reader) idField() field {
	given := r.Kind() != 'n'
	return field{string(r.id()), given}
}

func (r *reader) textField() field {
	given := r.Kind() != 'n'
	return field{r.string(), given}
}

// scoreField reads a number, also one in quotes.
func (r *reader) scoreField() field {
	given := r.Kind() != 'n'
	if r.Kind() != '"' {
		return field{r.number(), given}
	}
	at := r.At
	text := r.string()
	inner := jsonscan.New([]byte(text))
	if inner.Number(); inner.End() != nil {
		r.FailAt(at, fmt.Sprintf("expected a number, found the string %.40q", text))
	}
	return field{text, true}
}
