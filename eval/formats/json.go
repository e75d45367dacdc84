package formats

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
)

// ID is what examples are known by: a string, or a number as it is written. 42 and "42" are the same.
type ID string

// UnmarshalJSON takes a string or a number.
func (id *ID) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return err
		}
		*id = ID(s)
		return nil
	}
	if len(b) == 0 || b[0] != '-' && (b[0] < '0' || b[0] > '9') {
		return fmt.Errorf("an id is a number or a string, not %s", b)
	}
	*id = ID(b)
	return nil
}

// MarshalJSON writes whole numbers as numbers, as the official files have them.
func (id ID) MarshalJSON() ([]byte, error) {
	if n, err := strconv.ParseInt(string(id), 10, 64); err == nil && strconv.FormatInt(n, 10) == string(id) {
		return []byte(id), nil
	}
	return json.Marshal(string(id))
}

// readFile reads a whole file; a byte order mark is dropped.
func readFile(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), nil
}

// syntax says where in a file its JSON is wrong.
func syntax(path string, data []byte, at int64, err error) error {
	var se *json.SyntaxError
	var te *json.UnmarshalTypeError
	switch {
	case errors.As(err, &se):
		at += se.Offset
	case errors.As(err, &te):
		at += te.Offset
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		at = int64(len(data))
		err = errors.New("the file ends in the middle")
	}
	at = min(max(at, 0), int64(len(data)))
	line := 1 + bytes.Count(data[:at], []byte("\n"))
	return fmt.Errorf("%s: line %d (byte %d): %w", path, line, at, err)
}

// elements splits a JSON array, or JSON lines, into its elements without decoding them. at is where each begins.
func elements(path string, data []byte) (list []json.RawMessage, at []int, err error) {
	trimmed := bytes.TrimLeft(data, " \t\r\n")
	base := len(data) - len(trimmed)
	if len(trimmed) == 0 {
		return nil, nil, fmt.Errorf("%s: the file is empty", path)
	}
	array := trimmed[0] == '['
	i := 0
	if array {
		i = 1
	}
	for n := 0; ; n++ {
		for i < len(trimmed) && (trimmed[i] == ' ' || trimmed[i] == '\t' || trimmed[i] == '\r' || trimmed[i] == '\n' || array && n > 0 && trimmed[i] == ',') {
			i++
		}
		switch {
		case i >= len(trimmed) && array:
			return nil, nil, syntax(path, data, 0, io.ErrUnexpectedEOF)
		case i >= len(trimmed):
			return list, at, nil
		case array && trimmed[i] == ']':
			if rest := bytes.TrimSpace(trimmed[i+1:]); len(rest) > 0 {
				return nil, nil, syntax(path, data, int64(base+i+1), errors.New("something follows the list"))
			}
			return list, at, nil
		}
		end := valueEnd(trimmed, i)
		if end < 0 {
			return nil, nil, syntax(path, data, 0, io.ErrUnexpectedEOF)
		}
		if end == i {
			return nil, nil, syntax(path, data, int64(base+i), fmt.Errorf("no JSON value begins with %q", trimmed[i]))
		}
		list = append(list, trimmed[i:end])
		at = append(at, base+i)
		i = end
	}
}

// valueEnd is where the JSON value that begins at i ends: by brackets and quotes only, decoding finds the rest. -1 when
// the text ends before.
func valueEnd(b []byte, i int) int {
	depth := 0
	for start := i; i < len(b); {
		switch b[i] {
		case '"':
			i++
			for i < len(b) && b[i] != '"' {
				if b[i] == '\\' {
					i++
				}
				i++
			}
			if i >= len(b) {
				return -1
			}
			i++
			if depth == 0 {
				return i
			}
		case '{', '[':
			depth++
			i++
		case '}', ']':
			if depth == 0 {
				return i
			}
			i++
			if depth--; depth == 0 {
				return i
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 && i > start {
				return i
			}
			i++
		default:
			i++
		}
	}
	if depth > 0 {
		return -1
	}
	return len(b)
}

// member finds the value of a key of the top-level object, "" for none.
func member(data []byte, key string) (value []byte, at int) {
	i := bytes.IndexByte(data, '{') + 1
	for i > 0 && i < len(data) {
		for i < len(data) && strings.IndexByte(" \t\r\n,:", data[i]) >= 0 {
			i++
		}
		if i >= len(data) || data[i] != '"' {
			return nil, 0
		}
		end := valueEnd(data, i)
		if end < 0 {
			return nil, 0
		}
		name := data[i:end]
		for i = end; i < len(data) && strings.IndexByte(" \t\r\n:", data[i]) >= 0; i++ {
		}
		end = valueEnd(data, i)
		if end < 0 {
			return nil, 0
		}
		var decoded string
		if json.Unmarshal(name, &decoded) == nil && decoded == key {
			return data[i:end], i
		}
		i = end
	}
	return nil, 0
}

// list decodes the elements of an array (or of JSON lines), on all processors. base is where data begins in the file.
func list[T any](path string, file []byte, base int, data []byte) ([]T, error) {
	raw, at, err := elements(path, data)
	if err != nil {
		return nil, err
	}
	if base == 0 && isKind(bytes.TrimLeft(data, " \t\r\n"), '[') { // an array that is the file; JSON lines are decoded one by one
		if err := wellFormed(path, data); err != nil {
			return nil, err
		}
	}
	out := make([]T, len(raw))
	workers := min(runtime.GOMAXPROCS(0), len(raw)/256+1)
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := w * len(raw) / workers; i < (w+1)*len(raw)/workers; i++ {
				if err := json.Unmarshal(raw[i], &out[i]); err != nil {
					errs[w] = syntax(path, file, int64(base+at[i]), err)
					return
				}
			}
		}()
	}
	wg.Wait()
	return out, errors.Join(errs...)
}

// wellFormed checks a file that is one JSON value: member and elements go by brackets and quotes, and would not miss a
// colon or a comma.
func wellFormed(path string, data []byte) error {
	var whole json.RawMessage
	if err := json.Unmarshal(data, &whole); err != nil {
		return syntax(path, data, 0, err)
	}
	return nil
}

// listOf decodes the array under a key of a file's top-level object.
func listOf[T any](path string, data []byte, key string) ([]T, error) {
	if err := wellFormed(path, data); err != nil {
		return nil, err
	}
	value, at := member(data, key)
	if value == nil {
		return nil, fmt.Errorf("%s: no %q in it", path, key)
	}
	if len(value) == 0 || value[0] != '[' {
		return nil, fmt.Errorf("%s: %q is not a list", path, key)
	}
	return list[T](path, data, at, value)
}
