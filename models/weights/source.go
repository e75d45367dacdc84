package weights

// Where the bytes come from: a mapped file, or anything that can be read at an offset. Reads only.

import (
	"fmt"
	"io"
	"os"
)

// source gives stretches of a file of known size.
type source struct {
	name   string
	size   int64
	mapped []byte      // the whole file, or nil
	reader io.ReaderAt // used when mapped is nil
	close  func() error
}

// openSource maps the file, or reads it in pieces where mapping does not work.
func openSource(path string) (*source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	if !info.Mode().IsRegular() {
		f.Close()
		return nil, fmt.Errorf("%s is not a regular file", path)
	}
	s := &source{name: path, size: info.Size(), reader: f, close: f.Close}
	if mapped, unmap, err := mapFile(f, s.size); err == nil {
		f.Close()
		s.mapped, s.close = mapped, unmap
	}
	return s, nil
}

// bytes gives n bytes from off. They may be part of the mapping.
func (s *source) bytes(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > s.size || n > s.size-off {
		return nil, fmt.Errorf("%s: bytes %d to %d lie outside the file of %d bytes: it is damaged or cut short; fetch it again", s.name, off, off+n, s.size)
	}
	if s.mapped != nil {
		return s.mapped[off : off+n : off+n], nil
	}
	b := make([]byte, n)
	if read, err := s.reader.ReadAt(b, off); int64(read) < n {
		return nil, fmt.Errorf("%s: reading %d bytes at %d: %w", s.name, n, off, err)
	}
	return b, nil
}

// ReadAt makes the source an io.ReaderAt for the zip directory.
func (s *source) ReadAt(p []byte, off int64) (int, error) {
	if s.mapped == nil {
		return s.reader.ReadAt(p, off)
	}
	if off < 0 || off >= s.size {
		return 0, io.EOF
	}
	n := copy(p, s.mapped[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
