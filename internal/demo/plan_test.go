package demo

import (
	"strings"
	"testing"

	"mmc4/match"
)

// TestPlans checks webs of the demo's own size without drawing them.
func TestPlans(t *testing.T) {
	for seed := range uint64(2) {
		w := newWeb(seed, DefaultPages)
		urls := map[string]bool{}
		planted := map[string]int{}
		for _, p := range w.pages {
			if urls[p.url] {
				t.Errorf("seed %d: two pages are %s", seed, p.url)
			}
			urls[p.url] = true
			if got := match.Sentences(strings.Join(p.paragraphs(), "\n")); strings.Join(got, "\n") != strings.Join(p.text, "\n") {
				t.Errorf("seed %d: %s is not split into the sentences that it was made of", seed, p.url)
			}
			for _, pic := range p.pictures {
				planted[pic.rule]++
				if pic.source == halfCopy && min(pic.width, pic.height) < 150 {
					t.Errorf("seed %d: the half-size copy %s is too small to be a duplicate", seed, pic.url)
				}
			}
		}
		for _, rule := range []string{"bad_candidate", "extension", "url_token", "fetch", "min_side", "aspect", "duplicate_in_document", "duplicate_in_corpus", "similarity"} {
			if planted[rule] < 10 {
				t.Errorf("seed %d: %d pictures are planted for %s", seed, planted[rule], rule)
			}
		}
		if planted[""] < 600 {
			t.Errorf("seed %d: %d pictures are to be kept", seed, planted[""])
		}
	}
}
