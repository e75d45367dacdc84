package jsonscan

import (
	"encoding/json"
	"reflect"
	"testing"
)

// value reads anything, as encoding/json reads it into any.
func value(s *Scanner) any {
	switch s.Kind() {
	case '{':
		m := map[string]any{}
		for s.Enter('{'); s.More('}'); {
			key := string([]rune(string(s.Key())))
			m[key] = value(s)
		}
		return m
	case '[':
		list := []any{}
		for s.Enter('['); s.More(']'); {
			list = append(list, value(s))
		}
		return list
	case '"':
		text, _ := s.String()
		return text
	}
	var v any
	raw := s.Raw()
	if s.Err() == nil {
		if err := json.Unmarshal(raw, &v); err != nil {
			s.fail("not a value")
		}
	}
	return v
}

var texts = []string{
	`{}`, `[]`, `{"a":1}`, `{"a":[1,2,{"b":"c"}],"d":{"e":null}}`, ` [ 1 , "x" , true ] `, `"\u00e4\ud83d\ude42\n\\\"\/"`, `"\ud800x"`,
	`{"a":1,}`, `[1 2]`, `{"a" 1}`, `{"a":`, `"abc`, `"a\`, `{"a":"b\\"}`, `{"a":"b\\\"c"}`, `[,1]`, `{"a":1}}`, `nul`, ``, `{"":""}`, "[\"\xff\"]", `[[[[]]]]`,
}

func TestAgainstEncodingJSON(t *testing.T) {
	for _, text := range texts {
		compare(t, text)
	}
}

// What encoding/json takes, the scanner takes with the same value. (It is laxer: it minds brackets, not grammar, in what it
// passes over, and allows raw control characters in strings.)
func compare(t *testing.T, text string) {
	s := New([]byte(text))
	got := value(s)
	err := s.End()
	var want any
	if json.Unmarshal([]byte(text), &want) != nil {
		return
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q: got %#v, %v; want %#v", text, got, err, want)
	}
	s.Reset([]byte(text))
	s.Skip()
	if err := s.End(); err != nil {
		t.Errorf("%q: Skip: %v", text, err)
	}
}

func TestFaults(t *testing.T) {
	for _, text := range []string{`{"a":1,}`, `[1 2]`, `{"a" 1}`, `{"a":`, `"abc`, `"a\`, `[,1]`, `{"a":1}}`, ``, `"\x"`, `"\u12"`, `{1:2}`} {
		s := New([]byte(text))
		value(s)
		if s.End() == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestInt(t *testing.T) {
	s := New([]byte(`["12", 34, "x", null, -5, 1.5]`))
	var got []int64
	for s.Enter('['); s.More(']'); {
		if n, ok := s.Int(); ok {
			got = append(got, n)
		}
	}
	if err := s.End(); err != nil || !reflect.DeepEqual(got, []int64{12, 34, -5}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func FuzzScanner(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(compare)
}
