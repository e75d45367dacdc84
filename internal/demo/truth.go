package demo

// The truth of a web, told from its plan.

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

func (w *web) truth() *Truth {
	t := &Truth{}
	for _, p := range w.pages {
		d := DocumentTruth{URL: p.c4URL, Timestamp: zulu(p.c4Time), Match: p.match, Sentences: p.text}
		if p.match != "none" {
			for _, pic := range p.pictures {
				if pic.rule == repeated {
					continue
				}
				d.Images = append(d.Images, pic.truth())
				if pic.lazy != "" {
					d.Images = append(d.Images, ImageTruth{URL: pic.lazy, Attr: "img@data-src", Rule: "similarity"})
				}
				if pic.double != "" {
					d.Images = append(d.Images, ImageTruth{URL: pic.double, Attr: "img@srcset", Rule: "duplicate_in_document"})
				}
			}
		}
		t.Documents = append(t.Documents, d)
		if p.twice {
			d.Timestamp = zulu(p.c4Time.Add(26 * 60 * 60 * 1e9))
			t.Documents = append(t.Documents, d)
		}
	}
	return t
}

func (pic *picture) truth() ImageTruth {
	i := ImageTruth{URL: pic.url, Attr: pic.attr, Shows: pic.shows, Rule: pic.rule, Detail: pic.detail}
	if pic.drawing != nil {
		i.Kind = pic.drawing.Kind
		i.Caption = pic.drawing.Phrase(newRandom(0, pic.url))
	}
	return i
}

// ReadTruth reads what Write stored.
func ReadTruth(dir string) (*Truth, error) {
	data, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		return nil, fmt.Errorf("reading the drawn web's truth: %w; write the web first", err)
	}
	t := &Truth{}
	if err := json.Unmarshal(data, t); err != nil {
		return nil, fmt.Errorf("reading the drawn web's truth in %s: %w", dir, err)
	}
	return t, nil
}
