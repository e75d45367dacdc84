package schemas

// Lists of pairs in Parquet: two columns of a file whose other columns are not looked at.

import (
	"fmt"
	"io"
	"iter"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// ReadParquetList reads a list in Parquet. Only the two columns are fetched. The error ends it: the file is damaged
// (ErrDamaged), or the columns are not there.
func ReadParquetList(r io.ReaderAt, size int64, c ListColumns) iter.Seq2[ListRow, error] {
	return func(yield func(ListRow, error) bool) {
		if err := readParquetList(r, size, c, yield); err != nil {
			yield(ListRow{}, err)
		}
	}
}

func readParquetList(r io.ReaderAt, size int64, c ListColumns, yield func(ListRow, error) bool) error {
	file, places, err := openList(r, size, c)
	if err != nil {
		return err
	}
	row := ListRow{}
	for i := range file.RowGroups() {
		columns, n, err := listGroup(file, i, places)
		if err != nil {
			return err
		}
		for range n {
			var cells [2]string
			row.Bad = ""
			for i := range columns {
				cell, err := columns[i].next()
				if err != nil {
					columns[0].close()
					columns[1].close()
					return err
				}
				if !utf8.ValidString(cell) {
					row.Bad = "not UTF-8"
				}
				cells[i] = cell
			}
			row.URL, row.Caption = cells[0], cells[1]
			if !yield(row, nil) {
				columns[0].close()
				columns[1].close()
				return nil
			}
			row.Row++
		}
		columns[0].close()
		columns[1].close()
	}
	return nil
}

// openList opens the file and finds the two leaf columns.
func openList(r io.ReaderAt, size int64, c ListColumns) (file *parquet.File, places [2]int, err error) {
	defer damaged(&err)
	if file, err = openFile(r, size); err != nil {
		return nil, places, err
	}
	var names []string
	var leaves []int
	for _, column := range file.Root().Columns() {
		if column.Leaf() && !column.Repeated() && column.Type().Kind() == parquet.ByteArray {
			names, leaves = append(names, column.Name()), append(leaves, column.Index())
		}
	}
	url, caption, err := c.find(names)
	if err != nil {
		return nil, places, err
	}
	return file, [2]int{leaves[url], leaves[caption]}, nil
}

// listGroup opens the two columns of a row group.
func listGroup(file *parquet.File, group int, places [2]int) (columns [2]listColumn, rows int64, err error) {
	defer damaged(&err)
	g := file.RowGroups()[group]
	chunks := g.ColumnChunks()
	for i, at := range places {
		if n := chunks[at].NumValues(); n != g.NumRows() {
			return columns, 0, fmt.Errorf("%w: row group %d has %d rows, its column %d has %d values", ErrDamaged, group, g.NumRows(), at, n)
		}
		columns[i].pages = chunks[at].Pages()
	}
	return columns, g.NumRows(), nil
}

// listColumn reads the values of a column chunk one by one.
type listColumn struct {
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buffer [256]parquet.Value
	have   []parquet.Value
}

// next is the next value, "" for a null. The bytes are the caller's.
func (c *listColumn) next() (cell string, err error) {
	defer damaged(&err)
	for len(c.have) == 0 {
		if c.values == nil {
			if c.page, err = c.pages.ReadPage(); err != nil {
				if err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return "", fmt.Errorf("%w: %w", ErrDamaged, err)
			}
			c.values = c.page.Values()
		}
		n, err := c.values.ReadValues(c.buffer[:])
		c.have = c.buffer[:n]
		if err != nil && err != io.EOF {
			return "", fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		if n == 0 {
			parquet.Release(c.page)
			c.values, c.page = nil, nil
		}
	}
	v := c.have[0]
	c.have = c.have[1:]
	if v.IsNull() {
		return "", nil
	}
	return string(v.ByteArray()), nil
}

func (c *listColumn) close() {
	if c.page != nil {
		parquet.Release(c.page)
	}
	if c.pages != nil {
		c.pages.Close()
	}
}
