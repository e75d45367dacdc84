package audit

// Explain: where the documents and images of a run went, why, and what can be done about it. It reads the manifest and the
// rejects; memory does not grow with the run.

import (
	"context"
	"math"
	"slices"
	"strings"

	"mmc4/internal/storage"
	"mmc4/pipeline"
	"mmc4/schemas"
)

// Explanation is what Explain found.
type Explanation struct {
	Run       string    `json:"run"`
	Documents Funnel    `json:"documents"`
	Images    Funnel    `json:"images"`               // (document, image) pairs; of a run over lists, its pairs
	OverPairs bool      `json:"over_pairs,omitempty"` // a run over lists: there are no documents
	Causes    []Cause   `json:"causes"`               // of lost images and documents, the largest loss first
	Hosts     []Host    `json:"hosts"`                // that lost most images
	Off       []string  `json:"off"`                  // rules that did not run
	Problems  []string  `json:"problems"`
	Repeated  int64     `json:"repeated"` // candidates that repeat a URL of their page
	Change    string    `json:"change"`   // how a limit is changed without fetching again
	ImageURLs []Outcome `json:"image_urls"`
}

// Funnel is what each rule left out, in the order of application.
type Funnel struct {
	In    int64  `json:"in"`
	Kept  int64  `json:"kept"`
	Steps []Step `json:"steps"`
}

// Step is one rule. Shares are of everything that came in.
type Step struct {
	Rule    string  `json:"rule"`
	Reached int64   `json:"reached"`
	Left    int64   `json:"left_out"`
	Share   float64 `json:"share"`
	Off     bool    `json:"off,omitempty"`
}

// Cause is why images or documents were lost: a rule, and for rule fetch an outcome.
type Cause struct {
	Of       string    `json:"of"` // images or documents
	Rule     string    `json:"rule"`
	Detail   string    `json:"detail,omitempty"` // the outcome of fetch, the fault of bad_candidate
	Count    int64     `json:"count"`
	OfLost   float64   `json:"of_lost"` // share of what was lost
	OfAll    float64   `json:"of_all"`  // share of what came in
	Hosts    []Host    `json:"hosts"`   // up to three
	Examples []Example `json:"examples"`
	Advice   string    `json:"advice"`
	Set      string    `json:"set,omitempty"`        // a --set that would let more through
	Passing  int64     `json:"would_pass,omitempty"` // how many of these then pass this rule
}

// Host is a host and how much was lost there; Most is its commonest cause.
type Host struct {
	Host  string `json:"host"`
	Count int64  `json:"count"`
	Most  string `json:"most,omitempty"`
}

// Example is one reject.
type Example struct {
	URL      string   `json:"url,omitempty"` // of the document
	ImageURL string   `json:"image_url,omitempty"`
	Value    *float64 `json:"value,omitempty"`
	Limit    *float64 `json:"limit,omitempty"`
	Detail   string   `json:"detail,omitempty"`
}

// Outcome is how many distinct image URLs came to an outcome.
type Outcome struct {
	Outcome string `json:"outcome"`
	Count   int64  `json:"count"`
}

// Explain reads a run whose tables are complete; m is its manifest.
func Explain(ctx context.Context, run storage.Store, m *pipeline.Manifest) (*Explanation, error) {
	settings, err := m.Settings()
	if err != nil {
		return nil, err
	}
	s := &scan{limits: settings, causes: map[causeKey]*gathered{}, hosts: NewCounter(), overPairs: m.OverPairs()}
	for part := range Parts(m) {
		for row, err := range Rows[schemas.Reject](ctx, run, pipeline.PartName(rejectsTable, part)) {
			if err != nil {
				return nil, err
			}
			s.add(row.Value)
		}
	}
	e := &Explanation{Run: run.Location(""), OverPairs: m.OverPairs(), Off: m.Off, Repeated: m.Counts["candidates.repeated"], Problems: []string{}, ImageURLs: []Outcome{}}
	for _, p := range m.Problems {
		e.Problems = append(e.Problems, p.Input+": "+p.Error)
	}
	e.funnels(m)
	e.Causes = s.explained(e)
	e.Hosts = s.topHosts(10)
	e.Change = changeWords(run.Location(""))
	for _, name := range append([]string{schemas.OutcomeOK}, s.outcomes()...) {
		if n := m.Counts["images."+name]; n > 0 {
			e.ImageURLs = append(e.ImageURLs, Outcome{name, n})
		}
	}
	return e, nil
}

func (e *Explanation) funnels(m *pipeline.Manifest) {
	off := map[string]bool{}
	for _, text := range m.Off {
		rule, _, _ := strings.Cut(text, ":")
		off[rule] = true
	}
	for _, step := range m.Funnel {
		f := &e.Images
		if step.Of == "documents" {
			f = &e.Documents
		}
		if len(f.Steps) == 0 {
			f.In = step.Reached
		}
		f.Kept = step.Reached - step.Left
		f.Steps = append(f.Steps, Step{step.Rule, step.Reached, step.Left, share(step.Left, f.In), off[step.Rule]})
	}
}

func share(part, all int64) float64 {
	if all == 0 {
		return 0
	}
	return float64(part) / float64(all)
}

type causeKey struct{ of, rule, detail string }

// gathered is what is kept of one cause along the way.
type gathered struct {
	count, passing int64
	hosts          *Counter
	examples       []Example
	exampleHosts   []string
}

type scan struct {
	limits pipeline.Settings
	causes map[causeKey]*gathered
	hosts  *Counter // host and cause
	// overPairs: rows that were no pairs are lost images, not documents.
	overPairs bool
}

const examplesOfCause = 3

func (s *scan) add(r *schemas.Reject) {
	key := causeKey{of: "images", rule: r.Rule}
	url := r.ImageURL
	if slices.Contains(schemas.DocumentRules, r.Rule) && !s.overPairs {
		key.of, url = "documents", r.URL
	} else if (r.Rule == schemas.RuleFetch || r.Rule == schemas.RuleBadCandidate) && r.Detail != nil {
		key.detail = *r.Detail
	}
	g := s.causes[key]
	if g == nil {
		g = &gathered{hosts: NewCounter()}
		s.causes[key] = g
	}
	g.count++
	if r.Value != nil && (!s.overPairs || r.Rule == schemas.RuleSimilarity) && s.wouldPass(r) {
		g.passing++
	}
	host := ""
	if url != nil && key.rule != schemas.RuleBadCandidate {
		if host = HostOf(*url); host != "" {
			g.hosts.Add(host)
			if key.of == "images" {
				s.hosts.Add(host + " " + key.name())
			}
		}
	}
	if host == "" {
		host = text(r.URL) + text(r.Detail)
	}
	if len(g.examples) < examplesOfCause && !slices.Contains(g.exampleHosts, host) {
		g.examples = append(g.examples, Example{text(r.URL), text(r.ImageURL), number(r.Value), r.Limit, text(r.Detail)})
		g.exampleHosts = append(g.exampleHosts, strings.Clone(host))
	}
}

func (k causeKey) name() string {
	if k.detail != "" {
		return k.rule + " " + k.detail
	}
	return k.rule
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return strings.Clone(*s)
}

// number is v, unless it is none: a model that is broken gives NaN, which JSON has no word for.
func number(v *float64) *float64 {
	if v != nil && (math.IsNaN(*v) || math.IsInf(*v, 0)) {
		return nil
	}
	return v
}

// explained puts the causes in order and says what to do about each.
func (s *scan) explained(e *Explanation) []Cause {
	out := []Cause{}
	for key, g := range s.causes {
		f := &e.Images
		if key.of == "documents" {
			f = &e.Documents
		}
		c := Cause{Of: key.of, Rule: key.rule, Detail: key.detail, Count: g.count, OfLost: share(g.count, f.In-f.Kept), OfAll: share(g.count, f.In),
			Hosts: []Host{}, Examples: g.examples, Advice: advice(key.rule, key.detail), Passing: g.passing}
		for _, h := range g.hosts.Top(3) {
			c.Hosts = append(c.Hosts, Host{Host: h.Name, Count: h.Count})
		}
		c.Set = suggestion(key.rule, &s.limits)
		if s.overPairs {
			c.Advice, c.Set = pairAdvice(c.Rule, c.Advice, c.Set, &s.limits)
		}
		out = append(out, c)
	}
	slices.SortFunc(out, func(a, b Cause) int {
		switch {
		case a.Of != b.Of:
			return -strings.Compare(a.Of, b.Of) // images first
		case a.Count != b.Count:
			return int(max(-1, min(1, b.Count-a.Count)))
		}
		return strings.Compare(a.Rule+" "+a.Detail, b.Rule+" "+b.Detail)
	})
	return out
}

// outcomes are those that were seen, in order.
func (s *scan) outcomes() []string {
	var out []string
	for key := range s.causes {
		if key.rule == schemas.RuleFetch {
			out = append(out, key.detail)
		}
	}
	slices.Sort(out)
	return out
}

// topHosts adds up the causes of every host.
func (s *scan) topHosts(n int) []Host {
	hosts := map[string]*Host{}
	most := map[string]int64{}
	for key, count := range s.hosts.counts {
		host, cause, _ := strings.Cut(key, " ")
		h := hosts[host]
		if h == nil {
			h = &Host{Host: host}
			hosts[host] = h
		}
		h.Count += count
		if count > most[host] || count == most[host] && cause < h.Most {
			most[host], h.Most = count, cause
		}
	}
	out := []Host{}
	for _, h := range hosts {
		out = append(out, *h)
	}
	slices.SortFunc(out, func(a, b Host) int {
		if a.Count != b.Count {
			return int(max(-1, min(1, b.Count-a.Count)))
		}
		return strings.Compare(a.Host, b.Host)
	})
	return out[:min(n, len(out))]
}
