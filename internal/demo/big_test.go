package demo

import (
	"os"
	"strings"
	"testing"

	"mmc4/match"
)

// TestBig writes a web of the demo's own size for a person to look at, where DEMO_WEB names a folder.
func TestBig(t *testing.T) {
	dir := os.Getenv("DEMO_WEB")
	if dir == "" {
		t.Skip("DEMO_WEB names no folder")
	}
	if _, err := Write(dir, Options{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(20) {
		w := newWeb(seed+100, 300)
		for _, p := range w.pages {
			got := match.Sentences(strings.Join(p.paragraphs(), "\n"))
			if strings.Join(got, "\n") != strings.Join(p.text, "\n") {
				t.Errorf("%d %s", seed, p.url)
			}
		}
	}
}
