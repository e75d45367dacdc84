package jsonscan

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// value reads anything, as encoding/json reads it into any.
func value(s *Scanner) any {
	switch s.Kind() {
	case '{':
		m := map[string]any{}
		for s.Enter('{'); s.More('}'); {
			key := string(s.Key())
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
	case 't', 'f', 'n':
		return map[string]any{"true": true, "false": false, "null": nil}[string(s.Raw())]
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		n := s.Number()
		v, err := strconv.ParseFloat(string(s.Text[n.From:s.At]), 64)
		if err != nil {
			s.FailAt(n.From, "the number is too large")
		}
		return v
	}
	s.Skip()
	return nil
}

var texts = []string{
	`{}`, `[]`, `{"a":1}`, `{"a":[1,2,{"b":"c"}],"d":{"e":null}}`, ` [ 1 , "x" , true ] `, `"\u00e4\ud83d\ude42\n\\\"\/"`, `"\ud800x"`, `"\ud800\u0041"`, `"\ude42"`,
	`{"a":1,}`, `[1 2]`, `{"a" 1}`, `{"a":`, `"abc`, `"a\`, `{"a":"b\\"}`, `{"a":"b\\\"c"}`, `[,1]`, `{"a":1}}`, `nul`, ``, `{"":""}`, "[\"\xff\"]", "\"\\n\xe2\\u0080\"", `[[[[]]]]`,
	`{"a":1,"a":[2]}`, `{"a":[1,-2.5e+3,null,true,false,"x\u00e9\ud83d\ude00\n"]}`, `01`, `-`, `-0`, `1.`, `1e`, `1e400`, `[1,]`, "\"\x01\"", `"\x"`, `"\u12"`, `{1:2}`, "\t[ 1 , 2 ]\n", "\x00", "[1\x00]", "[\x00]", "\"a string that is longer than eight bytes \xc3\xa4\x7f\"",
	`[1,{"a":2}]x`, `{"a":tru}`, `[}`, `{]`, `{"a":1]`, "\u00a0[]", `123456789012345678901234567890`, `0.1234567890123456789`,
}

// compare wants the same documents as encoding/json, with the same values, and the same of what is passed over.
func compare(t *testing.T, text string) {
	t.Helper()
	s := New([]byte(text))
	got := value(s)
	err := s.End()
	var want any
	wantErr := json.Unmarshal([]byte(text), &want)
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q: error %v, want %v", text, err, wantErr)
	}
	if err == nil && !reflect.DeepEqual(got, want) {
		t.Fatalf("%q: got %#v, want %#v", text, got, want)
	}
	s.Reset([]byte(text))
	s.Skip()
	if err := s.End(); (err == nil) != json.Valid([]byte(text)) {
		t.Fatalf("%q: Skip: %v", text, err)
	}
	if all, ok := New([]byte(text)).Append([]byte("before ")); ok {
		if piece, _ := New([]byte(text)).String(); string(all) != "before "+piece {
			t.Fatalf("%q: %q behind %q", text, piece, all)
		}
	}
}

func TestAgainstEncodingJSON(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, text := range texts {
		compare(t, text)
		for range 300 {
			if text != "" {
				b := []byte(text)
				b[rng.IntN(len(b))] = "\"\\{}[],:0189-+.eEnutA \x00\xc3"[rng.IntN(24)]
				compare(t, string(b))
			}
		}
	}
	for _, n := range []int{maxDepth, maxDepth + 1} {
		compare(t, strings.Repeat("[", n)+strings.Repeat("]", n))
		compare(t, strings.Repeat(`{"a":`, n)+"1"+strings.Repeat("}", n))
	}
}

// TestErrors tells what is wrong and where.
func TestErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"a":1,}`:   "byte 7: expected a member's name",
		`[1 2]`:      "byte 3: expected a comma or a closing bracket",
		`{"a" 1}`:    "byte 5: expected a colon",
		`{"a":`:      "byte 5: the text ends where a value should be",
		`{"a":1`:     "byte 6: the text ends inside a value",
		`["abc`:      "byte 1: the text ends inside a string that begins here",
		`"a\`:        "byte 2: the text ends inside a string",
		`[,1]`:       "byte 1: no value begins with ','",
		`{"a":1}}`:   "byte 7: something follows the value",
		`["ab\x"]`:   "byte 4: unknown escape",
		`"\u12"`:     `byte 1: \u without four hex digits`,
		"[\"a\tb\"]": "byte 3: control character in a string",
		`[tru]`:      "byte 1: expected true",
		`[-]`:        "byte 1: expected a number",
		`[1.]`:       "byte 3: expected digits",
		`[1e+]`:      "byte 4: expected digits",
		`[é]`:        "byte 1: no value begins with 'é'",
	} {
		s := New([]byte(text))
		s.Skip()
		err := s.End()
		var place *Error
		if err == nil || err.Error() != want || !errors.As(err, &place) {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
		if again := s.End(); again != err || s.More('}') || s.Kind() != 0 {
			t.Errorf("%q: after the error: %v", text, again)
		}
	}
}

func TestWant(t *testing.T) {
	for _, kind := range `{["0` {
		for _, text := range []string{`{}`, `[]`, `""`, `0`, `-1`, `null`, `true`, ``} {
			s := New([]byte(text))
			is := s.Want(byte(kind))
			same := text != "" && (byte(kind) == text[0] || kind == '0' && text == "-1")
			if is != same || (s.Err() == nil) != (same || text == "null") {
				t.Errorf("%s is wanted to be %c: %v, %v", text, kind, is, s.Err())
			}
		}
	}
	s := New([]byte(`[true]`))
	s.Want('{')
	if err := s.Err(); err == nil || err.Error() != "byte 0: expected an object, found an array" {
		t.Error(err)
	}
}

func TestInt(t *testing.T) {
	s := New([]byte(`["12", 34, "x", null, -5, 1.5, 9223372036854775807, -9223372036854775808, 9223372036854775808, 1e3, -0, {"a":1}]`))
	var got []int64
	for s.Enter('['); s.More(']'); {
		if n, ok := s.Int(); ok {
			got = append(got, n)
		}
	}
	if err := s.End(); err != nil || !reflect.DeepEqual(got, []int64{12, 34, -5, 9223372036854775807, -9223372036854775808, 0}) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestLoneSurrogate(t *testing.T) {
	for text, want := range map[string]bool{`"\ud800x"`: true, `"\ud83d\ude42"`: false, `"\ufffd"`: false, `"\ude42\ud83d"`: true} {
		s := New([]byte(text))
		if s.String(); s.LoneSurrogate != want {
			t.Errorf("%s: %v", text, s.LoneSurrogate)
		}
	}
}

func FuzzScanner(f *testing.F) {
	for _, text := range texts {
		f.Add(text)
	}
	f.Fuzz(compare)
}
