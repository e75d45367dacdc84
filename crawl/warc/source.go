package warc

// The compressed side of a file: a buffered reader that knows its place, and that can go back to where a damaged member
// began and look for the next one.

import (
	"bytes"
	"errors"
	"io"
)

const (
	bufferSize = 1 << 20 // most members lie in it whole
	keepBack   = 8 << 20 // bytes of a member that are kept for going back
)

// source is a buffer on a file: buf[at:] comes next, and nothing from a mark on is dropped.
type source struct {
	r      io.Reader
	lent   *[bufferSize]byte // what buf began as
	pos    int64             // bytes read from r: the place in the file where buf ends
	buf    []byte
	at     int
	marked int   // -1 once more than keepBack bytes have passed since
	ahead  int   // as many bytes can be seen at once
	err    error // what r ended with
}

func newSource(r io.Reader) *source {
	s := &source{r: r, ahead: bufferSize}
	if in, ok := r.(*bytes.Reader); ok {
		s.ahead = min(s.ahead, in.Len()+1)
	}
	s.lent = buffers.Get().(*[bufferSize]byte)
	s.buf = s.lent[:0]
	return s
}

// close gives the buffer back; nothing can be read any more.
func (s *source) close() {
	if s.lent != nil {
		buffers.Put(s.lent)
		s.lent, s.buf, s.at, s.marked, s.err = nil, nil, 0, 0, errClosed
	}
}

var errClosed = errors.New("the reader is closed")

// fill reads on until n bytes are buffered, at most ahead, or r ends.
func (s *source) fill(n int) {
	for empty := 0; s.Buffered() < n && s.err == nil; {
		if len(s.buf) == cap(s.buf) || cap(s.buf)-s.at < n {
			s.makeRoom(n)
		}
		k, err := s.r.Read(s.buf[len(s.buf):cap(s.buf)])
		s.buf, s.pos, s.err = s.buf[:len(s.buf)+k], s.pos+int64(k), err
		if k > 0 {
			empty = 0
		} else if empty++; empty == 100 && err == nil {
			s.err = io.ErrNoProgress
		}
	}
}

// makeRoom drops what need not be kept, and grows the buffer when n bytes still have no place.
func (s *source) makeRoom(n int) {
	if s.at-s.marked > keepBack {
		s.marked = -1
	}
	keep := s.at
	if s.marked >= 0 {
		keep, s.marked = s.marked, 0
	}
	from := s.buf[keep:]
	s.at -= keep
	if need := s.at + n; cap(s.buf) < need || cap(s.buf) == len(from) {
		bigger := make([]byte, 0, max(need, 2*cap(s.buf)))
		s.buf = append(bigger, from...)
		return
	}
	s.buf = s.buf[:copy(s.buf, from)]
}

// Buffered is the number of bytes that can be had without reading.
func (s *source) Buffered() int { return len(s.buf) - s.at }

// Peek gives the next n bytes, which stay where they are; fewer with the error that the file ended with.
func (s *source) Peek(n int) ([]byte, error) {
	s.fill(n)
	if s.Buffered() < n {
		return s.buf[s.at:], s.err
	}
	return s.buf[s.at : s.at+n], nil
}

// Discard passes over n buffered bytes.
func (s *source) Discard(n int) { s.at += n }

func (s *source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if s.fill(1); s.Buffered() == 0 {
		return 0, s.err
	}
	n := copy(p, s.buf[s.at:])
	s.at += n
	return n, nil
}

func (s *source) ReadByte() (byte, error) {
	if s.fill(1); s.Buffered() == 0 {
		return 0, s.err
	}
	s.at++
	return s.buf[s.at-1], nil
}

// offset is the place in the file of the next byte.
func (s *source) offset() int64 { return s.pos - int64(s.Buffered()) }

// mark says that a member begins at offset(): only what comes from here on is kept.
func (s *source) mark() { s.marked = s.at }

// failed is the error of the underlying reader, nil at a clean end.
func (s *source) failed() error {
	if s.err == nil || errors.Is(s.err, io.EOF) {
		return nil
	}
	return s.err
}

// ended tells whether everything was read.
func (s *source) ended() bool { return s.err != nil && s.Buffered() == 0 }

// findAfter looks for magic behind the first byte of the marked member, and goes there. Where the member was too long to be kept, it
// looks on from here.
func (s *source) findAfter(magic []byte) bool {
	if s.marked >= 0 {
		s.at = min(s.marked+1, len(s.buf))
	}
	for {
		s.mark()
		window, err := s.Peek(s.ahead)
		if i := bytes.Index(window, magic); i >= 0 {
			s.Discard(i)
			s.mark()
			return true
		}
		if err != nil {
			s.Discard(s.Buffered())
			return false
		}
		s.Discard(max(0, len(window)-len(magic)+1))
	}
}
