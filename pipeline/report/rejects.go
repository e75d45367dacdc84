package report

// Sampled rejects, rule by rule, with their pictures where the run still has the fetched bytes (RUN/work/fetch).

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mmc4/internal/storage"
	"mmc4/pipeline"
	"mmc4/schemas"
)

type rejectGroup struct {
	Rule, Of string
	Count    int64
	Pictures bool // shown as pictures
	Rows     []rejectView
}

type rejectView struct {
	preview
	URL, Document, Reason string
}

// pictured are the rules on pictures that were fetched and decoded.
var pictured = []string{schemas.RuleMinSide, schemas.RuleAspect, schemas.RuleDuplicateInDoc, schemas.RuleDuplicateInCorpus, schemas.RuleNSFW,
	schemas.RuleFace, schemas.RuleSimilarity}

// blurred rules are shown without pictures: nobody should meet by chance what these rules look for.
var blurred = []string{schemas.RuleNSFW, schemas.RuleFace}

func (g *gathering) rejects(ctx context.Context) ([]rejectGroup, error) {
	thumbs, err := g.thumbs(ctx)
	if err != nil {
		return nil, err
	}
	var out []rejectGroup
	for _, rule := range slices.Concat(schemas.ImageRules, schemas.DocumentRules) {
		s := g.rejected[rule]
		if s == nil {
			continue
		}
		group := rejectGroup{Rule: rule, Of: "images", Count: g.rejectCounts[rule], Pictures: slices.Contains(pictured, rule)}
		if g.manifest.OverPairs() {
			group.Of = "pairs"
		} else if slices.Contains(schemas.DocumentRules, rule) {
			group.Of = "documents"
		}
		for _, r := range s.values() {
			v := rejectView{Reason: reason(&r)}
			if r.URL != nil {
				v.Document = cut(*r.URL, 300)
			}
			if r.ImageURL != nil {
				v.URL = cut(*r.ImageURL, 300)
				v.preview = thumbs[*r.ImageURL]
			}
			if v.URI == "" && v.Why == "" {
				v.Why = "no bytes in the run"
			}
			if slices.Contains(blurred, rule) {
				v.preview = preview{Why: "not shown"}
			}
			group.Rows = append(group.Rows, v)
		}
		out = append(out, group)
	}
	return out, nil
}

// thumbs makes small pictures of the sampled rejects.
func (g *gathering) thumbs(ctx context.Context) (map[string]preview, error) {
	wanted := map[string]bool{}
	for _, rule := range pictured {
		if s := g.rejected[rule]; s != nil && !slices.Contains(blurred, rule) {
			for _, r := range s.values() {
				if r.ImageURL != nil {
					wanted[*r.ImageURL] = true
				}
			}
		}
	}
	thumbs := map[string]preview{}
	err := pipeline.FetchedBytes(ctx, g.run, g.settings.Partitions, wanted, func(url string, data []byte) error {
		thumbs[url] = g.preview(data, rejectSide)
		return ctx.Err()
	})
	if errors.Is(err, storage.ErrNoList) {
		err = nil // over HTTP the work folder cannot be looked through
	}
	return thumbs, err
}

// reason says what was measured, in the rule's own terms.
func reason(r *schemas.Reject) string {
	detail := ""
	if r.Detail != nil {
		detail = cut(*r.Detail, 300)
	}
	if r.Value == nil || r.Limit == nil {
		return detail
	}
	v, limit := *r.Value, *r.Limit
	switch r.Rule {
	case schemas.RuleMinSide:
		return fmt.Sprintf("%g px, at least %g", v, limit)
	case schemas.RuleAspect:
		if v < limit {
			return fmt.Sprintf("%.3g, at least %g", v, limit)
		}
		return fmt.Sprintf("%.3g, at most %g", v, limit)
	case schemas.RuleDuplicateInDoc:
		return fmt.Sprintf("%g bits from an earlier one (limit %g)", v, limit)
	case schemas.RuleDuplicateInCorpus:
		return fmt.Sprintf("%g times in the corpus (limit %g)", v, limit)
	case schemas.RuleSimilarity:
		return fmt.Sprintf("%.3f, at least %g", v, limit)
	}
	return fmt.Sprintf("%.3g, at most %g", v, limit)
}
