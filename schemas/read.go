package schemas

// Parquet in: rows from an io.ReaderAt, all columns or some. What a damaged file provokes is an error.

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// ErrDamaged is in the chain of every error that bytes of a file, not the reading of them, caused.
var ErrDamaged = errors.New("damaged Parquet file")

// Reader reads one Parquet file of rows T. T is Document, Reject, ImageRow, or a struct with some of their fields and the
// same tags: only the columns of T are read. It is not safe for concurrent use.
type Reader[T any] struct {
	r    *parquet.GenericReader[T]
	file *parquet.File
}

// Projection narrows the columns that are read.
type Projection func(columns []string) []string

// Columns reads only the named top-level columns; the other fields of T stay zero.
func Columns(names ...string) Projection {
	return func(columns []string) []string {
		return slices.DeleteFunc(columns, func(c string) bool {
			top, _, _ := strings.Cut(c, ".")
			return !slices.Contains(names, top)
		})
	}
}

// Without leaves out columns, given as top-level names or as name.field within structs and lists of structs
// ("image_info.bytes").
func Without(paths ...string) Projection {
	return func(columns []string) []string {
		return slices.DeleteFunc(columns, func(c string) bool {
			top, _, _ := strings.Cut(c, ".")
			return slices.Contains(paths, c) || slices.Contains(paths, top)
		})
	}
}

// NewReader opens a file of size bytes. It fails when the file is no Parquet file, and when a column that is to be read
// is missing or of another type; the error names every difference. Nothing but the footer is read yet.
func NewReader[T any](r io.ReaderAt, size int64, projections ...Projection) (_ *Reader[T], err error) {
	defer damaged(&err)
	file, err := openFile(r, size)
	if err != nil {
		return nil, err
	}
	var row T
	schema, err := project(row, projections)
	if err != nil {
		return nil, err
	}
	if err := compare(schema, file.Schema(), false); err != nil {
		return nil, err
	}
	return &Reader[T]{r: parquet.NewGenericReader[T](file, schema), file: file}, nil
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

// openFile reads a file's footer, after a look at its length: the library would make room for whatever it says.
func openFile(r io.ReaderAt, size int64) (*parquet.File, error) {
	tail := make([]byte, max(0, min(size, tailBytes)))
	if n, err := r.ReadAt(tail, size-int64(len(tail))); n < len(tail) {
		return nil, fmt.Errorf("reading the footer: %w", err)
	}
	if len(tail) < 12 || string(tail[len(tail)-4:]) != "PAR1" {
		return nil, fmt.Errorf("%w: it does not end as a Parquet file", ErrDamaged)
	}
	if footer := int64(binary.LittleEndian.Uint32(tail[len(tail)-8:])); footer > size-12 {
		return nil, fmt.Errorf("%w: its footer is said to have %d bytes, the file has %d", ErrDamaged, footer, size)
	}
	file, err := parquet.OpenFile(&tailReader{r, tail, size - int64(len(tail))}, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true),
		parquet.SkipMagicBytes(true))
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
			switch c.Codec {
			case format.Uncompressed, format.Snappy, format.Gzip, format.Brotli, format.Zstd:
			default:
				return fmt.Errorf("%w: row group %d, column %d: codec %v is not read", ErrDamaged, i, j, c.Codec)
			}
			if c.DataPageOffset < 0 || c.DataPageOffset > size || c.TotalCompressedSize < 0 || c.TotalCompressedSize > size ||
				c.TotalUncompressedSize < 0 || c.TotalUncompressedSize > maxChunk || c.NumValues < 0 {
				return fmt.Errorf("%w: row group %d, column %d lies outside the file", ErrDamaged, i, j)
			}
		}
	}
	return nil
}

// maxChunk is the largest column chunk that is read, in bytes before compression.
const maxChunk = 16 << 30

// project makes the schema of row with only the columns that the projections let through.
func project(row any, projections []Projection) (*parquet.Schema, error) {
	full := parquet.SchemaOf(row)
	if len(projections) == 0 {
		return full, nil
	}
	var all []string
	for _, path := range full.Columns() {
		if c := dotted(path); !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	kept := slices.Clone(all)
	for _, p := range projections {
		kept = p(kept)
	}
	if len(kept) == 0 {
		return nil, fmt.Errorf("no column is left to read of %s", reflect.TypeOf(row).Name())
	}
	group := parquet.Group{}
	for _, field := range full.Fields() {
		if node := prune(field, field.Name(), kept); node != nil {
			group[field.Name()] = node
		}
	}
	return parquet.NewSchema(full.Name(), group), nil
}

// prune returns the part of a node whose columns are kept, nil when none is. Only a struct, and a list of structs, are
// taken apart.
func prune(node parquet.Node, path string, kept []string) parquet.Node {
	if node.Leaf() {
		if slices.Contains(kept, path) {
			return node
		}
		return nil
	}
	if element, ok := listElement(node); ok {
		pruned := prune(element, path, kept)
		if pruned == nil {
			return nil
		}
		return parquet.List(pruned)
	}
	group := parquet.Group{}
	for _, field := range node.Fields() {
		if child := prune(field, path+"."+field.Name(), kept); child != nil {
			group[field.Name()] = child
		}
	}
	if len(group) == 0 {
		return nil
	}
	return group
}

func listElement(node parquet.Node) (parquet.Node, bool) {
	if node.Leaf() || node.Type().LogicalType() == nil {
		return nil, false
	}
	if _, ok := node.Type().LogicalType().Value.(*format.ListType); !ok {
		return nil, false
	}
	if middle := node.Fields(); len(middle) == 1 && middle[0].Repeated() && len(middle[0].Fields()) == 1 {
		return middle[0].Fields()[0], true
	}
	return nil, false
}

// dotted writes a column's path without the two group levels that a list adds.
func dotted(path []string) string {
	return strings.ReplaceAll(strings.Join(path, "."), ".list.element", "")
}

// NumRows is the number of rows in the file.
func (r *Reader[T]) NumRows() int64 { return r.file.NumRows() }

// Read fills rows and says how many; io.EOF, possibly along with the last rows, at the end.
func (r *Reader[T]) Read(rows []T) (n int, err error) {
	defer damaged(&err)
	n, err = r.r.Read(rows)
	if err != nil && err != io.EOF {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return n, err
}

// All yields the remaining rows, batch by batch from the file; an error ends it.
func (r *Reader[T]) All() iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		batch := make([]T, 16)
		for {
			clear(batch)
			n, err := r.Read(batch)
			for i := range n {
				if !yield(&batch[i], nil) {
					return
				}
			}
			if err == io.EOF || err == nil && n == 0 {
				return
			}
			if err != nil {
				yield(nil, err)
				return
			}
		}
	}
}

// SeekToRow makes the next Read start at a row.
func (r *Reader[T]) SeekToRow(row int64) (err error) {
	defer damaged(&err)
	return r.r.SeekToRow(row)
}

// Close releases what the reader holds; the io.ReaderAt stays open.
func (r *Reader[T]) Close() (err error) {
	defer damaged(&err)
	return r.r.Close()
}

// damaged turns a panic of the Parquet library into an error.
func damaged(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%w: %v", ErrDamaged, p)
	}
}
