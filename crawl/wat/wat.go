package wat

import (
	"io"
	"iter"
	"time"
)

// Page is a capture as a WAT tells of it.
type Page struct {
	URL  string    // WARC-Target-URI of the capture
	Date time.Time // WARC-Date of the capture, UTC

	WARCFilename string // crawl-data/.../warc/....warc.gz, from the WAT's own name; see WARCName
	Container    string // Container.Filename as written, without folders
	Offset       int64
	Length       int64  // of the gzip member in the WARC file
	Digest       string // base32 SHA-1 of the payload, without "sha1:"; "" when there is none

	Status      int    // HTTP status; 0 when there is none
	ContentType string // the Content-Type header as it was sent

	HTML  bool   // the record has HTML metadata
	Base  string // Head.Base; "" when there is none
	Links []Link // in the WAT's order
}

// Link is one element of Links. A nil field is absent.
type Link struct {
	Path  string // IMG@/src, A@/href, ...
	URL   *string
	Alt   *string
	Title *string
}

// Record is one metadata record of a WAT file: a page, or the reason why it cannot be read.
type Record struct {
	Type string    // of the envelope: response, request, metadata, ...
	Date time.Time // of the WAT record: when the metadata were extracted
	Page Page
	Bad  string // empty for a good record
}

// Options say what Read gives.
type Options struct {
	AllTypes bool // also request, metadata, warcinfo, ... envelopes
	AllLinks bool // also links that are not IMG@/src
	Entities Entities
}

// Entities says whether the values hold HTML entities that must be undone.
type Entities int

// By the crawl's name in the file's path, the WAT's warcinfo or its dates; never; always.
const (
	EntitiesByCrawl Entities = iota
	EntitiesKeep
	EntitiesUnescape
)

// Read yields the records of a WAT file in order; name is its path (crawl-data/CC-MAIN-.../wat/....warc.wat.gz). A
// record that cannot be read has its reason in Bad; after an error nothing more comes.
func Read(r io.Reader, name string, opt Options) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {}
}

// WARCName turns the path of a WAT file into that of its WARC file: /wat/ -> /warc/, .wat.gz -> .gz; what stands before
// crawl-data/ is cut off.
func WARCName(watPath string) string { return "" }
