package demo

// A finished run against the truth: are pictures at sentences that show them, and was the rest left out by the right rule?

import (
	"slices"
	"strings"
	"time"

	"mmc4/match"
	"mmc4/schemas"
)

// Score says how well pictures were matched within their documents, beside what arg-max and chance reach on the same
// pictures. The three rates are means over documents of the share of pictures at a sentence that shows them (p@1).
type Score struct {
	Documents int `json:"documents"` // with at least one picture that the text shows
	Images    int `json:"images"`    // pictures that the text shows, and that the run kept
	Missing   int `json:"missing"`   // pictures that the text shows, and that the run left out

	P1     float64 `json:"p1"`      // by the run's assignment
	ArgMax float64 `json:"arg_max"` // by the largest similarity of each picture
	Chance float64 `json:"chance"`  // expected of a sentence drawn by lot

	ImagesP1 float64 `json:"images_p1"` // share of all pictures, not by document
	Strays   int     `json:"strays"`    // kept pictures that no sentence shows
}

// Accuracy compares the documents of a run with the truth. Documents and pictures that the truth does not know are ignored.
func Accuracy(docs []schemas.Document, t *Truth) Score {
	known := map[string]*DocumentTruth{}
	for i := range t.Documents {
		d := &t.Documents[i]
		known[d.URL+" "+d.Timestamp] = d
	}
	var s Score
	hits := 0
	seen := map[string]bool{}
	for i := range docs {
		key := docs[i].URL + " " + docs[i].Timestamp.UTC().Format(time.RFC3339)
		d := known[key]
		if d == nil || seen[key] {
			continue
		}
		seen[key] = true
		one := scoreDocument(&docs[i], d)
		s.Strays += one.Strays
		if one.Images == 0 {
			continue
		}
		n := float64(one.Images)
		s.Documents++
		s.Images += one.Images
		s.P1 += one.P1 / n
		s.ArgMax += one.ArgMax / n
		s.Chance += one.Chance / n
		hits += int(one.P1)
	}
	for i := range t.Documents {
		for _, pic := range t.Documents[i].Images {
			if pic.Rule == "" && len(pic.Shows) > 0 && t.Documents[i].Match != "none" {
				s.Missing++
			}
		}
	}
	s.Missing -= s.Images
	if s.Documents > 0 {
		n := float64(s.Documents)
		s.P1, s.ArgMax, s.Chance, s.ImagesP1 = s.P1/n, s.ArgMax/n, s.Chance/n, float64(hits)/float64(s.Images)
	}
	return s
}

// scoreDocument counts one document; its rates are sums.
func scoreDocument(doc *schemas.Document, d *DocumentTruth) Score {
	var s Score
	for row, image := range doc.ImageInfo {
		at := slices.IndexFunc(d.Images, func(t ImageTruth) bool { return t.URL == image.RawURL })
		if at < 0 {
			continue
		}
		shows := d.Images[at].Shows
		if len(shows) == 0 {
			s.Strays++
			continue
		}
		right := func(sentence int) bool {
			return slices.ContainsFunc(shows, func(k int) bool { return strings.Contains(doc.TextList[sentence], d.Sentences[k]) })
		}
		s.Images++
		if right(int(image.MatchedTextIndex)) {
			s.P1++
		}
		if best, _ := match.Best(doc.SimilarityMatrix[row]); best >= 0 && right(best) {
			s.ArgMax++
		}
		good := 0
		for k := range doc.TextList {
			if right(k) {
				good++
			}
		}
		s.Chance += float64(good) / float64(len(doc.TextList))
	}
	return s
}

// RuleCount says how one planted rule came out.
type RuleCount struct {
	Rule    string `json:"rule"`
	Planted int    `json:"planted"` // pictures that the truth says this rule leaves out
	Right   int    `json:"right"`   // of those, how many it did, with the same detail
}

// Rules compares the rejects of a run with what was planted; rules in the pipeline's order.
func Rules(rejects []schemas.Reject, t *Truth) []RuleCount {
	type place struct{ url, image, rule, detail string }
	got := map[place]int{}
	for _, r := range rejects {
		if r.URL == nil {
			continue
		}
		p := place{url: *r.URL, rule: r.Rule}
		if r.ImageURL != nil && r.Rule != schemas.RuleBadCandidate { // those have no URL
			p.image = *r.ImageURL
		}
		if r.Detail != nil && (r.Rule == schemas.RuleFetch || r.Rule == schemas.RuleBadCandidate) {
			p.detail = *r.Detail
		}
		got[p]++
	}
	counts := map[string]*RuleCount{}
	for _, d := range t.Documents {
		for _, pic := range d.Images {
			if pic.Rule == "" || pic.Attr != "img@src" {
				continue
			}
			if counts[pic.Rule] == nil {
				counts[pic.Rule] = &RuleCount{Rule: pic.Rule}
			}
			counts[pic.Rule].Planted++
			p := place{d.URL, pic.URL, pic.Rule, pic.Detail}
			if pic.Rule == schemas.RuleBadCandidate {
				p.image = ""
			}
			if got[p] > 0 {
				got[p]--
				counts[pic.Rule].Right++
			}
		}
	}
	var out []RuleCount
	for _, rule := range schemas.ImageRules {
		if c := counts[rule]; c != nil {
			out = append(out, *c)
		}
	}
	return out
}
