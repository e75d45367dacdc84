package pipeline

// Stage locate, the join: to every document its page, and the page's candidates through the URL rules. Documents and
// captures of one SURT key come together, documents first. A capture with the document's URL as it is beats one that is
// equal by SURT key only; then the nearest date; ties go to the earlier date, file name and offset.

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"mmc4/crawl/page"
	"mmc4/crawl/weburl"
	"mmc4/dedup"
	"mmc4/schemas"
)

var locateJoin = &phase{stage: "locate", name: "locate.join", unit: "documents",
	tasks: func(r *run) int { return r.cfg.Settings.Partitions }, do: doJoin}

// doJoin joins one partition of the SURT keys. Outputs: "located" (by part; key docRef; value located), "uses" (by host
// partition; key URL, docRef, place; value attribute and alt text), "places" (by WAT none; by index all, instead of these), "rejects".
func doJoin(ctx context.Context, t *task) error {
	t.declare("uses", t.cfg.Settings.Partitions)
	m, err := t.merged(ctx, t.index, capturing()...)
	if err != nil {
		return err
	}
	return groups(m, textLen, func(group []byte, next func() (bool, error)) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return t.joinGroup(m, len(group), next)
	})
}

// joinGroup handles the documents and captures of one SURT key.
func (t *task) joinGroup(m *merge, prefix int, next func() (bool, error)) error {
	var docs []docRef
	var best chosen
	for {
		more, err := next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		kind, rest := m.key[prefix], m.key[prefix+1:]
		if kind == joinDocument {
			d, _, err := parseDoc(rest)
			if err != nil {
				return err
			}
			docs = append(docs, d)
			continue
		}
		if len(docs) == 0 {
			return nil // captures that no document wants
		}
		c, err := decodeCapture(m.value)
		if err != nil {
			return err
		}
		best.add(docs, &c)
	}
	best.prune(docs)
	same := map[string]int{}
	for _, d := range docs {
		same[d.URL]++
	}
	first := 0 // of documents with one url and timestamp, which lie together: the others would have its doc_id
	for i, d := range docs {
		t.meter.add(1)
		if i > 0 && d.URL == docs[first].URL && d.Timestamp.Equal(docs[first].Timestamp) {
			if err := t.repeated(d, docs[first]); err != nil {
				return err
			}
			continue
		}
		first = i
		if err := t.joined(d, best.of(i), same[d.URL] > 1); err != nil {
			return err
		}
	}
	return nil
}

// repeated rejects a document whose url and timestamp another had before, in the order of files and lines.
func (t *task) repeated(d, first docRef) error {
	t.count("documents.repeated", 1)
	line := func(d docRef) string {
		return fmt.Sprintf("%s line %d", shortName(t.plan.inputsOf("c4")[d.File].Location), d.Line)
	}
	return t.reject(d, afterImages, &schemas.Reject{Rule: schemas.RuleBadRecord, DocID: some(d.id()), URL: &d.URL,
		Detail: some(line(d) + ": url and timestamp are those of " + line(first))})
}

// joined settles one document.
func (t *task) joined(d docRef, c *capture, duplicate bool) error {
	id := d.id()
	if c == nil {
		return t.reject(d, afterImages, &schemas.Reject{Rule: schemas.RuleNoPage, DocID: &id, URL: &d.URL})
	}
	how := schemas.MatchSURT
	if c.URL == d.URL {
		how = schemas.MatchExact
	}
	l := located{schemas.Page{WARCFilename: c.File, WARCOffset: c.Offset, WARCLength: c.Length, WARCDate: c.Date, Digest: some(c.Digest),
		Route: c.Route, Match: how}, duplicate}
	if c.Route == schemas.RouteWARC {
		return t.emitPlace(d, c, l)
	}
	list, err := decodeCandidates(c.Candidates)
	if err != nil {
		return err
	}
	return t.page(d, l, list)
}

// page takes a document's page with its candidates.
func (t *task) page(d docRef, l located, list []page.Candidate) error {
	t.count("documents.located", 1)
	t.count("documents.located_"+l.Page.Match, 1)
	if l.Page.WARCDate.Equal(d.Timestamp) {
		t.count("documents.located_same_date", 1)
	}
	var e enc
	l.encode(&e)
	if err := t.emit("located", t.plan.Parts, t.part(d.URL), d.key(nil), e.b); err != nil {
		return err
	}
	return t.candidates(d, d.id(), list)
}

// candidates puts a page's candidates through the URL rules. A URL that is repeated counts once, at its first place.
func (t *task) candidates(d docRef, id string, list []page.Candidate) error {
	limits := t.cfg.Settings.limits()
	seen := make(map[string]bool, len(list))
	for place, c := range list {
		t.count("candidates.found", 1)
		rejection := limits.Candidate(c.Why)
		if rejection == nil {
			if seen[c.URL] {
				t.count("candidates.repeated", 1)
				continue
			}
			seen[c.URL] = true
			rejection = limits.URL(c.URL)
		}
		if rejection != nil {
			if err := t.rejectImage(d, id, uint32(place), c.URL, rejection); err != nil {
				return err
			}
			continue
		}
		t.count("candidates.passed", 1)
		var e enc
		e.str(c.Attr)
		optional(&e, c.Alt, e.str)
		key := keyU32(d.key(urlKey(nil, c.URL)), uint32(place))
		if err := t.emit("uses", t.cfg.Settings.Partitions, t.partition(hostOf(c.URL)), key, e.b); err != nil {
			return err
		}
	}
	if len(seen) > 0 {
		t.count("documents.with_candidates", 1)
	}
	return nil
}

// rejectImage emits what a rule answered for an image of a document.
func (t *task) rejectImage(d docRef, id string, place uint32, url string, why *dedup.Rejection) error {
	return t.reject(d, place, &schemas.Reject{Rule: why.Rule, DocID: &id, URL: &d.URL, ImageURL: some(url), Value: why.Value,
		Limit: why.Limit, Detail: some(why.Detail)})
}

// hostOf is the host and port of an absolute URL.
func hostOf(url string) string {
	if u, err := weburl.Parse(url, nil); err == nil {
		return fmt.Sprint(u.Host, ":", u.Port)
	}
	_, rest, _ := strings.Cut(url, "//")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// chosen keeps the captures of a SURT key that are still the best for some document. Now and then the others are
// dropped, so that the memory follows the documents and not the captures.
type chosen struct {
	captures []*capture
	exact    []int // for every document the best capture with its URL, -1 for none
	surt     []int // the best of all
	limit    int
}

const chosenSlack = 64 // captures beside the best ones that are kept before the others are dropped

func (c *chosen) add(docs []docRef, one *capture) {
	c.captures = append(c.captures, one)
	if c.limit == 0 {
		c.limit = 2*len(docs) + chosenSlack
	}
	if len(c.captures) >= 2*c.limit {
		c.prune(docs)
	}
}

// prune finds the best captures of every document and drops the rest.
func (c *chosen) prune(docs []docRef) {
	slices.SortStableFunc(c.captures, compareCaptures)
	byURL := map[string][]int{}
	all := make([]int, len(c.captures))
	for i, one := range c.captures {
		byURL[one.URL] = append(byURL[one.URL], i)
		all[i] = i
	}
	c.exact, c.surt = make([]int, len(docs)), make([]int, len(docs))
	kept := map[int]int{}
	for i, d := range docs {
		c.exact[i] = c.nearest(byURL[d.URL], d.Timestamp)
		c.surt[i] = c.nearest(all, d.Timestamp)
		kept[c.exact[i]], kept[c.surt[i]] = 0, 0
	}
	var left []*capture
	for i, one := range c.captures {
		if _, ok := kept[i]; ok {
			kept[i] = len(left)
			left = append(left, one)
		}
	}
	kept[-1] = -1
	for i := range docs {
		c.exact[i], c.surt[i] = kept[c.exact[i]], kept[c.surt[i]]
	}
	c.captures = left
}

// nearest gives, of captures in the order of compareCaptures, the one whose date is nearest; the earlier of two that
// are equally near, and the first of those of one date.
func (c *chosen) nearest(among []int, when time.Time) int {
	if len(among) == 0 {
		return -1
	}
	after, _ := slices.BinarySearchFunc(among, when, func(i int, when time.Time) int { return c.captures[i].Date.Compare(when) })
	if after == 0 {
		return among[0]
	}
	before := c.captures[among[after-1]].Date
	first, _ := slices.BinarySearchFunc(among, before, func(i int, when time.Time) int { return c.captures[i].Date.Compare(when) })
	if after == len(among) || when.Sub(before) <= c.captures[among[after]].Date.Sub(when) {
		return among[first]
	}
	return among[after]
}

// of is the capture of the i-th document, nil for none; call it after prune.
func (c *chosen) of(i int) *capture {
	switch {
	case len(c.captures) == 0:
		return nil
	case c.exact[i] >= 0:
		return c.captures[c.exact[i]]
	}
	return c.captures[c.surt[i]]
}

func compareCaptures(a, b *capture) int {
	return cmp.Or(a.Date.Compare(b.Date), strings.Compare(a.File, b.File), cmp.Compare(a.Offset, b.Offset))
}
