package audit

// What lies across parts: a use of an image stands in its document's part, the outcome in the part of the image's own
// URL. The ledger brings them together; then, by perceptual hash, the pairs that duplicate_in_corpus counted.

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"

	"mmc4/internal/imaging"
	"mmc4/pipeline"
	"mmc4/schemas"
)

// Kinds of entries, in the order in which they are read.
const (
	imageRow byte = iota
	imageKept
	imageFailed      // rejected by fetch
	imageSmall       // by min_side
	imageAspect      // by aspect
	imageTwice       // by duplicate_in_document
	imageCommon      // by duplicate_in_corpus
	imageFeature     // by nsfw, face or similarity
	imageURLRejected // by extension or url_token: there must be no row
)

var entryKinds = map[string]byte{schemas.RuleFetch: imageFailed, schemas.RuleMinSide: imageSmall, schemas.RuleAspect: imageAspect,
	schemas.RuleDuplicateInDoc: imageTwice, schemas.RuleDuplicateInCorpus: imageCommon, schemas.RuleNSFW: imageFeature, schemas.RuleFace: imageFeature,
	schemas.RuleSimilarity: imageFeature, schemas.RuleExtension: imageURLRejected, schemas.RuleURLToken: imageURLRejected}

// Flags of entries.
const (
	isOK      byte = 1 << iota // a row: the outcome is ok
	isPlain                    // a row: JPEG or PNG was fetched
	isEncoded                  // kept in a form that was encoded again at the same size
)

func keyOf(s string) [16]byte {
	sum := sha256.Sum256([]byte(s))
	return [16]byte(sum[:16])
}

func facts(parts ...any) uint64 {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
	return binary.LittleEndian.Uint64(sum[:])
}

func keptEntry(m *schemas.ImageInfo, hash uint64, asFetched bool, part int, row int64) *entry {
	e := &entry{Key: keyOf(m.RawURL), Kind: imageKept, Part: uint32(part), Row: uint32(row), Facts: facts(m.SHA256, m.OriginalWidth, m.OriginalHeight), PHash: hash}
	if !asFetched && m.Width == m.OriginalWidth && m.Height == m.OriginalHeight {
		e.Flags = isEncoded
	}
	return e
}

// rejectEntry is the entry of an image's reject, nil for one without URL.
func rejectEntry(r *schemas.Reject, part int, row int64) *entry {
	kind, ok := entryKinds[r.Rule]
	if !ok || r.ImageURL == nil {
		return nil
	}
	e := &entry{Key: keyOf(*r.ImageURL), Kind: kind, Part: uint32(part), Row: uint32(row)}
	if r.Value != nil {
		e.Value = *r.Value
	}
	if r.Detail != nil {
		e.Facts = facts(*r.Detail)
	}
	return e
}

// imagesPart checks one part of images.
func (c *checker) imagesPart(ctx context.Context, part int) error {
	name := pipeline.PartName(imagesTable, part)
	t := newTally()
	last := ""
	var failed error
	for row, err := range Rows[schemas.ImageRow](ctx, c.run, name) {
		if err != nil {
			failed = err
			break
		}
		r := row.Value
		wrong := func(format string, args ...any) {
			c.found.row(name, row.Number, "%s: %s", r.ImageURL, fmt.Sprintf(format, args...))
		}
		if row.Number > 0 && r.ImageURL <= last {
			wrong("it comes after %s: URLs are ordered, each has one row", last)
		}
		last = r.ImageURL
		if at := pipeline.PartOf(r.ImageURL, c.parts); at != part {
			wrong("it belongs to part %d", at)
		}
		if !knownOutcome(r.Outcome) {
			wrong("outcome %q is not known", r.Outcome)
		}
		e := &entry{Key: keyOf(r.ImageURL), Kind: imageRow, Part: uint32(part), Row: uint32(row.Number), Facts: facts(r.Outcome)}
		if r.Outcome == schemas.OutcomeOK {
			decoded(r, e, wrong)
		}
		t.imageRows++
		t.outcomes[r.Outcome]++
		if err := c.urls.add(e); err != nil {
			return err
		}
	}
	rows := t.imageRows
	c.mu.Lock()
	c.tally.add(t)
	c.mu.Unlock()
	return c.ended(ctx, name, rows, failed)
}

// decoded fills the entry of an image that was fetched and decoded.
func decoded(r *schemas.ImageRow, e *entry, wrong func(string, ...any)) {
	if r.SHA256 == nil || r.PHash == nil || r.Width == nil || r.Height == nil || r.MediaType == nil || r.Size == nil {
		wrong("it is ok, yet size, media_type, width, height, sha256 or phash is missing")
		return
	}
	e.Flags = isOK
	if *r.MediaType == imaging.JPEG.MediaType() || *r.MediaType == imaging.PNG.MediaType() {
		e.Flags |= isPlain
	}
	var err error
	if e.PHash, err = strconv.ParseUint(*r.PHash, 16, 64); err != nil {
		wrong("phash %q is not 16 hex digits", *r.PHash)
	}
	e.Facts = facts(*r.SHA256, *r.Width, *r.Height)
	e.Width, e.Height = uint32(*r.Width), uint32(*r.Height)
}

// joinURLs compares the uses of every image with its row.
func (c *checker) joinURLs(ctx context.Context) error {
	return c.urls.groups(func(group []entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		var row *entry
		used := false
		for i := range group {
			e := &group[i]
			if e.Kind == imageRow {
				row = e // a second row of one URL was found by the order of the table
				continue
			}
			if e.Kind != imageURLRejected {
				used = true
			}
			if err := c.use(row, e); err != nil {
				return err
			}
		}
		if row != nil && !used {
			c.found.row(pipeline.PartName(imagesTable, int(row.Part)), int64(row.Row), "nothing uses this image")
		}
		return nil
	})
}

// use compares one use of an image with the image's row.
func (c *checker) use(row, e *entry) error {
	table := rejectsTable
	if e.Kind == imageKept {
		table = docsTable
		if c.manifest.OverPairs() {
			table = pairsTable
		}
	}
	wrong := func(format string, args ...any) {
		c.found.row(pipeline.PartName(table, int(e.Part)), int64(e.Row), format, args...)
	}
	if e.Kind == imageURLRejected {
		if row != nil {
			wrong("its URL was rejected by its look, yet images row %d of part %d has an outcome for it", row.Row, row.Part)
		}
		return nil
	}
	if row == nil {
		wrong("an image of it has no row in images")
		return nil
	}
	where := fmt.Sprintf("row %d of %s", row.Row, pipeline.PartName(imagesTable, int(row.Part)))
	if e.Kind == imageFailed {
		if row.Flags&isOK != 0 || row.Facts != e.Facts {
			wrong("rejected by fetch, but its detail is not the outcome in %s", where)
		}
		return nil
	}
	if row.Flags&isOK == 0 {
		wrong("an image that was not rejected by fetch is not ok in %s", where)
		return nil
	}
	side, aspect := float64(min(row.Width, row.Height)), float64(row.Width)/float64(row.Height)
	switch e.Kind {
	case imageKept:
		if row.Facts != e.Facts || row.PHash != e.PHash {
			wrong("sha256, phash or size of an image are not those of %s", where)
		}
		if e.Flags&isEncoded != 0 && (row.Flags&isPlain != 0 || c.settings.LongestSide() == 0) {
			wrong("an image was encoded again, though the fetched form of %s could be kept", where)
		}
	case imageSmall:
		if side != e.Value {
			wrong("min_side measured %g, the shorter side in %s is %g", e.Value, where, side)
		}
	case imageAspect:
		if aspect != e.Value {
			wrong("aspect measured %g, that of %s is %g", e.Value, where, aspect)
		}
	}
	if e.Kind == imageSmall || e.Kind == imageAspect || e.Kind == imageTwice {
		return nil
	}
	pair := *e
	pair.PHash = row.PHash
	pair.Key = keyOf(strconv.FormatUint(row.PHash, 16))
	return c.hashes.add(&pair)
}

// joinHashes counts the pairs of every perceptual hash that reached duplicate_in_corpus.
func (c *checker) joinHashes(ctx context.Context) error {
	most := int64(c.limits.Dedup.CorpusMax)
	return c.hashes.groups(func(group []entry) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := int64(len(group))
		for i := range group {
			e := &group[i]
			switch {
			case e.Kind == imageCommon && (n <= most || e.Value != float64(n)):
				c.found.row(pipeline.PartName(rejectsTable, int(e.Part)), int64(e.Row), "duplicate_in_corpus measured %g, but %d pairs carry the hash %016x (limit %d)", e.Value, n, e.PHash, most)
			case e.Kind == imageKept && n > most:
				c.found.row(pipeline.PartName(docsTable, int(e.Part)), int64(e.Row), "%d pairs carry the hash %016x (limit %d), yet the image is kept", n, e.PHash, most)
			case e.Kind == imageFeature && n > most:
				c.found.row(pipeline.PartName(rejectsTable, int(e.Part)), int64(e.Row), "%d pairs carry the hash %016x (limit %d), yet duplicate_in_corpus let it pass", n, e.PHash, most)
			}
		}
		return nil
	})
}
