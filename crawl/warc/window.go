package warc

// The decompressed side: what the reader needs of a buffer, which a bufio.Reader has and a member in memory too.

import (
	"bytes"
	"io"
)

type window interface {
	Peek(n int) ([]byte, error)
	Discard(n int) (int, error)
	ReadSlice(delim byte) ([]byte, error)
	ReadByte() (byte, error)
	Buffered() int
}

// memory is a window on a slice.
type memory struct {
	data []byte
	at   int
}

func (m *memory) Buffered() int { return len(m.data) - m.at }

func (m *memory) Peek(n int) ([]byte, error) {
	if rest := m.data[m.at:]; len(rest) < n {
		return rest, io.EOF
	}
	return m.data[m.at : m.at+n], nil
}

func (m *memory) Discard(n int) (int, error) {
	m.at += n
	return n, nil
}

func (m *memory) ReadByte() (byte, error) {
	if m.at == len(m.data) {
		return 0, io.EOF
	}
	m.at++
	return m.data[m.at-1], nil
}

func (m *memory) ReadSlice(delim byte) ([]byte, error) {
	rest := m.data[m.at:]
	i := bytes.IndexByte(rest, delim)
	if i < 0 {
		m.at = len(m.data)
		return rest, io.EOF
	}
	m.at += i + 1
	return rest[:i+1], nil
}
