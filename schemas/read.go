package schemas

// Parquet in: rows from an io.ReaderAt, all columns or some. What a damaged file provokes is an error.

import (
	"fmt"
	"io"
	"iter"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// Reader reads one Parquet file of rows T. T is Document, Reject, ImageRow, Pair, or a struct with some of their fields and the
// same tags: only the columns of T are read. It is not safe for concurrent use.
type Reader[T any] struct {
	groups
	targets []target
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
func NewReader[T any](source io.ReaderAt, size int64, projections ...Projection) (_ *Reader[T], err error) {
	defer damaged(&err)
	file, err := OpenFile(source, size)
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
	r := &Reader[T]{groups: groups{file: file, source: source}}
	if r.targets, err = targets(schema, reflect.TypeFor[T]()); err != nil {
		return nil, err
	}
	found := map[string]leaf{}
	for _, l := range leaves(file.Root()) {
		found[l.path] = l
	}
	for i, l := range leaves(schema) {
		if len(l.listDefs) > maxLists || len(l.listDefs) != len(r.targets[i].lists) {
			return nil, fmt.Errorf("column %s has %d lists within each other", l.path, len(l.listDefs))
		}
		r.columns = append(r.columns, pages{leaf: found[l.path]})
	}
	return r, nil
}

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

// GroupRows is the number of rows of each row group, the unit of reading.
func (r *Reader[T]) GroupRows() (rows []int64, err error) {
	defer damaged(&err)
	for _, g := range r.file.RowGroups() {
		rows = append(rows, g.NumRows())
	}
	return rows, nil
}

// Read fills rows and says how many; io.EOF, possibly along with the last rows, at the end.
func (r *Reader[T]) Read(rows []T) (n int, err error) {
	defer damaged(&err)
	clear(rows)
	for n < len(rows) {
		k, err := r.some(len(rows) - n)
		if err != nil {
			return n, err
		}
		if k == 0 {
			return n, io.EOF
		}
		for i := range r.targets {
			if err := r.targets[i].rowsInto(unsafe.Pointer(&rows[n]), unsafe.Sizeof(rows[n]), k, &r.columns[i]); err != nil {
				return n, err
			}
		}
		n += k
		r.left -= int64(k)
	}
	return n, nil
}

// All yields the remaining rows, batch by batch from the file; an error ends it.
func (r *Reader[T]) All() iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		batch := make([]T, 16)
		for {
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
	return r.seek(row)
}
