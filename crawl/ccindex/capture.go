package ccindex

// A capture, as both indexes tell of it.

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// Capture is one row of an index.
type Capture struct {
	SURT         string
	URL          string
	FetchTime    time.Time // UTC
	Status       int       // 0 when there is none
	MIME         string    // from the HTTP header
	MIMEDetected string    // "" when not known
	Digest       string    // base32 SHA-1, without "sha1:"; "" when not known
	WARCFilename string    // crawl-data/...
	Offset       int64
	Length       int64
	Truncated    string // "" or WARC-Truncated's reason
}

// ErrBadRow: one row of an index cannot be read; the others can, and the look-up goes on when its caller does.
var ErrBadRow = errors.New("unreadable index row")

// wanted is a sorted list of keys with a place in it, for rows that come in order.
type wanted struct {
	keys []string
	at   int // keys before it are smaller than the last key that was asked for
	last string
}

// has tells whether key is wanted. Keys in order cost a comparison or two; others a binary search.
func (w *wanted) has(key []byte) bool {
	if string(key) < w.last {
		_, found := slices.BinarySearch(w.keys, string(key))
		return found
	}
	for w.at < len(w.keys) && w.keys[w.at] < string(key) {
		w.last = w.keys[w.at]
		w.at++
	}
	return w.at < len(w.keys) && w.keys[w.at] == string(key)
}

// between tells whether a wanted key lies in [first, last].
func between(keys []string, first, last string) bool {
	i, _ := slices.BinarySearch(keys, first)
	return i < len(keys) && keys[i] <= last
}

func plainDigest(s string) string { return strings.TrimPrefix(s, "sha1:") }
