package pipeline

// The records that travel between phases, and their keys.

import (
	"encoding/binary"
	"fmt"
	"time"

	"mmc4/crawl/page"
	"mmc4/schemas"
)

// docRef is a document: its place in the final order and where its record stands. As a key it sorts by url, timestamp,
// then input order.
type docRef struct {
	URL       string
	Timestamp time.Time
	File      uint32 // number among the C4 inputs
	Line      uint64
}

const docKeyTail = 8 + 4 + 8 // after the url

func (d docRef) key(to []byte) []byte {
	to = keyTime(keyText(to, d.URL), d.Timestamp)
	return keyU64(keyU32(to, d.File), d.Line)
}

// docKeyLen is the length of the docRef that a key starts with, or -1.
func docKeyLen(key []byte) int {
	n := textLen(key)
	if n < 0 || len(key) < n+docKeyTail {
		return -1
	}
	return n + docKeyTail
}

// parseDoc reads the docRef that a key starts with, and gives what follows.
func parseDoc(key []byte) (d docRef, rest []byte, err error) {
	n := docKeyLen(key)
	if n < 0 {
		return d, nil, fmt.Errorf("%w: a document's key has another form", errDamagedShard)
	}
	tail := key[n-docKeyTail : n]
	d.URL = unescape(key[:n-docKeyTail-2])
	d.Timestamp = time.UnixMilli(int64(binary.BigEndian.Uint64(tail) ^ 1<<63)).UTC()
	d.File = binary.BigEndian.Uint32(tail[8:])
	d.Line = binary.BigEndian.Uint64(tail[12:])
	return d, key[n:], nil
}

// unescape undoes keyText, without its end.
func unescape(b []byte) string {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		out = append(out, b[i])
		if b[i] == 0 {
			i++ // the 0xFF after it
		}
	}
	return string(out)
}

func (d docRef) id() string { return schemas.DocID(d.URL, d.Timestamp) }

// part is a document's file in docs and rejects.
func (r *run) part(url string) int { return int(hash64(url) % uint64(r.plan.Parts)) }

// partition is a string's place in the shuffles that do not end in files.
func (r *run) partition(s string) int { return int(hash64(s) % uint64(r.cfg.Settings.Partitions)) }

// capture is a page in the crawl, with its candidates.
type capture struct {
	URL        string
	Date       time.Time
	File       string // WARC
	Offset     int64
	Length     int64
	Digest     string
	Route      string
	Candidates []byte // encoded: most captures are only compared
}

func (c *capture) encode(e *enc) {
	e.str(c.URL)
	e.time(c.Date)
	e.str(c.File)
	e.i(c.Offset)
	e.i(c.Length)
	e.str(c.Digest)
	e.str(c.Route)
	e.bytes(c.Candidates)
}

func decodeCapture(value []byte) (c capture, err error) {
	d := dec{b: value}
	c = capture{d.str(), d.time(), d.str(), d.i(), d.i(), d.str(), d.str(), append([]byte(nil), d.bytes()...)}
	return c, d.end()
}

func encodeCandidates(list []page.Candidate) []byte {
	var e enc
	e.u(uint64(len(list)))
	for _, c := range list {
		e.str(c.URL)
		e.str(c.Attr)
		e.str(c.Why)
		optional(&e, c.Alt, e.str)
	}
	return e.b
}

func decodeCandidates(b []byte) ([]page.Candidate, error) {
	d := dec{b: b}
	out := make([]page.Candidate, d.count())
	for i := range out {
		out[i] = page.Candidate{URL: d.str(), Attr: d.str(), Why: d.str(), Alt: maybe(&d, d.str)}
	}
	return out, d.end()
}

// located is a document that has its page; the key is its docRef.
type located struct {
	Page      schemas.Page
	Duplicate bool // another document has this url
}

func (l *located) encode(e *enc) {
	e.str(l.Page.WARCFilename)
	e.i(l.Page.WARCOffset)
	e.i(l.Page.WARCLength)
	e.time(l.Page.WARCDate)
	optional(e, l.Page.Digest, e.str)
	e.str(l.Page.Route)
	e.str(l.Page.Match)
	e.bool(l.Duplicate)
}

func decodeLocated(value []byte) (located, error) {
	d := dec{b: value}
	l := decodeLocatedFrom(&d)
	return l, d.end()
}

func decodeLocatedFrom(d *dec) (l located) {
	l.Page = schemas.Page{WARCFilename: d.str(), WARCOffset: d.i(), WARCLength: d.i(), WARCDate: d.time(), Digest: maybe(d, d.str),
		Route: d.str(), Match: d.str()}
	l.Duplicate = d.bool()
	return l
}

// urlKey orders URLs by a hash, so that the URLs of one host do not come in a row.
func urlKey(to []byte, url string) []byte { return keyText(keyU64(to, hash64(url)), url) }

func urlKeyLen(key []byte) int {
	if len(key) < 8 {
		return -1
	}
	if n := textLen(key[8:]); n >= 0 {
		return 8 + n
	}
	return -1
}

func parseURLKey(key []byte) (url string, rest []byte, err error) {
	n := urlKeyLen(key)
	if n < 0 {
		return "", nil, fmt.Errorf("%w: a URL's key has another form", errDamagedShard)
	}
	return unescape(key[8 : n-2]), key[n:], nil
}

// body is where the bytes of an image lie.
type body struct {
	Shard  string // name in the run
	Offset int64
	Length int64
}

func (b *body) encode(e *enc) { e.str(b.Shard); e.i(b.Offset); e.i(b.Length) }

func decodeBody(d *dec) body { return body{d.str(), d.i(), d.i()} }

// pair is a (document, image) pair whose image was fetched and decoded. Its key is a docRef and a place on the page.
type pair struct {
	URL    string
	Attr   string
	Alt    *string
	SHA256 string
	PHash  uint64
	Width  int32 // of the fetched picture
	Height int32
	Media  string
	Alpha  bool
	Body   body
	Shrunk *shrunkForm // of a run over lists, where the fetched form is not kept
}

func (p *pair) encode(e *enc) {
	e.str(p.URL)
	e.str(p.Attr)
	optional(e, p.Alt, e.str)
	e.str(p.SHA256)
	e.u64(p.PHash)
	e.i(int64(p.Width))
	e.i(int64(p.Height))
	e.str(p.Media)
	e.bool(p.Alpha)
	p.Body.encode(e)
	optional(e, p.Shrunk, func(s shrunkForm) { s.encode(e) })
}

func decodePairFrom(d *dec) pair {
	return pair{d.str(), d.str(), maybe(d, d.str), d.str(), d.u64(), int32(d.i()), int32(d.i()), d.str(), d.bool(), decodeBody(d),
		maybe(d, func() shrunkForm { return decodeShrunk(d) })}
}

func decodePair(value []byte) (pair, error) {
	d := dec{b: value}
	p := decodePairFrom(&d)
	return p, d.end()
}

// parsePlace reads the place on the page that follows a docRef in a key.
func parsePlace(rest []byte) (uint32, error) {
	if len(rest) != 4 {
		return 0, fmt.Errorf("%w: a place on a page has another form", errDamagedShard)
	}
	return binary.BigEndian.Uint32(rest), nil
}

// doc-level rejects come after those of the document's images.
const afterImages = ^uint32(0)

// reject emits a row of rejects. d places it; a document's url decides about its part, an input's name does for lines
// that are no document.
func (t *task) reject(d docRef, place uint32, row *schemas.Reject) error {
	t.count("rejects."+row.Rule, 1)
	row.Stage = t.phase.stage
	partOf := d.URL
	if row.URL == nil {
		partOf = t.phase.name + fmt.Sprint(d.File)
	}
	var e enc
	encodeReject(&e, row)
	return t.emit("rejects", t.plan.Parts, t.part(partOf), keyU32(d.key(nil), place), e.b)
}

func encodeReject(e *enc, r *schemas.Reject) {
	e.str(r.Stage)
	e.str(r.Rule)
	for _, s := range []*string{r.DocID, r.URL, r.ImageURL, r.Detail} {
		optional(e, s, e.str)
	}
	optional(e, r.Value, e.f64)
	optional(e, r.Limit, e.f64)
}

func decodeReject(value []byte) (r schemas.Reject, err error) {
	d := dec{b: value}
	r = schemas.Reject{Stage: d.str(), Rule: d.str(), DocID: maybe(&d, d.str), URL: maybe(&d, d.str), ImageURL: maybe(&d, d.str),
		Detail: maybe(&d, d.str)}
	r.Value, r.Limit = maybe(&d, d.f64), maybe(&d, d.f64)
	return r, d.end()
}

func encodeImage(e *enc, r *schemas.ImageRow) {
	e.str(r.ImageURL)
	e.str(r.Outcome)
	e.i(int64(r.Attempts))
	for _, n := range []*int32{r.HTTPStatus, r.Width, r.Height} {
		optional(e, n, func(v int32) { e.i(int64(v)) })
	}
	optional(e, r.Size, e.i)
	for _, s := range []*string{r.FinalURL, r.MediaType, r.SHA256, r.PHash, r.ETag, r.LastModified, r.Detail} {
		optional(e, s, e.str)
	}
	optional(e, r.FetchedAt, e.time)
}

func decodeImageFrom(d *dec) (r schemas.ImageRow) {
	r.ImageURL, r.Outcome, r.Attempts = d.str(), d.str(), int32(d.i())
	for _, n := range []**int32{&r.HTTPStatus, &r.Width, &r.Height} {
		*n = maybe(d, func() int32 { return int32(d.i()) })
	}
	r.Size = maybe(d, d.i)
	for _, s := range []**string{&r.FinalURL, &r.MediaType, &r.SHA256, &r.PHash, &r.ETag, &r.LastModified, &r.Detail} {
		*s = maybe(d, d.str)
	}
	r.FetchedAt = maybe(d, d.time)
	return r
}

// some is a pointer to a value, nil for the zero value.
func some[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}
