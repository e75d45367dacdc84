package warc

import (
	"io"
	"time"
)

// Limits bound what one record may take in memory; a zero value means the default.
type Limits struct {
	Head  int   // bytes of a WARC or HTTP head: 1 MiB
	Block int64 // bytes of a block that are kept: 64 MiB; the rest is passed over and the record is marked Cut
	Body  int64 // bytes of a decoded body: 64 MiB
}

// Field is one line of a head; Name as it was written.
type Field struct{ Name, Value string }

// Header is a head in its order, repeats kept.
type Header []Field

// Get gives the first value of a name, case ignored, or "".
func (h Header) Get(name string) string { return "" }

// Values gives all values of a name, case ignored.
func (h Header) Values(name string) []string { return nil }

// Record is one WARC record. Its bytes are valid until the next call of Next.
type Record struct {
	Offset int64 // of the gzip member, zstd frame or (plain) record in the file
	Length int64 // of that member, frame or record (head and block); 0 where several records share a member
	Index  int   // place in the member, from 0

	Version string // WARC/1.0
	Type    string // response, request, metadata, ...; lower case
	Header  Header
	Block   []byte
	Cut     bool // the block is longer than Limits.Block
	Short   bool // the block ended before its Content-Length
}

// TargetURI is WARC-Target-URI without the angle brackets that some writers put around it.
func (r *Record) TargetURI() string { return "" }

// Date is WARC-Date in UTC; the zero time when it is missing or malformed.
func (r *Record) Date() time.Time { return time.Time{} }

// Message is the HTTP message in a block.
type Message struct {
	StartLine string // HTTP/1.1 200 OK
	Status    int    // 0 when the start line has none (requests, damaged answers)
	Header    Header
	Body      []byte // as stored
}

// HTTP reads the block of a request, response or revisit record as an HTTP message; nil when it does not hold one.
func (r *Record) HTTP() *Message { return nil }

// Content is the body with transfer and content encodings undone. A body that is labelled with an encoding but not
// encoded is given back as it is. On damage: what could be decoded, and an error.
func (m *Message) Content(limit int64) ([]byte, error) { return nil, nil }

// Payload is what the record is about: the decoded HTTP body, or the block of a record without HTTP.
func (r *Record) Payload() ([]byte, error) { return nil, nil }

// Stats counts what a reader passed over.
type Stats struct {
	Records int64
	Skipped map[string]int64 // reason -> how often
}

// Reader reads records one after the other.
type Reader struct{}

// NewReader reads from r, compressed or not (told by its first bytes); name stands in errors.
func NewReader(r io.Reader, name string, limits ...Limits) *Reader { return nil }

// Next gives the next record, io.EOF at the end, or an error that names file and offset when nothing more can be read.
func (r *Reader) Next() (*Record, error) { return nil, io.EOF }

// Stats tells what was read and what was passed over so far.
func (r *Reader) Stats() Stats { return Stats{} }

// Close frees the decoders.
func (r *Reader) Close() error { return nil }
