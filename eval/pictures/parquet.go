package pictures

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"mmc4/schemas"
)

// Columns that hold a picture's name and its bytes, the first that a file has: those of Hugging Face's data sets, and those of
// this program's own pairs.
var (
	nameColumns  = []string{"image.path", "file_name", "filename", "image_name", "path", "name", "key"}
	bytesColumns = []string{"image.bytes", "bytes", "image", "jpg"}
)

// namesAtOnce is how many names are read together when a file is indexed.
const namesAtOnce = 4096

// rows are the pictures of a Parquet file. A name is found as it is, or, since data sets often drop folders, by its last part.
type rows struct {
	row   map[string]int64
	names []string

	mu    sync.Mutex // a reader is for one goroutine
	bytes *schemas.ColumnReader
}

// indexParquet reads the column of names.
func indexParquet(data io.ReaderAt, size int64) (*rows, error) {
	names, err := columnOf(data, size, nameColumns)
	if err != nil {
		return nil, fmt.Errorf("names of pictures: %w", err)
	}
	defer names.Close()
	p := &rows{row: map[string]int64{}}
	if p.bytes, err = columnOf(data, size, bytesColumns); err != nil {
		return nil, fmt.Errorf("bytes of pictures: %w", err)
	}
	for at := int64(0); ; {
		batch, n, err := names.Next(namesAtOnce)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for i := range n {
			name := strings.TrimPrefix(path.Clean(string(batch[0].Text(i))), "/")
			if _, twice := p.row[name]; !twice {
				p.row[name] = at + int64(i)
				p.names = append(p.names, name)
			}
		}
		at += int64(n)
	}
	for _, name := range p.names {
		if short := path.Base(name); short != name {
			if _, taken := p.row[short]; !taken {
				p.row[short] = p.row[name]
			}
		}
	}
	return p, nil
}

// columnOf opens a file for the first of some columns that it has.
func columnOf(data io.ReaderAt, size int64, wanted []string) (*schemas.ColumnReader, error) {
	r, err := schemas.NewColumnReader(data, size)
	if err != nil {
		return nil, err
	}
	for _, name := range wanted {
		if i := slices.Index(r.Names(), name); i >= 0 && r.IsText(i) {
			r.Select(i)
			return r, nil
		}
	}
	return nil, fmt.Errorf("there is no column %s: it has %s", strings.Join(wanted, ", "), strings.Join(r.Names(), ", "))
}

func (p *rows) Read(_ context.Context, name string) ([]byte, error) {
	row, ok := p.row[path.Clean(name)]
	if !ok {
		if row, ok = p.row[path.Base(name)]; !ok {
			return nil, fs.ErrNotExist
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.bytes.SeekToRow(row); err != nil {
		return nil, err
	}
	batch, _, err := p.bytes.Next(1)
	if err != nil {
		return nil, err
	}
	return slices.Clone(batch[0].Text(0)), nil
}

func (p *rows) Names(_ context.Context, folder string) ([]string, error) {
	var all []string
	for _, name := range p.names {
		if strings.HasPrefix(name, prefix(folder)) {
			all = append(all, name)
		}
	}
	return sorted(all), nil
}
