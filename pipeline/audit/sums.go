package audit

// The sums: what was counted here against what the manifest says.

import (
	"maps"
	"slices"
	"strings"

	"mmc4/pipeline"
	"mmc4/schemas"
)

// tally counts rows.
type tally struct {
	documents, images, sentences, rejects, imageRows int64
	rules, outcomes                                  map[string]int64
}

func newTally() *tally { return &tally{rules: map[string]int64{}, outcomes: map[string]int64{}} }

func (t *tally) document(d *schemas.Document) {
	t.documents++
	t.images += int64(len(d.ImageInfo))
	t.sentences += int64(len(d.TextList))
}

func (t *tally) reject(r *schemas.Reject) {
	t.rejects++
	t.rules[r.Rule]++
}

func (t *tally) add(o *tally) {
	t.documents += o.documents
	t.images += o.images
	t.sentences += o.sentences
	t.rejects += o.rejects
	t.imageRows += o.imageRows
	for k, n := range o.rules {
		t.rules[k] += n
	}
	for k, n := range o.outcomes {
		t.outcomes[k] += n
	}
}

// sums closes the books: rows of files, counts of the manifest, and that what came in is what is there.
func (c *checker) sums() {
	for _, out := range c.manifest.Outputs {
		if rows, read := c.rows[out.Name]; read && rows != out.Rows {
			c.found.file(out.Name, "it has %d rows, the manifest says %d", rows, out.Rows)
		}
	}
	t, counts := c.tally, c.manifest.Counts
	same := func(name string, got int64) {
		if counts[name] != got {
			c.found.file(pipeline.ManifestName, "counts[%q] is %d, the files have %d", name, counts[name], got)
		}
	}
	same("documents.kept", t.documents)
	same("images.kept", t.images)
	same("sentences.kept", t.sentences)
	var images int64
	for _, rule := range append(slices.Clone(schemas.DocumentRules), schemas.ImageRules...) {
		same("rejects."+rule, t.rules[rule])
		if slices.Contains(schemas.ImageRules, rule) {
			images += t.rules[rule]
		}
	}
	for _, outcome := range c.outcomes() {
		same("images."+outcome, t.outcomes[outcome])
	}
	documents := t.documents + t.rules[schemas.RuleBadRecord] - counts["pages.bad"] + t.rules[schemas.RuleNoPage] + t.rules[schemas.RuleNoImage]
	if counts["documents.lines"] != documents {
		c.found.file(pipeline.ManifestName, "%d documents came in, but %d are in docs or rejected", counts["documents.lines"], documents)
	}
	if came := counts["candidates.found"] - counts["candidates.repeated"]; came != t.images+images {
		c.found.file(pipeline.ManifestName, "%d candidates came in, but %d are kept or rejected", came, t.images+images)
	}
	c.funnel()
}

// outcomes are those that the tables or the counts of the manifest have, in order.
func (c *checker) outcomes() []string {
	all := maps.Clone(c.tally.outcomes)
	for name := range c.manifest.Counts {
		if outcome, ok := strings.CutPrefix(name, "images."); ok && knownOutcome(outcome) {
			all[outcome] += 0
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// funnel recomputes the manifest's funnel from the rejects.
func (c *checker) funnel() {
	counts := c.manifest.Counts
	reached := map[string]int64{"documents": counts["documents.lines"], "images": counts["candidates.found"] - counts["candidates.repeated"]}
	for _, step := range c.manifest.Funnel {
		left := c.tally.rules[step.Rule]
		if step.Rule == schemas.RuleBadRecord {
			left -= counts["pages.bad"]
		}
		if step.Reached != reached[step.Of] || step.Left != left {
			c.found.file(pipeline.ManifestName, "funnel, %s: %d reached it and %d were left out; the files say %d and %d", step.Rule, step.Reached, step.Left, reached[step.Of], left)
		}
		reached[step.Of] -= left
	}
}
