package okvqa

import (
	"archive/zip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Tokens, singulars and stems here are those of NLTK and inflection.

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"can't stop":           "ca|n't|stop",
		"the \"big\" (one).":   "the|``|big|''|(|one|)|.",
		"cannot cannot, 3,5":   "can|not|can|not|,|3,5",
		"'tis men's":           "'|tis|men|'s",
		"well-known -- U.S.":   "well-known|--|U.S|.",
		"écannot d'ye “q” 50%": "écannot|d|'ye|“|q|”|50|%",
		"wanna go... gonna":    "wan|na|go|...|gon|na",
		"It rained. We slept.": "It|rained|.|We|slept|.",
		"":                     "",
	} {
		if got := strings.Join(words(text), "|"); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func TestSingular(t *testing.T) {
	for word, want := range map[string]string{"boxes": "box", "men": "man", "kine": "cow", "People": "Person", "axes": "axis", "ponies": "pony", "wolves": "wolf",
		"series": "series", "bluejeans": "bluejean", "blue jeans": "blue jeans", "glass": "glass", "oxen": "ox", "data": "datum", "dog": "dog"} {
		if got := singular(word); got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
}

// nltkData writes data of a few words: nouns in -s are plural unless "to" stands before them.
func nltkData(t *testing.T) string {
	dir := t.TempDir()
	files := map[string]string{
		"averaged_perceptron_tagger_eng.weights.json": `{"bias":{"NN":0.5},"i suffix ogs":{"NNS":1,"VBZ":0.25},"i-1 word to":{"VBZ":1.5},"i word !YEAR":{"CD":2},"i pref1 1":{"NNS":1}}`,
		"averaged_perceptron_tagger_eng.tagdict.json": `{"to":"TO"}`,
		"averaged_perceptron_tagger_eng.classes.json": `["NN","NNS","VBZ","TO","CD"]`,
	}
	folder := filepath.Join(dir, "taggers", "averaged_perceptron_tagger_eng")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "corpora"), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, "corpora", "wordnet.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	for name, text := range map[string]string{"index.verb": "  1 licence\nsurf v 1 0\nlie v 1\nlye v 1\nbring v 2\nsee v 1\n", "verb.exc": "lying lie lye\nrunning run\n"} {
		w, err := z.Create("wordnet/" + name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(text))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestStem(t *testing.T) {
	s, err := Open(nltkData(t))
	if err != nil {
		t.Fatal(err)
	}
	for answer, want := range map[string]string{
		"dogs":            "dog",
		"to dogs":         "to dogs", // a verb here
		"surfing":         "surf",
		"seeing lying":    "see lie", // irregular, the first of the shortest
		"bringing bring":  "bring bring",
		"running wedding": "running wedding", // no verbs of this WordNet
		"men's clothes":   "men 's cloth",
		"christmas dogs":  "christmas dog",
	} {
		if got := s.Stem(answer); got != want {
			t.Errorf("%q: got %q, want %q", answer, got, want)
		}
	}
	if got := s.Postprocess("surfing, yes Question: dogs"); got != "surf" {
		t.Errorf("postprocessed to %q", got)
	}
	if got, want := s.tagger.tag([]string{"1999", "to", "dogs", "1990s"}), []string{"CD", "TO", "VBZ", "NNS"}; !slices.Equal(got, want) {
		t.Errorf("tags %q, want %q", got, want)
	}
}

func TestMissingData(t *testing.T) {
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "nltk.downloader") {
		t.Errorf("no data: %v", err)
	}
}

func FuzzStem(f *testing.F) {
	for _, s := range []string{"a dog's", "'", "\xff'ing", "..", "wanna wanna "} {
		f.Add(s)
	}
	s := &Stemmer{&tagger{tags: []string{"NNS"}}, &verbs{}}
	f.Fuzz(func(t *testing.T, answer string) { s.Stem(answer) })
}
