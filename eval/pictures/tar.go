package pictures

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// archive is an uncompressed tar with the places of its members.
type archive struct {
	data    io.ReaderAt
	members map[string][2]int64 // offset and size
}

// indexTar reads the headers of a tar once, and those of tars that are members of it, as in ImageNet's official form.
func indexTar(data io.ReaderAt, size int64) (*archive, error) {
	a := &archive{data: data, members: map[string][2]int64{}}
	return a, a.index("", 0, size, true)
}

func (a *archive) index(prefix string, start, size int64, outermost bool) error {
	section := io.NewSectionReader(a.data, start, size)
	for r := tar.NewReader(section); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		offset, err := section.Seek(0, io.SeekCurrent) // the reader reads no further than the header
		if err != nil {
			return err
		}
		name := prefix + strings.TrimPrefix(path.Clean(h.Name), "/")
		if outermost && path.Ext(name) == ".tar" {
			if err := a.index(name+"/", start+offset, h.Size, false); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			continue
		}
		a.members[name] = [2]int64{start + offset, h.Size}
	}
}

// Read gives a member.
func (a *archive) Read(_ context.Context, name string) ([]byte, error) {
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

// Names lists members.
func (a *archive) Names(_ context.Context, folder string) ([]string, error) {
	var all []string
	for name := range a.members {
		if strings.HasPrefix(name, prefix(folder)) {
			all = append(all, name)
		}
	}
	return sorted(all), nil
}

func sorted(names []string) []string {
	slices.Sort(names)
	return names
}

func isMissing(err error) bool { return errors.Is(err, fs.ErrNotExist) }
