package fetch

// The file in which URLs wait that are too many for memory: blocks of length-prefixed strings, written once, read once.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
)

type spill struct {
	dir  string
	file *os.File
	end  int64
}

type block struct{ at, size int64 }

func (s *spill) write(urls []string) (block, error) {
	if s.file == nil {
		f, err := os.CreateTemp(s.dir, "mmc4-urls-*")
		if err != nil {
			return block{}, fmt.Errorf("fetch: a file for waiting URLs: %w", err)
		}
		s.file = f
	}
	var data []byte
	for _, u := range urls {
		data = binary.AppendUvarint(data, uint64(len(u)))
		data = append(data, u...)
	}
	if _, err := s.file.WriteAt(data, s.end); err != nil {
		return block{}, fmt.Errorf("fetch: keeping URLs that wait in %s: %w", s.file.Name(), err)
	}
	b := block{s.end, int64(len(data))}
	s.end += b.size
	return b, nil
}

func (s *spill) read(b block) ([]string, error) {
	data := make([]byte, b.size)
	if _, err := s.file.ReadAt(data, b.at); err != nil {
		return nil, fmt.Errorf("fetch: reading waiting URLs from %s: %w", s.file.Name(), err)
	}
	var urls []string
	for len(data) > 0 {
		n, k := binary.Uvarint(data)
		if k <= 0 || n > uint64(len(data)-k) {
			return nil, fmt.Errorf("fetch: %s was changed by someone else", s.file.Name())
		}
		urls = append(urls, string(data[k:k+int(n)]))
		data = data[k+int(n):]
	}
	return urls, nil
}

// close removes the file.
func (s *spill) close() error {
	if s.file == nil {
		return nil
	}
	return errors.Join(s.file.Close(), os.Remove(s.file.Name()))
}
