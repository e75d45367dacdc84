package eval

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"

	"mmc4/internal/storage"
)

// pictures are the folders, buckets, addresses and tars that pictures are read from, each opened once.
type pictures struct {
	mu   sync.Mutex
	open map[string]place
}

// place is somewhere that pictures lie.
type place interface {
	read(name string) ([]byte, error)
}

// read reads a picture below a folder, s3:// or https:// location, or in a tar.
func (p *pictures) read(root, name string) ([]byte, error) {
	p.mu.Lock()
	at, ok := p.open[root]
	if !ok {
		var err error
		if at, err = openPlace(root); err != nil {
			p.mu.Unlock()
			return nil, err
		}
		if p.open == nil {
			p.open = map[string]place{}
		}
		p.open[root] = at
	}
	p.mu.Unlock()
	return at.read(name)
}

func openPlace(root string) (place, error) {
	if !strings.HasSuffix(root, ".tar") {
		s, err := storage.Open(context.Background(), root, storage.Options{})
		return folder{s}, err
	}
	o, err := storage.OpenFile(context.Background(), root, storage.Options{})
	if err != nil {
		return nil, err
	}
	return indexTar(root, o, o.Info().Size)
}

type folder struct{ storage.Store }

func (f folder) read(name string) ([]byte, error) {
	return storage.ReadFile(context.Background(), f.Store, name)
}

// archive is an uncompressed tar with the places of its members.
type archive struct {
	data    io.ReaderAt
	members map[string][2]int64 // offset and size
}

// indexTar reads the headers of a tar once.
func indexTar(root string, data io.ReaderAt, size int64) (*archive, error) {
	a := &archive{data: data, members: map[string][2]int64{}}
	section := io.NewSectionReader(data, 0, size)
	for r := tar.NewReader(section); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return a, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", root, err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		offset, err := section.Seek(0, io.SeekCurrent) // the reader reads no further than the header
		if err != nil {
			return nil, err
		}
		a.members[path.Clean(h.Name)] = [2]int64{offset, h.Size}
	}
}

func (a *archive) read(name string) ([]byte, error) {
	m, ok := a.members[path.Clean(name)]
	if !ok {
		return nil, fs.ErrNotExist
	}
	data, err := io.ReadAll(io.NewSectionReader(a.data, m[0], m[1])) // grows with what is there, whatever the header says
	if err == nil && int64(len(data)) < m[1] {
		err = io.ErrUnexpectedEOF
	}
	return data, err
}
