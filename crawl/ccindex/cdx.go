package ccindex

// CDXJ: cdx-NNNNN.gz files of gzip blocks, each with a run of lines, and cluster.idx with the first key and the place of
// every block.

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"mmc4/internal/jsonscan"
)

// File is a file of an index: internal/storage's objects are such.
type File interface {
	io.ReaderAt
	io.Closer
}

// CDX is a CDXJ index: the folder indexes/ of a crawl.
type CDX struct {
	name string
	open func(ctx context.Context, file string) (File, int64, error)
}

// NewCDX makes a reader of the index whose files open gives by name ("cluster.idx", "cdx-00000.gz") with their sizes. name
// stands in errors.
func NewCDX(name string, open func(ctx context.Context, file string) (File, int64, error)) *CDX {
	return &CDX{name: name, open: open}
}

// block is one line of cluster.idx.
type block struct {
	key    string // SURT of its first line
	file   string
	offset int64
	length int64
}

const maxRun = 4 << 20 // bytes of neighbouring blocks that are read at once

// Lookup yields the captures of the given SURT keys (sorted, no repeats) in the index's order. cluster.idx is read from
// its start, so memory does not grow with the index. A line that cannot be read is an error (ErrBadRow), after which
// going on gives the rest; after another error nothing more comes.
func (c *CDX) Lookup(ctx context.Context, keys []string) iter.Seq2[Capture, error] {
	return func(yield func(Capture, error) bool) {
		if len(keys) == 0 {
			return
		}
		l := lookup{cdx: c, ctx: ctx, want: wanted{keys: keys}, yield: yield}
		defer l.close()
		if err := l.run(keys); err != nil && !errors.Is(err, errStop) {
			yield(Capture{}, fmt.Errorf("%s: %w", c.name, err))
		}
	}
}

var errStop = errors.New("the caller has enough")

// lookup is one pass over the index.
type lookup struct {
	cdx   *CDX
	ctx   context.Context
	want  wanted
	yield func(Capture, error) bool

	pending  []block // neighbours to be read at once
	fileName string
	file     File
	size     int64 // of file
	s        jsonscan.Scanner
}

func (l *lookup) close() {
	if l.file != nil {
		l.file.Close()
	}
}

// run goes over cluster.idx; a block is read when a wanted key lies between its first key and the next block's, both
// included (the lines of one key may span blocks).
func (l *lookup) run(keys []string) error {
	cluster, size, err := l.cdx.open(l.ctx, "cluster.idx")
	if err != nil {
		return err
	}
	defer cluster.Close()
	lines := bufio.NewScanner(io.NewSectionReader(cluster, 0, size))
	lines.Buffer(nil, 1<<20)
	var held block
	have := false
	for n := 1; lines.Scan(); n++ {
		if err := l.ctx.Err(); err != nil {
			return err
		}
		b, err := parseBlock(lines.Text())
		if err != nil {
			return fmt.Errorf("cluster.idx: line %d: %w", n, err)
		}
		if have {
			if held.key > keys[len(keys)-1] {
				return l.flush()
			}
			if between(keys, held.key, b.key) {
				if err := l.add(held); err != nil {
					return err
				}
			}
		}
		held, have = b, true
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("cluster.idx: %w", err)
	}
	if have && held.key <= keys[len(keys)-1] {
		if err := l.add(held); err != nil {
			return err
		}
	}
	return l.flush()
}

// parseBlock reads "SURT time TAB file TAB offset TAB length TAB number".
func parseBlock(line string) (b block, err error) {
	fields := strings.Split(line, "\t")
	if len(fields) < 4 {
		return b, errors.New("expected key, file, offset and length between tabs")
	}
	b.key, _, _ = strings.Cut(fields[0], " ")
	b.file = fields[1]
	offset, err1 := strconv.ParseInt(fields[2], 10, 64)
	length, err2 := strconv.ParseInt(fields[3], 10, 64)
	if err1 != nil || err2 != nil || offset < 0 || length <= 0 || length > 1<<30 {
		return b, fmt.Errorf("offset %q, length %q", fields[2], fields[3])
	}
	b.offset, b.length = offset, length
	return b, nil
}

// add puts a block to its neighbours, and reads these first when it is none.
func (l *lookup) add(b block) error {
	if n := len(l.pending); n > 0 {
		last := l.pending[n-1]
		if last.file != b.file || last.offset+last.length != b.offset || b.offset+b.length-l.pending[0].offset > maxRun {
			if err := l.flush(); err != nil {
				return err
			}
		}
	}
	l.pending = append(l.pending, b)
	return nil
}

// flush reads the neighbours and yields what is wanted of them.
func (l *lookup) flush() error {
	if len(l.pending) == 0 {
		return nil
	}
	first, last := l.pending[0], l.pending[len(l.pending)-1]
	l.pending = l.pending[:0]
	if l.file == nil || l.fileName != first.file {
		l.close()
		file, size, err := l.cdx.open(l.ctx, first.file)
		if err != nil {
			l.file = nil
			return err
		}
		l.file, l.fileName, l.size = file, first.file, size
	}
	if last.offset > l.size-last.length {
		return fmt.Errorf("%s has %d bytes; cluster.idx puts a block of %d at %d", first.file, l.size, last.length, last.offset)
	}
	data := make([]byte, last.offset+last.length-first.offset)
	if n, err := l.file.ReadAt(data, first.offset); n < len(data) {
		return fmt.Errorf("%s: %d bytes at %d: %w", first.file, len(data), first.offset, noEOF(err))
	}
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("%s: block at %d: %w", first.file, first.offset, noEOF(err))
	}
	lines := bufio.NewReaderSize(z, 64<<10)
	for {
		line, err := readLine(lines)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: blocks at %d: %w", first.file, first.offset, noEOF(err))
		}
		key, rest, ok := bytes.Cut(line, []byte(" "))
		if !ok || !l.want.has(key) {
			continue
		}
		capture, err := l.parse(string(key), rest)
		if err != nil {
			err = fmt.Errorf("%s: %s: %w: %v", l.cdx.name, first.file, ErrBadRow, err)
		}
		if !l.yield(capture, err) {
			return errStop
		}
	}
}

// readLine gives a line of any length up to 1 MiB without its end.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		long := bytes.Clone(line)
		for errors.Is(err, bufio.ErrBufferFull) {
			if line, err = r.ReadSlice('\n'); len(long) < 1<<20 {
				long = append(long, line...)
			}
		}
		line = long
	}
	if err == io.EOF && len(line) > 0 {
		err = nil
	}
	return bytes.TrimRight(line, "\r\n"), err
}

// parse reads "time {json}"; all values are strings, numbers are taken too.
func (l *lookup) parse(key string, rest []byte) (Capture, error) {
	stamp, text, _ := bytes.Cut(rest, []byte(" "))
	c := Capture{SURT: key}
	var err error
	if c.FetchTime, err = time.Parse("20060102150405", string(stamp)); err != nil {
		return c, fmt.Errorf("time %q", stamp)
	}
	s := &l.s
	s.Reset(text)
	if s.Kind() != '{' {
		return c, errors.New("no JSON object")
	}
	haveOffset, haveLength := false, false
	for s.Enter('{'); s.More('}'); {
		switch string(s.Key()) {
		case "url":
			c.URL, _ = s.String()
		case "mime":
			c.MIME, _ = s.String()
		case "mime-detected":
			c.MIMEDetected, _ = s.String()
		case "status":
			status, _ := s.Int()
			c.Status = int(status)
		case "digest":
			digest, _ := s.String()
			c.Digest = plainDigest(digest)
		case "truncated":
			c.Truncated, _ = s.String()
		case "filename":
			c.WARCFilename, _ = s.String()
		case "offset":
			c.Offset, haveOffset = s.Int()
		case "length":
			c.Length, haveLength = s.Int()
		default:
			s.Skip()
		}
	}
	if err := s.End(); err != nil {
		return c, err
	}
	if c.URL == "" || c.WARCFilename == "" || !haveOffset || !haveLength {
		return c, errors.New("url, filename, offset or length is missing")
	}
	return c, nil
}

func noEOF(err error) error {
	if errors.Is(err, io.EOF) || err == nil {
		return io.ErrUnexpectedEOF
	}
	return err
}
