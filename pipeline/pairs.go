package pipeline

// Pairs: a run over lists of image URLs and captions, instead of documents and a crawl. It reads the lists
// (pairs_list.go), fetches and inspects as every run does, scores pictures against captions where there is a model
// (pairs_score.go), and packs pair shards (pairs_pack.go). This file: what is chosen, the phases, the keys, the funnel.

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"mmc4/dedup"
	"mmc4/schemas"
)

// PairSettings are the keys pairs.* of a configuration.
type PairSettings struct {
	URL       string  `yaml:"url" json:"url,omitempty"`               // the column with the image URL; "" = found by its name
	Caption   string  `yaml:"caption" json:"caption,omitempty"`       // the column with the caption
	MinSide   int     `yaml:"min_side" json:"min_side,omitempty"`     // rule min_side, in pixels; 0 = off
	MaxAspect float64 `yaml:"max_aspect" json:"max_aspect,omitempty"` // rule aspect: the longer side over the shorter; 0 = off
	Form      string  `yaml:"form" json:"form,omitempty"`             // where bytes are put: both ("" too), parquet or webdataset
	Score     bool    `yaml:"score" json:"score,omitempty"`           // score with CLIP. --clip says so; needed where a stage runs without it
}

// off lists the rules that do not run.
func (s *PairSettings) off() []string {
	out := []string{}
	if s.MinSide == 0 {
		out = append(out, schemas.RuleMinSide+": no limit was given (pairs.min_side)")
	}
	if s.MaxAspect == 0 {
		out = append(out, schemas.RuleAspect+": no limit was given (pairs.max_aspect)")
	}
	if !s.Score {
		out = append(out, schemas.RuleSimilarity+": no CLIP model was given (--clip)")
	}
	return out
}

// PairLimits are the limits of the rules on pairs.
func (s *Settings) PairLimits() *dedup.Profile {
	p := s.limits()
	p.Dedup.MinSide, p.Dedup.MinAspect, p.Dedup.MaxAspect = s.Pairs.MinSide, 0, math.MaxFloat64
	if most := s.Pairs.MaxAspect; most > 0 {
		p.Dedup.MinAspect, p.Dedup.MaxAspect = 1/most, most
	}
	return p
}

// phases are those of the build.
func (c *Config) phases() []*phase {
	switch {
	case len(c.Pairs) == 0:
		if len(c.Index) > 0 {
			return phases(byIndex)
		}
		return phases(byWAT)
	case c.Settings.Pairs.Score:
		return []*phase{locatePairs, fetchImages, inspectImages, embedPairs, matchPairs, packPairs}
	}
	return []*phase{locatePairs, fetchImages, inspectImages, packPairs}
}

// checkPairs refuses what a run over lists has no use for.
func (c *Config) checkPairs() error {
	for _, other := range []struct {
		flag  string
		given bool
	}{{"--c4", len(c.C4) > 0}, {"--wat", len(c.WAT) > 0}, {"--index", len(c.Index) > 0}} {
		if other.given {
			return usage("--pairs and %s exclude each other: --pairs makes image-caption pairs of a list, --c4 makes documents with images", other.flag)
		}
	}
	if c.NSFW != "" || c.Faces != "" {
		return usage("--nsfw and --faces are rules on documents' images; --pairs does not take them")
	}
	if m := c.Settings.Pairs.MaxAspect; m > 0 && m < 1 {
		return usage("pairs.max_aspect is %v; it is the longer side over the shorter, so 1 or more (0: no limit)", m)
	}
	if s := c.Stage; (s == "embed" || s == "match") && !c.Settings.Pairs.Score || s == "count" {
		return usage("--stage %s: a run over --pairs has no such stage%s", s, map[bool]string{true: " without --clip"}[s != "count"])
	}
	if c.Settings.Pairs.Score && c.Embedder == nil && (c.Stage == "" || c.Stage == "embed") {
		return usage("pairs.score needs a CLIP model: give --clip demo or --clip DIR")
	}
	return nil
}

// listBytes of the lists make a part, where --parts is not given: about ten thousand rows.
const listBytes = 2 << 20

// partsOfLists is the number of parts for lists of these sizes.
func partsOfLists(lists []Input) int {
	var size int64
	for _, in := range lists {
		size += max(0, in.Size)
	}
	return min(max(len(lists), int((size+listBytes-1)/listBytes)), 100_000)
}

// pairRef is a row of a list. As a key it sorts by list, then row.
type pairRef struct {
	List uint32 // number among the lists
	Row  uint64
}

const pairKeyLen = 12

func (p pairRef) key(to []byte) []byte { return keyU64(keyU32(to, p.List), p.Row) }

func parsePairRef(key []byte) (p pairRef, err error) {
	if len(key) != pairKeyLen {
		return p, fmt.Errorf("%w: a pair's key has another form", errDamagedShard)
	}
	return pairRef{binary.BigEndian.Uint32(key), binary.BigEndian.Uint64(key[4:])}, nil
}

// listName is the name of a pair's list, without its folder.
func (r *run) listName(p pairRef) string { return shortName(r.plan.inputsOf("pairs")[p.List].Location) }

// rejectPair emits what a rule answered for a pair. caption may be "" where there is none.
func (t *task) rejectPair(ref pairRef, url, caption string, why *dedup.Rejection) error {
	t.count("rejects."+why.Rule, 1)
	row := schemas.Reject{Stage: t.phase.stage, Rule: why.Rule, ImageURL: some(url), Value: why.Value, Limit: why.Limit, Detail: some(why.Detail)}
	partOf := url
	if url == "" {
		partOf = fmt.Sprint(t.phase.name, ref.List, ref.Row)
	} else {
		row.DocID = some(schemas.PairID(url, caption, ref.List, int64(ref.Row)))
	}
	var e enc
	encodeReject(&e, &row)
	return t.emit("rejects", t.plan.Parts, t.part(partOf), ref.key(nil), e.b)
}

// usedPair applies outcome and size rules to a pair whose image was fetched; doInspect calls it.
func (t *task) usedPair(key, value []byte, p pair, outcome string) error {
	ref, err := parsePairRef(key)
	if err != nil {
		return err
	}
	v := dec{b: value}
	caption := v.str()
	if err := v.end(); err != nil {
		return err
	}
	limits := t.cfg.Settings.PairLimits()
	rejection := limits.Fetched(outcome)
	if rejection == nil {
		rejection = limits.Size(int(p.Width), int(p.Height))
	}
	if rejection != nil {
		return t.rejectPair(ref, p.URL, caption, rejection)
	}
	p.Alt = &caption
	var e enc
	p.encode(&e)
	return t.emit("pairs", t.plan.Parts, t.part(p.URL), key, e.b)
}

// PairRules lists the rules on pairs in the order in which they are applied.
var PairRules = []string{schemas.RuleBadRecord, schemas.RuleBadCandidate, schemas.RuleFetch, schemas.RuleMinSide, schemas.RuleAspect, schemas.RuleSimilarity}

// pairsFunnel puts the counts of rejects in the order of the rules.
func pairsFunnel(counts map[string]int64) []FunnelStep {
	var out []FunnelStep
	pairs := counts["pairs.rows"]
	for _, rule := range PairRules {
		left := counts["rejects."+rule]
		out = append(out, FunnelStep{rule, "images", pairs, left})
		pairs -= left
	}
	return out
}

// OverPairs tells whether the run was made from lists of pairs.
func (m *Manifest) OverPairs() bool {
	for _, in := range m.Inputs {
		if in.Kind != "pairs" {
			return false
		}
	}
	return len(m.Inputs) > 0
}

// WebDatasetName is the name of a part as a tar.
func WebDatasetName(part int) string { return fmt.Sprintf("webdataset/part-%05d.tar", part) }

// PairsInBytes tells whether pictures stand in the Parquet parts, PairsInTars whether there are tars.
func (s *Settings) PairsInBytes() bool {
	return s.Images == "bytes" && (s.Pairs.Form == "" || s.Pairs.Form == "both" || s.Pairs.Form == "parquet")
}

func (s *Settings) PairsInTars() bool {
	return s.Images != "none" && !strings.EqualFold(s.Pairs.Form, "parquet")
}
