package c4

import (
	"io"
	"iter"
	"time"
)

// Document is one C4 record.
type Document struct {
	URL       string
	Timestamp time.Time // UTC; the capture's WARC-Date
	Text      string
}

// Record is one line of a C4 file: a document, or the reason why there is none.
type Record struct {
	Line int // 1-based
	Doc  Document
	Bad  string // empty for a good line
}

// MaxLine is the longest line that is read, in bytes; a longer one is a bad line.
const MaxLine = 64 << 20

// Read yields the lines of r in order; empty lines are passed over. name stands in errors. After an error nothing more
// comes; all whole lines before the fault came first. The memory used is one line.
func Read(r io.Reader, name string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {}
}
