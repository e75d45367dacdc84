package warc

// What is in a record: its URI and date, its HTTP message, its payload and the digests of these.

import (
	"bytes"
	"crypto/sha1"
	"encoding/base32"
	"encoding/hex"
	"strings"
	"time"
)

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

	limits Limits
}

// TargetURI is WARC-Target-URI without the angle brackets that some writers put around it.
func (r *Record) TargetURI() string {
	uri := r.Header.Get("WARC-Target-URI")
	if strings.HasPrefix(uri, "<") && strings.HasSuffix(uri, ">") {
		return uri[1 : len(uri)-1]
	}
	return uri
}

// Date is WARC-Date in UTC; the zero time when it is missing or malformed.
func (r *Record) Date() time.Time {
	t, err := time.Parse(time.RFC3339, r.Header.Get("WARC-Date"))
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}

// Message is the HTTP message in a block.
type Message struct {
	StartLine string // HTTP/1.1 200 OK; "" when the block has no head
	Status    int    // 0 when the start line has none (requests, damaged answers)
	Header    Header
	Body      []byte // as stored
}

// HTTP reads the block of a request, response or revisit record as an HTTP message; nil when it does not hold one.
func (r *Record) HTTP() *Message {
	switch r.Type {
	case "request", "response", "revisit":
	default:
		return nil
	}
	if kind := r.Header.Get("Content-Type"); kind != "" && !hasPrefixFold(kind, "application/http") {
		return nil
	}
	m := &Message{}
	m.StartLine, m.Header, m.Body = splitHead(r.Block, r.limits.Head)
	if r.Type != "request" {
		m.Status = status(m.StartLine)
	}
	return m
}

// status reads "HTTP/1.1 200 OK".
func status(line string) int {
	fields := strings.Fields(line)
	if len(fields) < 2 || len(fields[1]) != 3 {
		return 0
	}
	n := 0
	for _, c := range []byte(fields[1]) {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// Payload is what the record is about: the decoded HTTP body, or the block of a record without HTTP.
func (r *Record) Payload() ([]byte, error) {
	if m := r.HTTP(); m != nil {
		return m.Content(r.limits.Body)
	}
	return r.Block, nil
}

// Verdict is the result of a check.
type Verdict int

// Unknown: no digest was given, or none of a known kind.
const (
	Unknown Verdict = iota
	Right
	Wrong
)

// CheckDigests compares WARC-Block-Digest and WARC-Payload-Digest (SHA-1 in base32 or hex) with the block and with the
// HTTP body as stored. A revisit has no payload of its own; a block that was cut cannot be checked.
func (r *Record) CheckDigests() Verdict {
	if r.Cut {
		return Unknown
	}
	verdict := check(r.Header.Get("WARC-Block-Digest"), r.Block)
	if r.Type == "revisit" {
		return verdict
	}
	payload := r.Block
	if m := r.HTTP(); m != nil {
		payload = m.Body
	}
	return max(verdict, check(r.Header.Get("WARC-Payload-Digest"), payload))
}

func check(digest string, data []byte) Verdict {
	if !hasPrefixFold(digest, "sha1:") {
		return Unknown
	}
	digest = digest[len("sha1:"):]
	var want []byte
	var err error
	switch len(digest) {
	case 32:
		want, err = base32.StdEncoding.DecodeString(strings.ToUpper(digest))
	case 40:
		want, err = hex.DecodeString(digest)
	default:
		return Unknown
	}
	if err != nil {
		return Unknown
	}
	if got := sha1.Sum(data); !bytes.Equal(got[:], want) {
		return Wrong
	}
	return Right
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

func indexByte(b []byte, c byte) int { return bytes.IndexByte(b, c) }
