package formats

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// VQA files are tens of megabytes of small objects, nearly all of them plain. The functions here read such objects without
// reflection; the text has been checked to be JSON before.

// members calls f with every member of an object: the key without its quotes, and the value as it stands.
func members(object []byte, f func(key, value []byte) error) error {
	for i := 1; i < len(object); {
		for i < len(object) && (object[i] == ',' || isBlank(object[i])) {
			i++
		}
		if i >= len(object) || object[i] == '}' {
			return nil
		}
		end := valueEnd(object, i)
		if end <= i+1 {
			return nil
		}
		key := object[i+1 : end-1]
		for i = end; i < len(object) && (object[i] == ':' || isBlank(object[i])); i++ {
		}
		if end = valueEnd(object, i); end <= i {
			return nil
		}
		if err := f(key, object[i:end]); err != nil {
			return err
		}
		i = end
	}
	return nil
}

// items calls f with every element of an array.
func items(array []byte, f func(value []byte) error) error {
	for i := 1; i < len(array); {
		for i < len(array) && (array[i] == ',' || isBlank(array[i])) {
			i++
		}
		end := valueEnd(array, i)
		if i >= len(array) || array[i] == ']' || end <= i {
			return nil
		}
		if err := f(array[i:end]); err != nil {
			return err
		}
		i = end
	}
	return nil
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// isKind says whether a value is an object ({), an array ([), a string (").
func isKind(value []byte, first byte) bool { return len(value) > 0 && value[0] == first }

// text decodes a string; anything else is the error that encoding/json has for it.
func text(value []byte) (string, error) {
	if isKind(value, '"') {
		inner := string(value[1 : len(value)-1])
		if strings.IndexByte(inner, '\\') < 0 && utf8.ValidString(inner) {
			return inner, nil
		}
	}
	var s string
	err := json.Unmarshal(value, &s)
	return s, err
}
