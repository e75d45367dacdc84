package schemas

// MMC4's own form: one JSON object a line, as allenai/mmc4 publishes its documents. It keeps text, matches and
// similarities; sizes, hashes, the page and the bytes have no place in it.

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
)

// maxJSONLine bounds a line that is read.
const maxJSONLine = 256 << 20

// UnsplitDocument is a document as MMC4's Python finds it, before its sentences are split: Text is there, TextList and
// what the images are matched to are not. The columns of SimilarityMatrix are the sentences of Text.
type UnsplitDocument struct {
	Document
	Text string
}

// ReadJSONL yields the documents of MMC4 lines; name stands in errors. A bad line gives an error with its number, and
// reading goes on with the next; a failure to read ends it. What the form lacks stays zero: DocID, Timestamp, sizes. A
// document's slices are used again for the next one; its strings last, all as pieces of one.
func ReadJSONL(r io.Reader, name string) iter.Seq2[*Document, error] {
	return readLines(r, name, func(s *lineScanner, line []byte) (*Document, error) {
		d, err := s.scan(line, false)
		if err != nil {
			return nil, err
		}
		return &d.Document, d.validateShapes()
	})
}

// ReadUnsplitJSONL is ReadJSONL for lines with a text in place of a text_list. That the shapes agree is for the caller
// to see.
func ReadUnsplitJSONL(r io.Reader, name string) iter.Seq2[*UnsplitDocument, error] {
	return readLines(r, name, func(s *lineScanner, line []byte) (*UnsplitDocument, error) { return s.scan(line, true) })
}

// readLines yields what parse makes of each line that is not blank.
func readLines[T any](r io.Reader, name string, parse func(*lineScanner, []byte) (*T, error)) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		lines := bufio.NewReaderSize(r, 1<<16)
		var scanner lineScanner
		for n := 1; ; n++ {
			line, err := readLine(lines)
			if err == io.EOF {
				return
			}
			if err != nil && !errors.Is(err, errLongLine) {
				yield(nil, fmt.Errorf("%s line %d: %w", name, n, err))
				return
			}
			var d *T
			if err == nil {
				if len(bytes.TrimSpace(line)) == 0 {
					continue
				}
				d, err = parse(&scanner, line)
			}
			if err != nil {
				d, err = nil, fmt.Errorf("%s line %d: %w", name, n, err)
			}
			if !yield(d, err) {
				return
			}
		}
	}
}

var errLongLine = fmt.Errorf("the line is longer than %d bytes", maxJSONLine)

// readLine reads a line with its end, good until the next read; of one that is too long nothing is kept.
func readLine(r *bufio.Reader) ([]byte, error) {
	var line []byte
	long := false
	for {
		part, err := r.ReadSlice('\n')
		if line == nil && err == nil {
			return part, nil
		}
		if long = long || len(line)+len(part) > maxJSONLine; !long {
			line = append(line, part...)
		}
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err == io.EOF && len(line) == 0 && !long:
			return nil, io.EOF
		case err != nil && err != io.EOF:
			return nil, err
		case long:
			return nil, errLongLine
		}
		return line, nil
	}
}
