package warc

// The reader: record after record, over the members of a file.

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"strconv"
	"strings"
)

const (
	defaultHead  = 1 << 20
	defaultBlock = 64 << 20
	defaultBody  = 64 << 20
)

// Limits bound what one record may take in memory; a zero value means the default.
type Limits struct {
	Head  int   // bytes of a WARC or HTTP head: 1 MiB
	Block int64 // bytes of a block that are kept: 64 MiB; the rest is passed over and the record is marked Cut
	Body  int64 // bytes of a decoded body: 64 MiB
}

// Reasons in Stats.Skipped.
const (
	SkipJunk     = "bytes that are no WARC record"
	SkipHead     = "WARC head is malformed, too long or cut"
	SkipNoLength = "no valid Content-Length"
	SkipDamaged  = "damaged compressed member"
)

// ErrNoRecords: the file has bytes, but not one record.
var ErrNoRecords = errors.New("no WARC record in the file")

// Stats counts what a reader passed over.
type Stats struct {
	Records int64
	Skipped map[string]int64 // reason -> how often
}

// Reader reads records one after the other.
type Reader struct {
	// OnSkip, when set, is told of everything that is passed over: the offset of the member that it lies in, and the reason.
	OnSkip func(offset int64, reason string)

	name   string
	limits Limits
	m      members
	dec    window // the decompressed bytes of the member: mem or buf
	mem    memory
	buf    *bufio.Reader
	in     bool  // a member is open
	pos    int64 // decompressed bytes of the member that were taken
	index  int   // records of the member so far
	block  []byte
	line   []byte
	passed int // skips since the last record
	stats  Stats
	rec    Record
	err    error // sticky
}

const maxPassed = 1000 // skips in a row after which a file is given up: who keeps a list of them needs no more memory

// NewReader reads from r, compressed or not (told by its first bytes); name stands in errors.
func NewReader(r io.Reader, name string, limits ...Limits) *Reader {
	w := &Reader{name: name, m: members{src: newSource(r)}, stats: Stats{Skipped: map[string]int64{}}}
	if len(limits) > 0 {
		w.limits = limits[0]
	}
	if w.limits.Head <= 0 {
		w.limits.Head = defaultHead
	}
	if w.limits.Block <= 0 {
		w.limits.Block = defaultBlock
	}
	if w.limits.Body <= 0 {
		w.limits.Body = defaultBody
	}
	return w
}

// Stats tells what was read and what was passed over so far.
func (r *Reader) Stats() Stats {
	return Stats{Records: r.stats.Records, Skipped: maps.Clone(r.stats.Skipped)}
}

// Close frees the decoders.
func (r *Reader) Close() error {
	r.m.close()
	return nil
}

// Next gives the next record, io.EOF at the end, or an error that names file and offset when nothing more can be read.
// A file that is cut inside a record gives what there is of it (Short), then the error.
func (r *Reader) Next() (*Record, error) {
	for r.err == nil {
		if r.passed > maxPassed {
			r.err = fmt.Errorf("%s: given up at offset %d: %d times in a row there was no record", r.name, r.m.start, r.passed)
			break
		}
		if !r.in {
			all, stream, err := r.m.next()
			if err == io.EOF {
				r.err = io.EOF
				if r.stats.Records == 0 && len(r.stats.Skipped) > 0 {
					r.err = fmt.Errorf("%s: %w", r.name, ErrNoRecords)
				}
				break
			}
			if err != nil {
				r.damage(err)
				continue
			}
			r.open(all, stream)
			r.in, r.pos, r.index = true, 0, 0
		}
		if rec := r.record(); rec != nil {
			r.stats.Records++
			r.passed = 0
			return rec, nil
		}
	}
	return nil, r.err
}

// open sets dec on a member.
func (r *Reader) open(all []byte, stream io.Reader) {
	switch {
	case stream == nil:
		r.mem = memory{all, 0}
		r.dec = &r.mem
		return
	case r.buf == nil:
		r.buf = bufio.NewReaderSize(stream, 64<<10)
	default:
		r.buf.Reset(stream)
	}
	r.dec = r.buf
}

func (r *Reader) skip(reason string) {
	r.passed++
	r.stats.Skipped[reason]++
	if r.OnSkip != nil {
		r.OnSkip(r.m.start, reason)
	}
}

// damage ends a member that cannot be decompressed further, and goes to the next one.
func (r *Reader) damage(err error) {
	start := r.m.start
	r.in = false
	if failed := r.m.src.failed(); failed != nil {
		r.err = fmt.Errorf("%s: offset %d: %w", r.name, start, failed)
		return
	}
	cut := errors.Is(err, io.ErrUnexpectedEOF) && r.m.src.ended()
	if r.m.resync() {
		r.skip(SkipDamaged)
		return
	}
	if cut {
		r.err = fmt.Errorf("%s: the file is cut inside the member at offset %d: %w", r.name, start, io.ErrUnexpectedEOF)
		return
	}
	r.skip(SkipDamaged)
}

// record reads one record of the member at hand; nil when there was none to give.
func (r *Reader) record() *Record {
	if !r.toRecord() {
		return nil
	}
	begin := r.pos
	rec := &r.rec
	*rec = Record{Offset: r.m.start, Index: r.index, Header: rec.Header[:0], limits: r.limits}
	if r.m.kind == plain {
		rec.Offset += begin
	}
	if !r.head(rec) {
		return nil
	}
	rec.Type = strings.ToLower(rec.Header.Get("WARC-Type"))
	declared, err := strconv.ParseInt(rec.Header.Get("Content-Length"), 10, 64)
	if err != nil || declared < 0 {
		if r.m.kind == plain || r.index > 0 {
			r.skip(SkipNoLength)
			return nil
		}
		declared = -1 // all that is left of the member
	}
	err = r.readBlock(rec, declared)
	r.index++
	if r.m.kind == plain {
		rec.Length = r.pos - begin
	}
	if err == nil {
		err = r.finish(rec)
	}
	if err == nil || err == io.EOF {
		return rec
	}
	r.damage(err)
	if r.err != nil && errors.Is(r.err, io.ErrUnexpectedEOF) {
		rec.Short = true
		return rec // the file's last, cut record
	}
	return nil
}

// toRecord goes to the next line that starts a record; false when the member ended, or broke, before one.
func (r *Reader) toRecord() bool {
	junk := false
	for {
		c, err := r.dec.Peek(1)
		if err == nil && (c[0] == '\r' || c[0] == '\n') {
			r.dec.ReadByte()
			r.pos++
			continue
		}
		if err == nil {
			start, _ := r.dec.Peek(6)
			if len(start) == 6 && bytes.HasPrefix(start, []byte("WARC/")) && '0' <= start[5] && start[5] <= '9' {
				return true
			}
			if !junk {
				junk = true
				r.skip(SkipJunk)
			}
			if err = r.passLine(); err == nil {
				continue
			}
		}
		if err == io.EOF {
			r.in = false
		} else {
			r.damage(err)
		}
		return false
	}
}

// passLine drops the rest of a line, however long.
func (r *Reader) passLine() error {
	for {
		part, err := r.dec.ReadSlice('\n')
		r.pos += int64(len(part))
		if err != bufio.ErrBufferFull {
			return err
		}
	}
}

// head reads the version line and the fields; false when the record was given up.
func (r *Reader) head(rec *Record) bool {
	total := 0
	lines := headLines{h: rec.Header}
	for first := true; ; first = false {
		line, err := r.readLine(r.limits.Head - total)
		total += len(line)
		if err == bufio.ErrBufferFull {
			r.skip(SkipHead)
			return false
		}
		if err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
				if r.m.kind != plain {
					r.skip(SkipHead)
					r.in = false
					return false
				}
			}
			r.skip(SkipHead)
			r.damage(err)
			return false
		}
		line = bytes.TrimRight(line, "\r\n")
		switch {
		case first:
			rec.Version = string(bytes.TrimSpace(line))
			if strings.ContainsAny(rec.Version, " \t") {
				r.skip(SkipJunk)
				return false
			}
		case len(line) == 0:
			lines.end()
			rec.Header = lines.h
			return true
		default:
			lines.add(line)
		}
	}
}

// readLine gives a line with its end; bufio.ErrBufferFull when it is longer than limit. At the end of the member without a
// line end: io.EOF.
func (r *Reader) readLine(limit int) ([]byte, error) {
	part, err := r.dec.ReadSlice('\n')
	r.pos += int64(len(part))
	if err != bufio.ErrBufferFull {
		if len(part) > limit {
			err = bufio.ErrBufferFull
		}
		return part, err
	}
	r.line = append(r.line[:0], part...)
	for err == bufio.ErrBufferFull {
		if len(r.line) > limit {
			return nil, bufio.ErrBufferFull
		}
		part, err = r.dec.ReadSlice('\n')
		r.pos += int64(len(part))
		r.line = append(r.line, part...)
	}
	return r.line, err
}

// whole gives a block of a member in memory without copying it.
func (r *Reader) whole(declared int64) ([]byte, bool) {
	if r.dec != window(&r.mem) || declared < 0 || declared > min(r.limits.Block, int64(r.dec.Buffered())) {
		return nil, false
	}
	block, _ := r.dec.Peek(int(declared))
	r.dec.Discard(len(block))
	r.pos += declared
	return block[:len(block):len(block)], true
}

// readBlock reads declared bytes (-1: to the end of the member) and keeps as many as the limit allows.
func (r *Reader) readBlock(rec *Record, declared int64) error {
	if block, ok := r.whole(declared); ok {
		rec.Block = block
		return nil
	}
	r.block = r.block[:0]
	left := declared
	for left != 0 {
		if r.dec.Buffered() == 0 {
			if _, err := r.dec.Peek(1); err != nil {
				rec.Block = r.block
				if err != io.EOF {
					return err
				}
				rec.Short = declared > 0
				if r.m.kind == plain && rec.Short {
					return io.ErrUnexpectedEOF
				}
				break
			}
		}
		part, _ := r.dec.Peek(r.dec.Buffered())
		if left > 0 && int64(len(part)) > left {
			part = part[:left]
		}
		keep := min(int64(len(part)), r.limits.Block-int64(len(r.block)))
		rec.Cut = rec.Cut || keep < int64(len(part))
		r.block = append(r.block, part[:keep]...)
		r.dec.Discard(len(part))
		r.pos += int64(len(part))
		if left > 0 {
			left -= int64(len(part))
		}
	}
	rec.Block = r.block
	return nil
}

// finish goes to the end of a compressed member, or to the next record in it, and sets the record's Length.
func (r *Reader) finish(rec *Record) error {
	if r.m.kind == plain {
		return nil
	}
	junk := false
	for {
		c, err := r.dec.Peek(6)
		if len(c) == 0 {
			if err != io.EOF {
				return err
			}
			r.in = false
			if rec.Index == 0 {
				rec.Length = r.m.src.offset() - r.m.start
			}
			return nil
		}
		if c[0] == '\r' || c[0] == '\n' {
			r.dec.ReadByte()
			r.pos++
			continue
		}
		if bytes.HasPrefix(c, []byte("WARC/")) {
			return nil
		}
		if !junk {
			junk = true
			r.skip(SkipJunk)
		}
		if err := r.passLine(); err != nil && err != io.EOF {
			return err
		}
	}
}
