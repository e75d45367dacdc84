package vqa

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestNormalise(t *testing.T) {
	for in, want := range map[string]string{
		"":                  "",
		"The Dog.":          "dog",
		"one, two":          "1 2",
		"1,000 men/women":   "1000 menwomen", // a comma between digits: all marks go
		"red/blue":          "red blue",
		"3.5":               "3.5",
		"3. 5":              "3 5",
		"dont":              "don't",
		"somebody'd":        "somebodyd",
		"Im":                "im", // the table has it in capitals
		"an apple a\tday\n": "apple day",
		"ten\u00a0men":      "10 men",
	} {
		if got := Normalise(in); got != want {
			t.Errorf("Normalise(%q) = %q, want %q", in, got, want)
		}
	}
	if got := Punctuation(strings.Repeat(".", 40)); got != strings.Repeat(".", 8) {
		t.Errorf("of 40 full stops %d were left, want 8", len(got))
	}
}

func answers(texts ...string) []Answer {
	out := make([]Answer, len(texts))
	for i, s := range texts {
		out[i] = Answer{Text: s, Rest: "yes"}
	}
	return out
}

// The naive form: leave one person out, ten times.
func TestAccuracyNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	n := NewNormaliser()
	for range 200 {
		texts := make([]string, 10)
		for i := range texts {
			texts[i] = []string{"red", "blue", "Red.", "the red"}[r.IntN(4)]
		}
		var want float64
		for i := range texts {
			agree := 0.0
			for k := range texts {
				if k != i && Normalise(texts[k]) == "red" {
					agree++
				}
			}
			want += math.Min(1, agree/3) / 10
		}
		if got := n.Accuracy("red", answers(texts...)); math.Abs(got-want) > 1e-12 {
			t.Fatalf("%v: got %v, want %v", texts, got, want)
		}
	}
}

func TestCompat(t *testing.T) {
	n := NewNormaliser()
	same := answers("red", "red", "red", "red", "blue")
	if got := n.Accuracy("red", same); got != 1 {
		t.Errorf("leaving one out: %v, want 1", got)
	}
	// Equal records are one and the same person, who is left out.
	if got := n.CompatAccuracy("red", same); got != 0.2 {
		t.Errorf("compat: %v, want 0.2", got)
	}
	for i := range same {
		same[i].Rest = string(rune('0' + i))
	}
	if n.CompatAccuracy("red", same) != n.Accuracy("red", same) {
		t.Error("with numbered answers the two must agree")
	}
}

func TestPercent(t *testing.T) {
	for in, want := range map[float64]float64{1.0 / 3: 33.33, 0.6: 60, 0.00125: 0.12, 0.12345: 12.35} {
		if got := Percent(in); got != want {
			t.Errorf("Percent(%v) = %v, want %v", in, got, want)
		}
	}
}

func FuzzNormalise(f *testing.F) {
	for _, s := range []string{"", "1,000", "a.b", "\xff.\xfe", "İ Σ", " - "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got := Normalise(s); utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%q became %q", s, got)
		}
		Postprocess(s)
	})
}
