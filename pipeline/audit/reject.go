package audit

// One row of rejects, looked at by itself: a known rule, and a value that its limit really forbids.

import (
	"slices"
	"strings"

	"mmc4/schemas"
)

// candidateFaults are the details of bad_candidate.
var candidateFaults = []string{"empty", "data", "invalid", "scheme"}

// Outcomes are the contract's words for what becomes of an image URL, beside http_NNN.
var outcomes = []string{"ok", "opt_out", "robots", "timeout", "too_large", "too_many_pixels", "not_image", "decode_error", "truncated", "empty",
	"redirect_loop", "redirect_refused", "protocol_error", "reset", "tls", "dns", "connect"}

func knownOutcome(s string) bool {
	if code, ok := strings.CutPrefix(s, "http_"); ok {
		return len(code) == 3 && strings.Trim(code, "0123456789") == ""
	}
	return slices.Contains(outcomes, s)
}

// reject checks a row of rejects and counts it.
func (p *partChecker) reject(row Row[schemas.Reject]) {
	r := row.Value
	p.tally.reject(r)
	wrong := func(format string, args ...any) { p.found.row(p.rejectsName, row.Number, format, args...) }
	if !slices.Contains(schemas.ImageRules, r.Rule) && !slices.Contains(schemas.DocumentRules, r.Rule) {
		wrong("rule %q is not known", r.Rule)
		return
	}
	if (r.Value == nil) != (r.Limit == nil) {
		wrong("rule %s has only one of value and limit", r.Rule)
		return
	}
	p.held(r, wrong)
}

// held applies the rule to the value again.
func (p *partChecker) held(r *schemas.Reject, wrong func(string, ...any)) {
	detail := ""
	if r.Detail != nil {
		detail = *r.Detail
	}
	d := &p.limits.Dedup
	switch r.Rule {
	case schemas.RuleBadCandidate:
		if !slices.Contains(candidateFaults, detail) {
			wrong("bad_candidate has the detail %q, which is none of %s", detail, strings.Join(candidateFaults, ", "))
		}
	case schemas.RuleExtension, schemas.RuleURLToken:
		if r.ImageURL == nil {
			return
		}
		if again := p.limits.URL(*r.ImageURL); again == nil || again.Rule != r.Rule {
			wrong("rule %s does not reject %s", r.Rule, *r.ImageURL)
		}
	case schemas.RuleFetch:
		if !knownOutcome(detail) || detail == schemas.OutcomeOK {
			wrong("fetch has the detail %q, which is no outcome that fails", detail)
		}
	case schemas.RuleMinSide:
		p.measured(r, float64(d.MinSide), func(v, limit float64) bool { return v < limit }, wrong)
	case schemas.RuleAspect:
		limit := d.MinAspect
		if r.Value != nil && *r.Value > d.MaxAspect {
			limit = d.MaxAspect
		}
		p.measured(r, limit, func(v, limit float64) bool { return v < d.MinAspect || v > d.MaxAspect }, wrong)
	case schemas.RuleDuplicateInDoc:
		p.measured(r, float64(d.Hamming), func(v, limit float64) bool { return v >= 0 && v <= limit }, wrong)
	case schemas.RuleDuplicateInCorpus:
		p.measured(r, float64(d.CorpusMax), func(v, limit float64) bool { return v > limit }, wrong)
	case schemas.RuleNSFW:
		p.measured(r, d.NSFW, func(v, limit float64) bool { return v > limit }, wrong)
	case schemas.RuleFace:
		p.measured(r, d.Face, func(v, limit float64) bool { return v > limit }, wrong)
	case schemas.RuleSimilarity:
		p.measured(r, p.limits.Match.MinSimilarity, func(v, limit float64) bool { return v < limit }, wrong)
	}
}

func (p *partChecker) measured(r *schemas.Reject, limit float64, violates func(v, limit float64) bool, wrong func(string, ...any)) {
	switch {
	case r.Value == nil:
		wrong("rule %s has no value", r.Rule)
	case *r.Limit != limit:
		wrong("rule %s has the limit %g, the run's config says %g", r.Rule, *r.Limit, limit)
	case !violates(*r.Value, limit):
		wrong("rule %s: %g does not violate the limit %g", r.Rule, *r.Value, limit)
	}
}

// nameless checks a reject that names no document: a record that could not be read.
func (p *partChecker) nameless(row Row[schemas.Reject]) {
	if r := row.Value; r.Rule != schemas.RuleBadRecord || r.DocID != nil || r.ImageURL != nil {
		p.found.row(p.rejectsName, row.Number, "rule %s names no document's url", r.Rule)
	}
	if p.begun {
		p.found.row(p.rejectsName, row.Number, "rows without a url come first")
	}
}
