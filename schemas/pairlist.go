package schemas

// Lists of pairs in: rows of image URL and caption as LAION and others publish them. Parquet (pairlist_parquet.go), JSON
// lines, and CSV or TSV with a header line; the text forms also gzip or zstd compressed. Which columns hold the two is
// found by their names.

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"unicode/utf8"

	"mmc4/internal/jsonscan"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// ListRow is a row of a list.
type ListRow struct {
	Row     int64 // from 0: of a Parquet file or of CSV without its header; the line of JSON lines
	URL     string
	Caption string
	Bad     string // why the row cannot be read; "" for a good one. URL and Caption may still be empty
}

// ListColumns are names of columns; "" means that they are found: URL is url, image_url or img_url, Caption is caption,
// text or alt, in any case of letters, the first of these that is there.
type ListColumns struct{ URL, Caption string }

var (
	urlColumns     = []string{"url", "image_url", "img_url"}
	captionColumns = []string{"caption", "text", "alt"}
)

// ListForm is the form of a list by its name: "parquet", "jsonl", "csv", "tsv", or "" for none of these.
func ListForm(name string) string {
	name = strings.ToLower(name)
	if strings.HasSuffix(name, ".parquet") {
		return "parquet"
	}
	name = strings.TrimSuffix(strings.TrimSuffix(name, ".gz"), ".zst")
	for _, f := range []struct{ ending, form string }{{".jsonl", "jsonl"}, {".ndjson", "jsonl"}, {".json", "jsonl"}, {".csv", "csv"}, {".tsv", "tsv"}} {
		if strings.HasSuffix(name, f.ending) {
			return f.form
		}
	}
	return ""
}

// find gives the places of the two columns among names.
func (c ListColumns) find(names []string) (url, caption int, err error) {
	if url, err = findColumn(names, c.URL, urlColumns, "URL", "pairs.url"); err != nil {
		return 0, 0, err
	}
	caption, err = findColumn(names, c.Caption, captionColumns, "caption", "pairs.caption")
	return url, caption, err
}

func findColumn(names []string, asked string, usual []string, what, key string) (int, error) {
	if asked != "" {
		for i, n := range names {
			if n == asked {
				return i, nil
			}
		}
		return 0, fmt.Errorf("there is no column %s (%s); the columns are %s", asked, key, shortList(names))
	}
	for _, u := range usual {
		for i, n := range names {
			if strings.EqualFold(n, u) {
				return i, nil
			}
		}
	}
	return 0, fmt.Errorf("no column is the %s: none of %s is named %s; say which with --set %s=NAME", what, shortList(names), strings.Join(usual, ", "), key)
}

func shortList(names []string) string {
	if len(names) > 20 {
		return fmt.Sprintf("%.40q and %d more", names[:20], len(names)-20)
	}
	return fmt.Sprintf("%.40q", names)
}

// maxListRow is the longest row of a text list, in bytes.
const maxListRow = 16 << 20

// ReadList reads a list in a text form, from its start. The error ends it: the bytes are damaged, or the columns are not
// there.
func ReadList(r io.Reader, form string, c ListColumns) iter.Seq2[ListRow, error] {
	return func(yield func(ListRow, error) bool) {
		src, done, err := unpacked(r)
		if err != nil {
			yield(ListRow{}, err)
			return
		}
		defer done()
		switch form {
		case "jsonl":
			readJSONL(src, c, yield)
		case "csv":
			readCSV(src, ',', c, yield)
		case "tsv":
			readCSV(src, '\t', c, yield)
		default:
			yield(ListRow{}, fmt.Errorf("a list in the form %q is not known", form))
		}
	}
}

// unpacked undoes gzip or zstd, by the first bytes.
func unpacked(r io.Reader) (io.Reader, func(), error) {
	b := bufio.NewReaderSize(r, 64<<10)
	magic, _ := b.Peek(4)
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, nil, err
		}
		return z, func() { z.Close() }, nil
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(b, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	}
	return b, func() {}, nil
}

func readJSONL(r io.Reader, c ListColumns, yield func(ListRow, error) bool) {
	b := bufio.NewReaderSize(r, 64<<10)
	var line []byte
	var scanner jsonscan.Scanner
	for n := int64(0); ; n++ {
		line = line[:0]
		tooLong := false
		var err error
		for {
			var piece []byte
			piece, err = b.ReadSlice('\n')
			if tooLong = tooLong || len(line)+len(piece) > maxListRow; !tooLong {
				line = append(line, piece...)
			}
			if err != bufio.ErrBufferFull {
				break
			}
		}
		row := ListRow{Row: n}
		switch {
		case err != nil && err != io.EOF:
			yield(ListRow{}, err)
			return
		case tooLong:
			row.Bad = fmt.Sprintf("longer than %d bytes", maxListRow)
		case len(bytes.TrimSpace(line)) == 0:
			if err == io.EOF {
				return
			}
			continue
		default:
			row.URL, row.Caption, row.Bad = parseListLine(&scanner, line, c)
		}
		if !yield(row, nil) || err == io.EOF {
			return
		}
	}
}

// listColumn is one of the two columns of a line, as far as it is known.
type listColumn struct {
	asked string
	usual []string

	name  string // of the member that it is; "" until it was there
	rank  int
	value string
	bad   bool // it is no string
}

// takes tells whether the column is the member of this name: the one asked for, or of the usual ones the first in their order;
// of names that differ only in their case the first in theirs.
func (c *listColumn) takes(name string) bool {
	rank := -1
	switch {
	case c.asked == name:
		rank = 0
	case c.asked == "":
		rank = slices.IndexFunc(c.usual, func(u string) bool { return strings.EqualFold(u, name) })
	}
	if rank < 0 || c.name != "" && (rank > c.rank || rank == c.rank && name > c.name) {
		return false
	}
	c.name, c.rank = name, rank
	return true
}

func parseListLine(s *jsonscan.Scanner, line []byte, c ListColumns) (url, caption, bad string) {
	if !utf8.Valid(line) {
		return "", "", "not UTF-8"
	}
	s.Reset(line)
	if s.Kind() != '{' {
		return "", "", "not a JSON object"
	}
	columns := [2]listColumn{{asked: c.URL, usual: urlColumns}, {asked: c.Caption, usual: captionColumns}}
	for s.Enter('{'); s.More('}'); {
		name := string(s.Key())
		isURL, isCaption := columns[0].takes(name), columns[1].takes(name)
		if !isURL && !isCaption {
			s.Skip()
			continue
		}
		kind := s.Kind()
		value, _ := s.String()
		for i, is := range []bool{isURL, isCaption} {
			if is {
				columns[i].value, columns[i].bad = value, kind != '"' && kind != 'n'
			}
		}
	}
	if err := s.End(); err != nil {
		return "", "", "broken JSON: " + err.Error()
	}
	if columns[0].bad || columns[1].bad {
		return "", "", "URL or caption is not a string"
	}
	return columns[0].value, columns[1].value, ""
}

var errUnclosed = errors.New("a row is longer than 16 MiB: perhaps a quotation mark is not closed")

// capped fails when a record grows without end; csv would keep it all in memory.
type capped struct {
	r    io.Reader
	left int
}

func (c *capped) Read(b []byte) (int, error) {
	if c.left <= 0 {
		return 0, errUnclosed
	}
	n, err := c.r.Read(b[:min(len(b), c.left)])
	c.left -= n
	return n, err
}

func readCSV(r io.Reader, comma rune, c ListColumns, yield func(ListRow, error) bool) {
	in := &capped{r: r, left: maxListRow}
	records := csv.NewReader(in)
	records.Comma, records.LazyQuotes, records.FieldsPerRecord, records.ReuseRecord = comma, true, -1, true
	header, err := records.Read()
	if err == io.EOF {
		err = errors.New("it has no header line")
	}
	if err != nil {
		yield(ListRow{}, err)
		return
	}
	header = append([]string(nil), header...)
	header[0] = strings.TrimPrefix(header[0], "\ufeff")
	url, caption, err := c.find(header)
	if err != nil {
		yield(ListRow{}, err)
		return
	}
	for n := int64(0); ; n++ {
		in.left = maxListRow
		fields, err := records.Read()
		row := ListRow{Row: n}
		var parse *csv.ParseError
		switch {
		case err == io.EOF:
			return
		case errors.As(err, &parse):
			row.Bad = parse.Err.Error()
		case err != nil:
			yield(ListRow{}, err)
			return
		case len(fields) <= max(url, caption):
			row.Bad = fmt.Sprintf("%d columns, the header has %d", len(fields), len(header))
		case !utf8.ValidString(fields[url]) || !utf8.ValidString(fields[caption]):
			row.Bad = "not UTF-8"
		default:
			row.URL, row.Caption = strings.Clone(fields[url]), strings.Clone(fields[caption])
		}
		if !yield(row, nil) {
			return
		}
	}
}
