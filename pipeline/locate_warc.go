package pipeline

// Stage locate, the pages themselves: where the join found only places in WARC files, the records are read by ranges, few
// requests a file, and their HTML gives the candidates. A record that cannot be read, or is not what the index says, is a
// problem of its file, and its documents have no page.

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"mmc4/crawl/ccindex"
	"mmc4/crawl/page"
	"mmc4/crawl/warc"
	"mmc4/internal/storage"
	"mmc4/schemas"
)

var locateRecords = &phase{stage: "locate", name: "locate.warc", unit: "pages",
	tasks: func(r *run) int { return r.cfg.Settings.Partitions }, do: doRecords, feeds: func() []from { return []from{{locateJoin.name, "places"}} }}

const (
	recordsAtOnce = 512      // of a WARC file
	rangeBytes    = 4 << 20  // of one request, unless a record is longer
	longestRecord = 64 << 20 // as it is stored
)

// place is a document's page in a WARC file.
type place struct {
	doc     docRef
	url     string // of the capture
	located located
}

// emitPlace keeps a document's page for locate.warc. Key: WARC file, offset, docRef.
func (t *task) emitPlace(d docRef, c *capture, l located) error {
	key := d.key(keyU64(keyText(nil, c.File), uint64(c.Offset)))
	var e enc
	e.str(c.URL)
	l.encode(&e)
	return t.emit("places", t.cfg.Settings.Partitions, t.partition(c.File), key, e.b)
}

func parsePlaceInFile(rest, value []byte) (p place, err error) {
	if len(rest) < 8 {
		return p, fmt.Errorf("%w: a place in a WARC file has another form", errDamagedShard)
	}
	if p.doc, _, err = parseDoc(rest[8:]); err != nil {
		return p, err
	}
	d := dec{b: value}
	p.url = d.str()
	p.located = decodeLocatedFrom(&d)
	if at := int64(binary.BigEndian.Uint64(rest)); at != p.located.Page.WARCOffset {
		return p, fmt.Errorf("%w: a page's offset is %d, its key says %d", errDamagedShard, p.located.Page.WARCOffset, at)
	}
	return p, d.end()
}

// doRecords reads the records of one partition of the WARC files. Outputs: as doJoin's.
func doRecords(ctx context.Context, t *task) error {
	t.declare("uses", t.cfg.Settings.Partitions)
	m, err := t.merged(ctx, t.index, from{locateJoin.name, "places"})
	if err != nil {
		return err
	}
	return groups(m, textLen, func(group []byte, next func() (bool, error)) error {
		w := warcReads{task: t, name: unescape(group[:len(group)-2])}
		defer w.close()
		var batch []place
		for {
			more, err := next()
			if err != nil {
				return err
			}
			if more {
				p, err := parsePlaceInFile(m.key[len(group):], m.value)
				if err != nil {
					return err
				}
				batch = append(batch, p)
			}
			if len(batch) >= recordsAtOnce || !more {
				if err := w.read(ctx, batch); err != nil {
					return err
				}
				batch = batch[:0]
			}
			if !more {
				w.tell()
				return nil
			}
		}
	})
}

// warcReads reads one WARC file.
type warcReads struct {
	*task
	name   string // as the index has it
	file   *crawlFile
	lost   int // records
	reason error
}

func (w *warcReads) location() string { return strings.TrimSuffix(w.cfg.WARCBase, "/") + "/" + w.name }

func (w *warcReads) close() {
	if w.file != nil {
		w.file.Close()
	}
}

// tell makes what was lost a problem of the file.
func (w *warcReads) tell() {
	if w.lost > 0 {
		w.problem(w.location(), fmt.Errorf("%d of the records that the index names could not be read; the first: %w", w.lost, w.reason))
	}
}

// open opens the file on first use. missing says that there is none, or that it is forbidden, which is its own fault.
func (w *warcReads) open(ctx context.Context) (missing, err error) {
	if w.file != nil {
		return nil, nil
	}
	if !fs.ValidPath(w.name) {
		return fmt.Errorf("%q is no name of a WARC file", w.name), nil
	}
	f, err := w.openCrawl(ctx, w.location(), -1) // every record is read once
	if errors.Is(err, storage.ErrNotExist) || errors.Is(err, errPermission) {
		return err, nil
	}
	w.file = f
	return nil, err
}

// read reads the records of the places, which are in the order of their offsets.
func (w *warcReads) read(ctx context.Context, places []place) error {
	if len(places) == 0 {
		return nil
	}
	missing, err := w.open(ctx)
	if err != nil {
		return err
	}
	at := map[int64][]place{}
	var captures []ccindex.Capture
	for _, p := range places {
		offset, length := p.located.Page.WARCOffset, p.located.Page.WARCLength
		switch {
		case missing != nil:
			err = w.lose([]place{p}, missing)
		case length > longestRecord:
			err = w.lose([]place{p}, fmt.Errorf("the record at offset %d has %d bytes, more than %d", offset, length, longestRecord))
		default:
			if at[offset] == nil {
				captures = append(captures, ccindex.Capture{URL: p.url, WARCFilename: w.name, Offset: offset, Length: length})
			}
			at[offset] = append(at[offset], p)
		}
		if err != nil {
			return err
		}
	}
	if len(captures) == 0 {
		return nil
	}
	give, err := w.budget.take(ctx, 3*rangeBytes)
	if err != nil {
		return err
	}
	defer give()
	for f := range ccindex.ReadRecords(ctx, w.file, captures, ccindex.ReadOptions{MaxRange: rangeBytes}) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if failed := w.file.failed(); failed != nil {
			return failed // the medium's fault, not the record's
		}
		if err := w.record(f, at[f.Capture.Offset]); err != nil {
			return err
		}
	}
	return nil
}

// record takes one record for the documents that want it.
func (w *warcReads) record(f ccindex.Fetched, wanted []place) error {
	w.meter.add(int64(len(wanted)))
	if f.Err != nil {
		return w.lose(wanted, f.Err)
	}
	answer, err := pageOf(f.Record, wanted[0].located.Page.Digest)
	if err != nil {
		return w.lose(wanted, fmt.Errorf("the record at offset %d %w", f.Capture.Offset, err))
	}
	body, err := answer.Content(0)
	if err != nil && len(body) == 0 {
		return w.lose(wanted, fmt.Errorf("the body of the record at offset %d cannot be decoded: %w", f.Capture.Offset, err))
	}
	sel := page.Src
	if w.cfg.Settings.Candidates == "all" {
		sel = page.All
	}
	list := page.FromHTML(f.Record.TargetURI(), answer.Header.Get("Content-Type"), body, sel)
	for _, p := range wanted {
		if date := f.Record.Date(); !date.IsZero() {
			p.located.Page.WARCDate = date
		}
		if err := w.page(p.doc, p.located, list); err != nil {
			return err
		}
	}
	return nil
}

// pageOf gives the answer in a record, if it is what the index says: a page with status 200 and this digest.
func pageOf(rec *warc.Record, digest *string) (*warc.Message, error) {
	if rec.Type != "response" {
		return nil, fmt.Errorf("is no response but a %q", rec.Type)
	}
	has := strings.TrimPrefix(rec.Header.Get("WARC-Payload-Digest"), "sha1:")
	if digest != nil && has != "" && has != *digest {
		return nil, fmt.Errorf("has the digest %s, the index says %s", has, *digest)
	}
	m := rec.HTTP()
	if m == nil || m.Status != 200 {
		return nil, errors.New("is no answer with status 200")
	}
	return m, nil
}

// lose accounts for documents whose record cannot be had.
func (w *warcReads) lose(wanted []place, why error) error {
	w.lost++
	if w.reason == nil {
		w.reason = why
	}
	for _, p := range wanted {
		id, detail := p.doc.id(), why.Error()
		if err := w.reject(p.doc, afterImages, &schemas.Reject{Rule: schemas.RuleNoPage, DocID: &id, URL: &p.doc.URL, Detail: &detail}); err != nil {
			return err
		}
	}
	return nil
}
