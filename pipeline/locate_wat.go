package pipeline

// Stage locate, the pages, by WAT: pages that a document may have come from, by SURT key, with their candidates.

import (
	"context"
	"fmt"
	"mime"
	"strings"

	"mmc4/crawl/page"
	"mmc4/crawl/wat"
	"mmc4/crawl/weburl"
	"mmc4/schemas"
)

var locateWAT = &phase{stage: "locate", name: "locate.wat", unit: "pages",
	tasks: func(r *run) int { return len(r.plan.inputsOf("wat")) }, do: doWAT}

// doWAT reads one WAT file. Outputs: "join" (by SURT partition; key SURT, 1, date, file, offset; value capture), "rejects".
func doWAT(ctx context.Context, t *task) error {
	in := t.plan.inputsOf("wat")[t.index]
	t.declare("join", t.cfg.Settings.Partitions)
	wanted, err := t.wantedKeys(ctx)
	if err != nil {
		return err
	}
	r, err := t.openInput(ctx, in)
	if err != nil {
		return t.inputFailed(ctx, in, nil, err)
	}
	defer r.Close()
	n := uint64(0)
	for rec, err := range wat.Read(r, in.Location, wat.Options{}) {
		if err != nil {
			return t.inputFailed(ctx, in, r, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		t.meter.add(1)
		n++
		if rec.Bad != "" {
			t.count("pages.bad", 1)
			detail := fmt.Sprintf("%s record %d: %s", shortName(in.Location), n, rec.Bad)
			err := t.reject(docRef{File: uint32(t.index), Line: n}, afterImages, &schemas.Reject{Rule: schemas.RuleBadRecord, Detail: &detail})
			if err != nil {
				return err
			}
			continue
		}
		t.count("pages.read", 1)
		p := &rec.Page
		if p.Status != 200 || !isHTML(p.ContentType) {
			continue
		}
		t.count("pages.html", 1)
		surt := weburl.SURT(p.URL)
		if !wanted.has(hash64(surt)) {
			continue
		}
		c := capture{URL: p.URL, Date: p.Date, File: p.WARCFilename, Offset: p.Offset, Length: p.Length, Digest: p.Digest,
			Route: schemas.RouteWAT, Candidates: encodeCandidates(page.FromWAT(p))}
		if err := t.emitCapture(surt, &c); err != nil {
			return err
		}
	}
	return nil
}

func (t *task) emitCapture(surt string, c *capture) error {
	key := append(keyText(nil, surt), joinCapture)
	key = keyU64(keyText(keyTime(key, c.Date), c.File), uint64(c.Offset))
	var e enc
	c.encode(&e)
	return t.emit("join", t.cfg.Settings.Partitions, t.partition(surt), key, e.b)
}

// isHTML tells HTML and XHTML by the Content-Type header.
func isHTML(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		media, _, _ = strings.Cut(contentType, ";")
		media = strings.ToLower(strings.TrimSpace(media))
	}
	return media == "text/html" || media == "application/xhtml+xml"
}

// keySet is a Bloom filter over the SURT keys of all documents: most pages of a crawl belong to none, and are passed
// over. What it lets through wrongly (1 in 1,000 at most, more where memory is short) the join drops.
type keySet struct {
	bits []uint64
	mask uint64
}

// newKeySet makes a filter for n keys: 16 bits or more for each, but within so many bytes in all.
func newKeySet(n, bytes int64) *keySet {
	size := uint64(1 << 10)
	for size < 16*uint64(n) && size*2 <= 8*uint64(bytes) {
		size *= 2
	}
	return &keySet{make([]uint64, size/64), size - 1}
}

func (s *keySet) each(h uint64, f func(word, bit uint64) bool) bool {
	step := h>>32 | 1
	for range 6 {
		at := h & s.mask
		if !f(at/64, 1<<(at%64)) {
			return false
		}
		h += step * 0x9E3779B97F4A7C15
	}
	return true
}

func (s *keySet) add(h uint64) {
	s.each(h, func(word, bit uint64) bool { s.bits[word] |= bit; return true })
}

func (s *keySet) has(h uint64) bool {
	return s.each(h, func(word, bit uint64) bool { return s.bits[word]&bit != 0 })
}

// wantedKeys reads the keys of all documents, once for the process.
func (t *task) wantedKeys(ctx context.Context) (*keySet, error) {
	return t.once.keys.get(func() (*keySet, error) {
		var n int64
		for i := range t.tasks(locateDocuments.name) {
			for _, a := range t.journal.get(locateDocuments.name, i).Outputs {
				if a.Output == "keys" {
					n += a.Rows
				}
			}
		}
		set := newKeySet(n, t.budget.filter())
		m, err := t.merged(ctx, 0, from{locateDocuments.name, "keys"})
		if err != nil {
			return nil, err
		}
		defer m.close()
		for {
			more, err := m.next()
			if !more || err != nil {
				return set, err
			}
			if len(m.key) == 8 {
				set.add(beU64(m.key))
			}
		}
	})
}
