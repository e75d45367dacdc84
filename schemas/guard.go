package schemas

// Page headers, looked at before the library believes them.

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

const (
	maxPageHeader = 16 << 20
	maxPageBytes  = 1 << 30 // of a page, before compression
	maxPageValues = 1 << 26 // of a page: as many as the rows of the largest row groups; a run of them takes a few bytes
)

// Pages are the pages of a column of a row group, read from data, which is the file or answers as it does. Headers that announce
// more than there is, or than fits into memory, are errors.
func Pages(file *parquet.File, group, column int, data io.ReaderAt) (*parquet.FilePages, error) {
	chunk, ok := file.RowGroups()[group].ColumnChunks()[column].(*parquet.FileColumnChunk)
	if !ok {
		return nil, fmt.Errorf("%w: column %d is not in row group %d", ErrDamaged, column, group)
	}
	meta := &file.Metadata().RowGroups[group].Columns[column].MetaData
	from := meta.DataPageOffset
	if meta.DictionaryPageOffset != 0 {
		from = meta.DictionaryPageOffset
	}
	return chunk.PagesFrom(&guard{r: data, to: min(file.Size(), from+meta.TotalCompressedSize), end: -1}), nil
}

// ReadOffsetIndex makes a column of a row group seekable: its pages then start at the right one. false when the file does not
// say where its pages are.
func ReadOffsetIndex(file *parquet.File, group, column int, data io.ReaderAt) (bool, error) {
	chunk, ok := file.RowGroups()[group].ColumnChunks()[column].(*parquet.FileColumnChunk)
	meta := &file.Metadata().RowGroups[group].Columns[column]
	if !ok || meta.OffsetIndexOffset == 0 {
		return false, nil
	}
	index := make([]byte, meta.OffsetIndexLength)
	if n, err := data.ReadAt(index, meta.OffsetIndexOffset); n < len(index) {
		return false, err
	}
	if _, err := thriftLength(index, nil); err != nil {
		return false, fmt.Errorf("%w: offset index: %w", ErrDamaged, err)
	}
	_, err := chunk.OffsetIndexFrom(&tailReader{data, index, meta.OffsetIndexOffset})
	return err == nil, err
}

// guard is the bytes of a column chunk, which are read in order from the beginning of a page on.
type guard struct {
	r    io.ReaderAt
	to   int64 // where the chunk ends
	end  int64 // of what was read last
	next int64 // where the next header begins
}

func (g *guard) ReadAt(b []byte, at int64) (int, error) {
	n, err := g.r.ReadAt(b, at)
	if at != g.end { // another place: a page begins there
		g.next = at
	}
	g.end = at + int64(n)
	for g.next < g.end {
		if bad := g.header(b[g.next-at : n]); bad != nil {
			return 0, bad
		}
	}
	return n, err
}

// header looks at the header at next, whose beginning is known, and goes on to the one after it.
func (g *guard) header(known []byte) error {
	var compressed, uncompressed, values int64
	visit := func(outer, field int16, v int64) {
		switch {
		case outer == 0 && field == 2:
			uncompressed = v
		case outer == 0 && field == 3:
			compressed = v
		case (outer == 5 || outer == 7 || outer == 8) && field == 1:
			values = max(values, v)
		}
	}
	length, err := thriftLength(known, visit)
	for size := int64(4 << 10); errors.Is(err, errThriftCut) && size <= maxPageHeader; size <<= 6 {
		more := make([]byte, min(g.to-g.next, size))
		n, readErr := g.r.ReadAt(more, g.next)
		if readErr != nil && readErr != io.EOF {
			return readErr
		}
		length, err = thriftLength(more[:n], visit)
	}
	switch left := g.to - g.next - int64(length); {
	case err != nil:
		return fmt.Errorf("%w: page header at %d: %w", ErrDamaged, g.next, err)
	case compressed < 0 || compressed > left:
		return fmt.Errorf("%w: the page at %d is said to have %d bytes, %d are left", ErrDamaged, g.next, compressed, left)
	case uncompressed > maxPageBytes || values > maxPageValues:
		return fmt.Errorf("%w: the page at %d is said to have %d values in %d bytes; %d in %d are read", ErrDamaged, g.next, values, uncompressed, maxPageValues, maxPageBytes)
	}
	g.next += int64(length) + compressed
	return nil
}
