package dedup

// This file is the rules: what each measures and against which limit. It reads values and writes Rejections.

import (
	"strconv"
	"strings"
)

// The names of the rules, as they stand in rejects.rule.
const (
	BadCandidate        = "bad_candidate"
	Extension           = "extension"
	URLToken            = "url_token"
	Fetch               = "fetch"
	MinSide             = "min_side"
	Aspect              = "aspect"
	DuplicateInDocument = "duplicate_in_document"
	DuplicateInCorpus   = "duplicate_in_corpus"
	NSFW                = "nsfw"
	Face                = "face"
	Similarity          = "similarity"
	BadRecord           = "bad_record"
	NoPage              = "no_page"
	NoImage             = "no_image"
)

// Rejection is what a rule answers when it leaves something out. Value and Limit are nil where the rule has no number.
type Rejection struct {
	Rule   string
	Value  *float64
	Limit  *float64
	Detail string
}

// Candidate answers for a candidate that has no http(s) URL; why is empty, data, invalid or scheme, and "" passes.
func (p *Profile) Candidate(why string) *Rejection {
	if why == "" {
		return nil
	}
	return &Rejection{Rule: BadCandidate, Detail: why}
}

// URL applies extension, then url_token, to an absolute URL. The extension is that of the path's last segment,
// percent-escapes decoded and case ignored; a token is looked for in the whole URL as it is written, and case counts.
// The detail is the extension or the token that was found.
func (p *Profile) URL(url string) *Rejection {
	if ext := extensionOf(url); !p.allows(ext) {
		return &Rejection{Rule: Extension, Detail: ext}
	}
	for _, token := range p.Dedup.URLTokens {
		if strings.Contains(url, token) {
			return &Rejection{Rule: URLToken, Detail: token}
		}
	}
	return nil
}

// Fetched answers for the outcome of a fetch; "ok" passes.
func (p *Profile) Fetched(outcome string) *Rejection {
	if outcome == "ok" {
		return nil
	}
	return &Rejection{Rule: Fetch, Detail: outcome}
}

// Size applies min_side, then aspect, to the fetched picture's size in pixels.
func (p *Profile) Size(width, height int) *Rejection {
	if side := min(width, height); side < p.Dedup.MinSide {
		return measured(MinSide, float64(side), float64(p.Dedup.MinSide))
	}
	switch aspect := float64(width) / float64(height); {
	case aspect < p.Dedup.MinAspect:
		return measured(Aspect, aspect, p.Dedup.MinAspect)
	case aspect > p.Dedup.MaxAspect:
		return measured(Aspect, aspect, p.Dedup.MaxAspect)
	}
	return nil
}

// InCorpus answers for the number of (document, image) pairs that carry the picture's hash.
func (p *Profile) InCorpus(pairs int64) *Rejection {
	if pairs <= int64(p.Dedup.CorpusMax) {
		return nil
	}
	return measured(DuplicateInCorpus, float64(pairs), float64(p.Dedup.CorpusMax))
}

// NSFWScore answers for the score of an NSFW head.
func (p *Profile) NSFWScore(score float32) *Rejection { return atMost(NSFW, score, p.Dedup.NSFW) }

// FaceScore answers for the score of a face probe.
func (p *Profile) FaceScore(score float32) *Rejection { return atMost(Face, score, p.Dedup.Face) }

// Similar answers for an image's largest similarity over the sentences of its document.
func (p *Profile) Similar(best float32) *Rejection {
	if float64(best) >= p.Match.MinSimilarity {
		return nil
	}
	return measured(Similarity, float64(best), p.Match.MinSimilarity)
}

func atMost(rule string, score float32, limit float64) *Rejection {
	if float64(score) <= limit {
		return nil
	}
	return measured(rule, float64(score), limit)
}

func measured(rule string, value, limit float64) *Rejection {
	return &Rejection{Rule: rule, Value: &value, Limit: &limit}
}

func (p *Profile) allows(ext string) bool {
	for _, allowed := range p.Dedup.Extensions {
		if strings.EqualFold(ext, allowed) {
			return true
		}
	}
	return false
}

// extensionOf is what follows the last full stop of the path's last segment, percent-escapes decoded; "" where there is
// none. Neither the host nor a query counts.
func extensionOf(url string) string {
	if i := strings.IndexAny(url, "?#"); i >= 0 {
		url = url[:i]
	}
	_, rest, found := strings.Cut(url, "://")
	if !found {
		rest = url
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		return "" // a host and no path
	}
	path := unescape(rest[slash:])
	name := path[strings.LastIndexByte(path, '/')+1:]
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return ""
	}
	return name[dot+1:]
}

// unescape decodes %XX; what is not an escape stays as it is.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
