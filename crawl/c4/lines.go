package c4

// Bytes to lines: decompression by the first bytes, and lines of bounded length.

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// decompress opens gzip (all members) and zstd (all frames) by their magic; other bytes are given as they are. A file that
// calls itself .gz or .zst and has not even the magic was cut off.
func decompress(r io.Reader, name string) (io.Reader, func(), error) {
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	switch {
	case len(head) < 4 && (strings.HasSuffix(name, ".gz") || strings.HasSuffix(name, ".zst")):
		return nil, nil, io.ErrUnexpectedEOF
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, nil, fmt.Errorf("gzip: %w", unexpected(err))
		}
		return z, func() { z.Close() }, nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}), len(head) == 4 && head[0]&0xf0 == 0x50 && bytes.Equal(head[1:], []byte{0x2a, 0x4d, 0x18}):
		z, err := zstd.NewReader(br, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(128<<20), zstd.WithDecoderLowmem(true))
		if err != nil {
			return nil, nil, fmt.Errorf("zstd: %w", err)
		}
		return z, z.Close, nil
	}
	return br, func() {}, nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// lines splits a stream at LF. The last line needs no LF, unless the stream breaks inside it.
type lines struct {
	br     *bufio.Reader
	limit  int
	number int // of the line that next gave, from 1
	buf    []byte
}

func newLines(r io.Reader, limit int) *lines {
	return &lines{br: bufio.NewReaderSize(r, 256<<10), limit: limit}
}

// next gives a line without its LF, valid until the next call. A line over the limit is passed over to its end. At the end
// io.EOF; a broken stream gives its error, at the line that it broke in.
func (l *lines) next() (line []byte, tooLong bool, err error) {
	l.number++
	part, err := l.br.ReadSlice('\n')
	if err == nil {
		return part[:len(part)-1], len(part)-1 > l.limit, nil
	}
	l.buf = append(l.buf[:0], part...)
	for errors.Is(err, bufio.ErrBufferFull) {
		part, err = l.br.ReadSlice('\n')
		if tooLong = tooLong || len(l.buf)+len(part) > l.limit+1; !tooLong {
			l.buf = append(l.buf, part...)
		}
	}
	switch {
	case err == nil && tooLong:
		return nil, true, nil
	case err == nil:
		return l.buf[:len(l.buf)-1], false, nil
	case err == io.EOF && (len(l.buf) > 0 || tooLong):
		return l.buf, tooLong, nil
	}
	return nil, false, err
}
