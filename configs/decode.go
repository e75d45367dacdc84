package configs

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

// Decode reads YAML into a struct, strictly: a key that does not exist and a value of another type are errors that say where, and
// what there is. Keys that are absent leave their fields alone.
func Decode(name string, data []byte, into any) error {
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return fmt.Errorf("%s: this is no text, so no YAML", name)
	}
	err := yaml.UnmarshalWithOptions(data, into, yaml.Strict())
	var tree any
	if yaml.Unmarshal(data, &tree) == nil { // the library takes 1.5 for 1, and speaks of Go's types
		if e := misfit(tree, reflect.TypeOf(into).Elem(), ""); e != nil {
			var at yaml.Error
			if errors.As(err, &at) && at.GetToken() != nil {
				return fmt.Errorf("%s: line %d: %w", name, at.GetToken().Position.Line, e)
			}
			return fmt.Errorf("%s: %w", name, e)
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %s", name, yaml.FormatError(err, false, true))
	}
	return nil
}

// Misfit is what Decode would refuse of a tree that was not read from text as it is: a key that into's type does not have, a value of
// another type. nil when all fits.
func Misfit(tree any, into any) error { return misfit(tree, reflect.TypeOf(into).Elem(), "") }

// misfit is the first key or value of a tree of YAML that does not fit a type; nil when all do.
func misfit(tree any, t reflect.Type, path string) error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if tree == nil || readsItself(t) {
		return nil
	}
	wrong := func(kind string) error { return fmt.Errorf("%s is %s: it must be %s", path, shown(tree), kind) }
	switch t.Kind() {
	case reflect.Struct:
		node, ok := tree.(map[string]any)
		if !ok {
			if path == "" {
				return errors.New("these are no keys with values")
			}
			return wrong("a group of keys")
		}
		return misfitFields(node, fields(t), path)
	case reflect.Map:
		node, ok := tree.(map[string]any)
		if !ok {
			return wrong("a group of keys")
		}
		for _, key := range sortedKeys(node) {
			if err := misfit(node[key], t.Elem(), under(path, key)); err != nil {
				return err
			}
		}
	case reflect.Slice:
		list, ok := tree.([]any)
		if !ok {
			return wrong("a list")
		}
		for i, one := range list {
			if err := misfit(one, t.Elem(), fmt.Sprintf("%s.%d", path, i)); err != nil {
				return err
			}
		}
	case reflect.Bool:
		if _, ok := tree.(bool); !ok {
			return wrong("true or false")
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		if _, ok := whole(tree); !ok {
			return wrong("a whole number")
		}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		if negative, ok := whole(tree); !ok || negative {
			return wrong("a whole number, not negative")
		}
	case reflect.Float32, reflect.Float64:
		if _, ok := number(tree); !ok {
			return wrong("a number")
		}
	case reflect.String:
		switch tree.(type) {
		case map[string]any, []any:
			return wrong("a text")
		}
	}
	return nil
}

func misfitFields(node map[string]any, known map[string]reflect.Type, path string) error {
	for _, key := range sortedKeys(node) {
		t, ok := known[key]
		if !ok {
			keys := sortedKeys(known)
			where := "here"
			if path != "" {
				where = "in " + path
			}
			if near := nearest(key, keys); near != "" {
				return fmt.Errorf("there is no key %s: did you mean %s? Keys %s: %s", under(path, key), near, where, strings.Join(keys, ", "))
			}
			return fmt.Errorf("there is no key %s. Keys %s: %s", under(path, key), where, strings.Join(keys, ", "))
		}
		if err := misfit(node[key], t, under(path, key)); err != nil {
			return err
		}
	}
	return nil
}

// readsItself says whether a type has its own way to read YAML or text.
func readsItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	for _, reader := range []reflect.Type{reflect.TypeFor[yaml.BytesUnmarshaler](), reflect.TypeFor[yaml.InterfaceUnmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler]()} {
		if p.Implements(reader) {
			return true
		}
	}
	return false
}

// fields are a struct's keys with their types.
func fields(t reflect.Type) map[string]reflect.Type {
	all := map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case name == "-" || !f.IsExported():
		case strings.Contains(options, "inline"):
			for key, of := range fields(f.Type) {
				all[key] = of
			}
		case name == "":
			all[strings.ToLower(f.Name)] = f.Type
		default:
			all[name] = f.Type
		}
	}
	return all
}

func under(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// number is a value's number; the library reads 1e-3 as a text where it does not know what is wanted.
func number(v any) (n float64, ok bool) {
	switch n := v.(type) {
	case uint64:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	case string:
		f, err := strconv.ParseFloat(n, 64)
		return f, err == nil
	}
	return 0, false
}

// whole says whether a value is a whole number; 1e3 is one.
func whole(v any) (negative, ok bool) {
	n, ok := number(v)
	return n < 0, ok && n == math.Trunc(n) && !math.IsInf(n, 0)
}

// shown is a value as it is quoted in errors.
func shown(v any) string {
	switch v.(type) {
	case map[string]any:
		return "a group of keys"
	case []any:
		return "a list"
	case string:
		return fmt.Sprintf("%q", v)
	}
	return fmt.Sprint(v)
}

// nearest is the word that differs by the fewest letters, "" when all differ by more than a third.
func nearest(word string, words []string) string {
	best, least := "", max(1, len(word)/3)+1
	for _, w := range words {
		if d := distance(word, w); d < least {
			best, least = w, d
		}
	}
	return best
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := corner
			if a[i] != b[j] {
				cost++
			}
			corner = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
