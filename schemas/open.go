package schemas

// A Parquet file opened: its footer, in one read, with what the library takes on trust looked at first.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// ErrDamaged is in the chain of every error that bytes of a file, not the reading of them, caused.
var ErrDamaged = errors.New("damaged file")

// damaged turns a panic of the Parquet library into an error.
func damaged(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrDamaged, p)
	}
}

// tailBytes of a file are read at once when it is opened: the footer of nearly every file is in them.
const tailBytes = 64 << 10

// tailReader answers reads near the end of a file from memory.
type tailReader struct {
	io.ReaderAt
	tail []byte
	from int64
}

func (t *tailReader) ReadAt(b []byte, at int64) (int, error) {
	if at < t.from {
		return t.ReaderAt.ReadAt(b, at)
	}
	n := copy(b, t.tail[min(at-t.from, int64(len(t.tail))):])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// OpenFile reads the footer of any Parquet file, after a look at its length: the library would make room for whatever it says. Calls of
// the file can panic where its bytes are damaged.
func OpenFile(r io.ReaderAt, size int64, options ...parquet.FileOption) (*parquet.File, error) {
	tail := make([]byte, max(0, min(size, tailBytes)))
	if n, err := r.ReadAt(tail, size-int64(len(tail))); n < len(tail) {
		return nil, fmt.Errorf("reading the footer: %w", err)
	}
	if len(tail) < 12 || string(tail[len(tail)-4:]) != "PAR1" {
		return nil, fmt.Errorf("%w: it does not end as a Parquet file", ErrDamaged)
	}
	footer := int64(binary.LittleEndian.Uint32(tail[len(tail)-8:]))
	if footer > size-12 {
		return nil, fmt.Errorf("%w: its footer is said to have %d bytes, the file has %d", ErrDamaged, footer, size)
	}
	if footer+8 > int64(len(tail)) {
		tail = make([]byte, footer+8)
		if n, err := r.ReadAt(tail, size-int64(len(tail))); n < len(tail) {
			return nil, fmt.Errorf("reading the footer: %w", err)
		}
	}
	if _, err := thriftLength(tail[int64(len(tail))-8-footer:len(tail)-8], nil); err != nil {
		return nil, fmt.Errorf("%w: footer: %w", ErrDamaged, err)
	}
	options = append([]parquet.FileOption{parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true), parquet.SkipMagicBytes(true)}, options...)
	file, err := parquet.OpenFile(&tailReader{r, tail, size - int64(len(tail))}, size, options...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return file, checkFooter(file, size)
}

// checkFooter looks at what the library takes on trust: places and lengths, and the codecs. Its LZ4 decoder takes memory
// without end for bytes that are not LZ4; nobody writes these tables with it.
func checkFooter(file *parquet.File, size int64) error {
	for i, group := range file.Metadata().RowGroups {
		for j := range group.Columns {
			c := &group.Columns[j].MetaData
			if at, n := group.Columns[j].OffsetIndexOffset, int64(group.Columns[j].OffsetIndexLength); at < 0 || n < 0 || at > size-n {
				return fmt.Errorf("%w: the offset index of row group %d, column %d lies outside the file", ErrDamaged, i, j)
			}
			switch c.Codec {
			case format.Uncompressed, format.Snappy, format.Gzip, format.Brotli, format.Zstd:
			default:
				return fmt.Errorf("%w: row group %d, column %d: codec %v is not read", ErrDamaged, i, j, c.Codec)
			}
			if c.DataPageOffset < 0 || c.DataPageOffset > size || c.DictionaryPageOffset < 0 || c.DictionaryPageOffset > size ||
				c.TotalCompressedSize < 0 || c.TotalCompressedSize > size || c.TotalUncompressedSize < 0 ||
				c.TotalUncompressedSize > maxChunk || c.NumValues < 0 {
				return fmt.Errorf("%w: row group %d, column %d lies outside the file", ErrDamaged, i, j)
			}
		}
	}
	return nil
}

// maxChunk is the largest column chunk that is read, in bytes before compression.
const maxChunk = 16 << 30
