package dedup

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestProfileFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mine.yaml")
	text := "name: mine\ndedup:\n  extensions: [png, webp]\n  min_side: 64\nmatch:\n  min_similarity: 0.2\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := LoadProfile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := MMC4()
	want.Name, want.Dedup.Extensions, want.Dedup.MinSide, want.Match.MinSimilarity = "mine", []string{"png", "webp"}, 64, 0.2
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got %+v, want %+v", p, want)
	}
}

func TestProfileSurvivesYAML(t *testing.T) {
	data, err := yaml.Marshal(MMC4())
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseProfile(data, "x")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(p, MMC4()) {
		t.Errorf("%s became %+v", data, p)
	}
}

func TestBadProfilesAreRefused(t *testing.T) {
	for text, say := range map[string]string{
		"":                                           "nothing",
		"dedup:\n  min_sid: 3\n":                     "min_sid",
		"dedup:\n  min_side: x\n":                    "x",
		"dedup:\n  min_side: -1\n":                   "min_side",
		"dedup:\n  hamming: 65\n":                    "hamming",
		"dedup:\n  extensions: []\n":                 "extensions",
		"dedup:\n  url_tokens: ['']\n":               "url_tokens",
		"dedup:\n  min_aspect: 3\n":                  "aspect",
		"dedup:\n  max_aspect: .nan\n":               "aspect",
		"dedup:\n  corpus_max: -2\n":                 "corpus_max",
		"match:\n  min_similarity: 15\n":             "min_similarity",
		"dedup: [1, 2\n":                             "",
		"candidates: all\n":                          "candidates",
		"dedup:\n  nsfw: .nan\n":                     "nsfw",
		"dedup:\n  min_side: 1\ndedup:\n  face: 1\n": "",
	} {
		_, err := ParseProfile([]byte(text), "p.yaml")
		if err == nil {
			t.Errorf("%q was taken", text)
		} else if !strings.Contains(err.Error(), say) || !strings.Contains(err.Error(), "p.yaml") {
			t.Errorf("%q: the message %q does not name %q", text, err, say)
		}
	}
	if _, err := LoadProfile(filepath.Join(t.TempDir(), "none.yaml")); err == nil || !strings.Contains(err.Error(), "none.yaml") {
		t.Errorf("a missing file: %v", err)
	}
}

func TestSet(t *testing.T) {
	p := MMC4()
	before := *p
	for key, value := range map[string]string{
		"dedup.min_side": "64", "dedup.hamming": "-1", "dedup.corpus_max": "3", "match.min_similarity": "0.25",
		"dedup.url_tokens": "[banner]",
	} {
		if err := p.Set(key, value); err != nil {
			t.Error(err)
		}
	}
	want := MMC4()
	want.Dedup.MinSide, want.Dedup.Hamming, want.Dedup.CorpusMax, want.Match.MinSimilarity = 64, -1, 3, 0.25
	want.Dedup.URLTokens = []string{"banner"}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got %+v, want %+v", p, want)
	}
	if before.Dedup.URLTokens[0] != "logo" {
		t.Error("a copy of the profile was changed")
	}
	for key, value := range map[string]string{
		"dedup.min_side": "-5", "dedup.nothing": "1", "min_side": "1", "dedup.face": "1\nmatch: 2", "dedup.x: 1\ny": "2",
	} {
		if err := p.Set(key, value); err == nil {
			t.Errorf("%s=%s was taken", key, value)
		}
	}
	if !reflect.DeepEqual(p, want) {
		t.Error("a refused setting changed the profile")
	}
}
