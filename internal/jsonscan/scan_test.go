package jsonscan

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
)

var seeds = []string{`{"a":[1,-2.5e+3,null,true,false,"x\u00e9\ud83d\ude00\n"]}`, `[]`, `"a`, `01`, `-`, `1.`, `{"a":}`, `[1,]`, "\"\x01\"", "\"\xff\"", `"\ud800"`, `"\x"`, `nul`, "\t[ 1 , 2 ]\n"}

// check verifies that what is skipped is JSON, and that a string is read as encoding/json reads it.
func check(t *testing.T, text string) {
	t.Helper()
	s := Scanner{Text: []byte(text)}
	if ok := s.Skip(0); ok {
		if s.Space(); s.At == len(text) && !json.Valid([]byte(text)) {
			t.Fatalf("%q is taken", text)
		}
	}
	s = Scanner{Text: []byte(text)}
	if got, ok := s.Str(); ok && s.At == len(text) {
		var want string
		if err := json.Unmarshal([]byte(text), &want); err != nil || string(got) != want {
			t.Fatalf("%q is read as %q, want %q, %v", text, got, want, err)
		}
	}
}

func TestScanner(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, text := range seeds {
		check(t, text)
		for range 2000 {
			b := []byte(text)
			b[rng.IntN(len(b))] = "\"\\{}[],:0189-+.eEnutA \x00\xc3"[rng.IntN(24)]
			check(t, string(b))
		}
	}
	if s := (Scanner{Text: []byte(strings.Repeat("[", 1000))}); s.Skip(0) {
		t.Error("took arrays without an end")
	}
}

func FuzzScanner(f *testing.F) {
	for _, text := range seeds {
		f.Add(text)
	}
	f.Fuzz(check)
}
