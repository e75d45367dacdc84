package ccindex

import (
	"context"
	"io"
	"iter"
	"time"

	"mmc4/crawl/warc"
)

// Capture is one row of an index.
type Capture struct {
	SURT         string
	URL          string
	FetchTime    time.Time // UTC
	Status       int
	MIME         string // from the HTTP header
	MIMEDetected string // "" when not known
	Digest       string // base32 SHA-1, without "sha1:"; "" when not known
	WARCFilename string // crawl-data/...
	Offset       int64
	Length       int64
	Truncated    string // "" or WARC-Truncated's reason
}

// Table is one Parquet file of the columnar index.
type Table struct{}

// OpenTable reads the footer. name stands in errors.
func OpenTable(r io.ReaderAt, size int64, name string) (*Table, error) { return nil, nil }

// Bounds are the first and last SURT key of the file.
func (t *Table) Bounds() (first, last string) { return "", "" }

// Lookup yields the captures of the given SURT keys (sorted, no repeats) in the file's order. Only row groups that can
// hold a key are read, and only the columns needed.
func (t *Table) Lookup(ctx context.Context, keys []string) iter.Seq2[Capture, error] {
	return func(yield func(Capture, error) bool) {}
}

// CDX is a CDXJ index: cluster.idx and the files that it names.
type CDX struct{}

// OpenCDX reads cluster.idx. open gives a cdx-NNNNN.gz beside it, by that name.
func OpenCDX(cluster io.Reader, name string, open func(ctx context.Context, file string) (io.ReaderAt, error)) (*CDX, error) {
	return nil, nil
}

// Lookup yields the captures of the given SURT keys (sorted, no repeats) in the index's order.
func (c *CDX) Lookup(ctx context.Context, keys []string) iter.Seq2[Capture, error] {
	return func(yield func(Capture, error) bool) {}
}

// ReadOptions bound the ranged reading of one WARC file.
type ReadOptions struct {
	MaxGap   int64 // ranges that lie no further apart are read as one; default 128 KiB
	MaxRange int64 // the longest range; default 16 MiB
	Limits   warc.Limits
}

// Fetched is a capture with its record. Err says why the record could not be read; the others go on.
type Fetched struct {
	Capture Capture
	Record  *warc.Record // valid until the next step
	Err     error
}

// ReadRecords reads the records of captures of one WARC file, by offset, with few range requests.
func ReadRecords(ctx context.Context, r io.ReaderAt, captures []Capture, opt ReadOptions) iter.Seq[Fetched] {
	return func(yield func(Fetched) bool) {}
}
