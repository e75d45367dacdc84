package audit

// One part of docs and rejects, read side by side: both are sorted by the document's url, so all that concerns a document
// is in hand at once. Memory follows the documents of one url.

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"mmc4/match"
	"mmc4/pipeline"
	"mmc4/schemas"
)

// documentsPart checks one part of docs and rejects.
func (c *checker) documentsPart(ctx context.Context, part int) error {
	docsName, rejectsName := pipeline.PartName(docsTable, part), pipeline.PartName(rejectsTable, part)
	docs := openCursor[schemas.Document](ctx, c.run, docsName)
	defer docs.close()
	rejects := openCursor[schemas.Reject](ctx, c.run, rejectsName)
	defer rejects.close()
	p := &partChecker{checker: c, part: part, docsName: docsName, rejectsName: rejectsName, tally: newTally()}
	for docs.more || rejects.more {
		if err := p.oneURL(ctx, docs, rejects); err != nil {
			return err
		}
	}
	c.mu.Lock()
	c.tally.add(p.tally)
	c.mu.Unlock()
	if err := c.ended(ctx, docsName, p.tally.documents, docs.err); err != nil {
		return err
	}
	return c.ended(ctx, rejectsName, p.tally.rejects, rejects.err)
}

// partChecker is the state along one part.
type partChecker struct {
	*checker
	part                  int
	docsName, rejectsName string
	tally                 *tally
	solver                match.Solver
	lastURL               string
	begun                 bool
}

// books are all rows of one url.
type books struct {
	documents map[string]*account // by doc_id
	joined    int                 // documents that went into the join
	bad       int                 // and those that were bad records
	flagged   []int32             // could_have_url_duplicate of the rows of docs
	firstDoc  int64
}

// account is what is known of the documents of one doc_id: more than one when C4 has a record twice.
type account struct {
	row     int64 // of a row that names it, for messages
	inDocs  int
	without int            // rejected with candidates: no_image
	never   int            // rejected before the candidates: bad_record, no_page
	images  map[string]int // by URL: how often kept or rejected
	kept    int
}

func (b *books) account(id string, row int64) *account {
	a := b.documents[id]
	if a == nil {
		a = &account{row: row, images: map[string]int{}}
		b.documents[id] = a
	}
	return a
}

// oneURL reads the rows of the next url from both tables and closes their books.
func (p *partChecker) oneURL(ctx context.Context, docs *cursor[schemas.Document], rejects *cursor[schemas.Reject]) error {
	if rejects.more && rejects.row.Value.URL == nil {
		p.reject(rejects.row)
		p.nameless(rejects.row)
		rejects.advance()
		return nil
	}
	url := ""
	switch {
	case docs.more && rejects.more:
		url = min(docs.row.Value.URL, *rejects.row.Value.URL)
	case docs.more:
		url = docs.row.Value.URL
	default:
		url = *rejects.row.Value.URL
	}
	if p.begun && url <= p.lastURL {
		name, row := p.docsName, docs.row.Number
		if !docs.more || docs.row.Value.URL != url {
			name, row = p.rejectsName, rejects.row.Number
		}
		p.found.row(name, row, "%s comes after %s: rows are ordered by url", url, p.lastURL)
	}
	p.begun, p.lastURL = true, url
	b := &books{documents: map[string]*account{}, firstDoc: -1}
	last := time.Time{}
	for ; docs.more && docs.row.Value.URL == url; docs.advance() {
		d := docs.row.Value
		if d.Timestamp.Before(last) && b.firstDoc >= 0 {
			p.found.row(p.docsName, docs.row.Number, "its timestamp is before that of the row above with the same url")
		}
		last = d.Timestamp
		if b.firstDoc < 0 {
			b.firstDoc = docs.row.Number
		}
		if err := p.document(ctx, p.part, docs.row, &p.solver); err != nil {
			return err
		}
		p.tally.document(d)
		b.joined++
		b.flagged = append(b.flagged, d.CouldHaveURLDuplicate)
		a := b.account(d.DocID, -1)
		a.inDocs++
		for i := range d.ImageInfo {
			a.images[strings.Clone(d.ImageInfo[i].RawURL)]++
			a.kept++
		}
	}
	for ; rejects.more && rejects.row.Value.URL != nil && *rejects.row.Value.URL == url; rejects.advance() {
		p.reject(rejects.row)
		if err := p.enter(b, rejects.row); err != nil {
			return err
		}
	}
	p.close(url, b)
	return ctx.Err()
}

// enter books a reject that names a url.
func (p *partChecker) enter(b *books, row Row[schemas.Reject]) error {
	r := row.Value
	if at := pipeline.PartOf(*r.URL, p.parts); at != p.part {
		p.found.row(p.rejectsName, row.Number, "%s belongs to part %d", *r.URL, at)
	}
	if r.DocID == nil {
		p.found.row(p.rejectsName, row.Number, "it has a url and no doc_id")
		return nil
	}
	a := b.account(*r.DocID, row.Number)
	switch r.Rule {
	case schemas.RuleBadRecord:
		a.never++
		b.bad++
	case schemas.RuleNoPage:
		a.never++
		b.joined++
	case schemas.RuleNoImage:
		a.without++
		b.joined++
	case schemas.RuleBadCandidate:
		a.images[""]++ // it has no URL that could be compared
	default:
		if r.ImageURL == nil {
			p.found.row(p.rejectsName, row.Number, "rule %s has no image_url", r.Rule)
			return nil
		}
		a.images[*r.ImageURL]++
		if e := rejectEntry(r, p.part, row.Number); e != nil {
			return p.urls.add(e)
		}
	}
	return nil
}

// close looks at whether the books of one url close.
func (p *partChecker) close(url string, b *books) {
	ids := make([]string, 0, len(b.documents))
	for id := range b.documents {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		a := b.documents[id]
		name, row := p.rejectsName, a.row
		if a.inDocs > 0 {
			name, row = p.docsName, b.firstDoc
		}
		n := a.inDocs + a.without
		switch {
		case n+a.never == 0:
			p.found.row(name, row, "images of document %s (%s) were rejected, but the document is neither in docs nor rejected", id, url)
			continue
		case n == 0 && len(a.images) > 0:
			p.found.row(name, row, "document %s (%s) was rejected before its images were looked at, yet images of it were", id, url)
			continue
		}
		for _, image := range slices.Sorted(maps.Keys(a.images)) {
			if times := a.images[image]; image != "" && times > n {
				p.found.row(name, row, "image %s of document %s stands %d times in docs and rejects, for %d document(s)", image, id, times, n)
			}
		}
	}
	for _, flag := range b.flagged {
		if flag != 0 && flag != 1 || flag == 0 && b.joined > 1 || flag == 1 && b.joined+b.bad == 1 {
			p.found.row(p.docsName, b.firstDoc, "could_have_url_duplicate is %d, but %d C4 document(s) have the url %s", flag, b.joined+b.bad, url)
			break
		}
	}
}
