package dedup

// This file is the table of rules. It reads a profile and writes what explain, report and docs print.

import (
	"fmt"
	"strings"
)

// Rule is a line of the table of rules.
type Rule struct {
	Name    string // as in rejects.rule
	Subject string // what it leaves out: candidate, image or document
	Limit   string // in words, with the profile's numbers
	Needs   string // the flag without which it is off, or ""
}

// Rules lists the rules in the order in which they are applied: to candidates, then to what was fetched, then, with the
// whole corpus or the features known, to what is left; at last to documents.
func (p *Profile) Rules() []Rule {
	d := &p.Dedup
	return []Rule{
		{BadCandidate, "candidate", "a URL of http or https", ""},
		{Extension, "image", "the path ends in ." + strings.Join(d.Extensions, ", ."), ""},
		{URLToken, "image", "the URL holds none of " + strings.Join(d.URLTokens, ", "), ""},
		{Fetch, "image", "the outcome is ok", ""},
		{MinSide, "image", fmt.Sprintf("both sides at least %d pixels", d.MinSide), ""},
		{Aspect, "image", fmt.Sprintf("width / height within %g..%g", d.MinAspect, d.MaxAspect), ""},
		{DuplicateInDocument, "image", fmt.Sprintf("more than %d bits from every earlier kept image of the page", d.Hamming), ""},
		{DuplicateInCorpus, "image", fmt.Sprintf("at most %d (document, image) pairs with its hash", d.CorpusMax), ""},
		{NSFW, "image", fmt.Sprintf("score at most %g", d.NSFW), "--nsfw"},
		{Face, "image", fmt.Sprintf("score at most %g", d.Face), "--faces"},
		{Similarity, "image", fmt.Sprintf("cosine at least %g with some sentence", p.Match.MinSimilarity), ""},
		{BadRecord, "document", "a well-formed record with at least one sentence", ""},
		{NoPage, "document", "a capture of its URL in the crawl", ""},
		{NoImage, "document", "at least one image that passed", ""},
	}
}
