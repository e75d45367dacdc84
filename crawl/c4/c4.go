package c4

// Lines to documents.

import (
	"fmt"
	"io"
	"iter"
	"time"
	"unicode/utf8"

	"mmc4/internal/jsonscan"
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

// Read yields the lines of r in order; lines of white space are passed over. name stands in errors. After an error nothing
// more comes; all whole lines before the fault came first. The memory used is one line.
func Read(r io.Reader, name string) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		src, closeSource, err := decompress(r, name)
		if err != nil {
			yield(Record{}, fmt.Errorf("%s: line 1: %w", name, err))
			return
		}
		defer closeSource()
		lines := newLines(src, MaxLine)
		var scanner jsonscan.Scanner
		for {
			line, tooLong, err := lines.next()
			rec := Record{Line: lines.number}
			switch {
			case err == io.EOF:
				return
			case err != nil:
				yield(rec, fmt.Errorf("%s: line %d: %w", name, lines.number, err))
				return
			case tooLong:
				rec.Bad = fmt.Sprintf("line is longer than %d bytes", MaxLine)
			case blank(line):
				continue
			default:
				rec.Doc, rec.Bad = parse(&scanner, line)
			}
			if !yield(rec, nil) {
				return
			}
		}
	}
}

func blank(line []byte) bool {
	for _, c := range line {
		if c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}

// parse reads one line; bad says why it is no document.
func parse(s *jsonscan.Scanner, line []byte) (doc Document, bad string) {
	if !utf8.Valid(line) {
		return doc, "not UTF-8"
	}
	s.Reset(line)
	if s.Kind() != '{' {
		return doc, "not a JSON object"
	}
	var haveURL, haveTime, haveText bool
	var stamp string
	for s.Enter('{'); s.More('}'); {
		key := string(s.Key())
		if key != "url" && key != "timestamp" && key != "text" {
			s.Skip()
			continue
		}
		if kind := s.Kind(); kind != '"' && kind != 0 {
			return doc, fmt.Sprintf("%s is not a string", key)
		}
		value, _ := s.String()
		switch key {
		case "url":
			doc.URL, haveURL = value, true
		case "timestamp":
			stamp, haveTime = value, true
		case "text":
			doc.Text, haveText = value, true
		}
	}
	if err := s.End(); err != nil {
		return Document{}, "broken JSON: " + err.Error()
	}
	switch {
	case !haveURL:
		return Document{}, "no url"
	case !haveTime:
		return Document{}, "no timestamp"
	case !haveText:
		return Document{}, "no text"
	case s.LoneSurrogate:
		return Document{}, "half a surrogate pair in a string"
	}
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return Document{}, fmt.Sprintf("timestamp %.40q is not RFC 3339", stamp)
	}
	doc.Timestamp = t.UTC()
	return doc, ""
}
