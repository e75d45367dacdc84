package warc

// The compressed side of a file: a buffered reader that knows its place, and that can go back to where a damaged member
// began and look for the next one.

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

const (
	bufferSize = 1 << 20 // most members lie in it whole
	keepBack   = 8 << 20 // bytes of a member that are kept for going back
)

// source counts what passes and keeps a copy from a mark on.
type source struct {
	r    io.Reader
	pos  int64  // bytes read from r, so far
	kept []byte // the bytes before pos, from the mark on; nil once there were too many
	lost bool   // more than keepBack bytes since the mark
	err  error  // what r ended with
	br   *bufio.Reader
}

func newSource(r io.Reader) *source {
	s := &source{r: r}
	size := bufferSize
	if in, ok := r.(*bytes.Reader); ok {
		size = min(size, in.Len()+1)
	}
	s.br = bufio.NewReaderSize(s, size)
	return s
}

// Read is for br alone.
func (s *source) Read(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	n, err := s.r.Read(p)
	s.pos += int64(n)
	if !s.lost {
		if len(s.kept)+n > keepBack {
			s.lost, s.kept = true, s.kept[:0]
		} else {
			s.kept = append(s.kept, p[:n]...)
		}
	}
	s.err = err
	return n, err
}

// offset is the place of the next byte that br gives.
func (s *source) offset() int64 { return s.pos - int64(s.br.Buffered()) }

// mark says that a member begins at offset(): only what comes from here on is kept.
func (s *source) mark() {
	if s.lost {
		buffered, _ := s.br.Peek(s.br.Buffered())
		s.kept, s.lost = append(s.kept[:0], buffered...), false
		return
	}
	if drop := len(s.kept) - s.br.Buffered(); drop > 1<<20 || drop == len(s.kept) {
		s.kept = s.kept[:copy(s.kept, s.kept[drop:])]
	}
}

// failed is the error of the underlying reader, nil at a clean end.
func (s *source) failed() error {
	if s.err == nil || errors.Is(s.err, io.EOF) {
		return nil
	}
	return s.err
}

// ended tells whether everything was read.
func (s *source) ended() bool { return s.err != nil && s.br.Buffered() == 0 }

// findAfter looks for magic behind the member that began at start, from start+1 on, and puts br there. Where the member was too long to
// be kept, it looks on from here.
func (s *source) findAfter(start int64, magic []byte) bool {
	if !s.lost {
		from := start + 1 - (s.pos - int64(len(s.kept)))
		rest := bytes.Clone(s.kept[max(0, min(from, int64(len(s.kept)))):])
		s.pos -= int64(len(rest))
		s.kept = s.kept[:0]
		back := s.r
		if s.err != nil {
			err := s.err
			back = errReader{err}
			s.err = nil
		}
		s.r = io.MultiReader(bytes.NewReader(rest), back)
		s.br.Reset(s)
	}
	for {
		window, err := s.br.Peek(s.br.Size())
		if i := bytes.Index(window, magic); i >= 0 {
			s.br.Discard(i)
			s.mark()
			return true
		}
		s.br.Discard(max(0, len(window)-len(magic)+1))
		s.mark()
		if err != nil {
			s.br.Discard(s.br.Buffered())
			return false
		}
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }
