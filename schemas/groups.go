package schemas

// A walk over the row groups of a file: the chosen columns side by side, a number of rows at a time.

import (
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// groups stands between two rows of a file.
type groups struct {
	file    *parquet.File
	source  io.ReaderAt
	columns []pages
	next    int   // the row group after the open one
	left    int64 // rows of the open row group that are not read
}

// some opens the next row group when the open one is read to its end, and says how many of n rows can be read now: 0 at the
// end of the file.
func (g *groups) some(n int) (int, error) {
	for g.left == 0 {
		if g.next == len(g.file.RowGroups()) {
			return 0, nil
		}
		if err := g.open(g.next, 0); err != nil {
			return 0, err
		}
	}
	return int(min(int64(n), g.left)), nil
}

func (g *groups) open(group int, row int64) error {
	rows := g.file.RowGroups()[group]
	g.next, g.left = group+1, rows.NumRows()-row
	if g.left <= 0 {
		g.left = 0
		return nil
	}
	indexes := make([]int, len(g.columns))
	for i := range g.columns {
		c := &g.columns[i]
		indexes[i] = c.index
		if n := rows.ColumnChunks()[c.index].NumValues(); c.maxRep == 0 && n != rows.NumRows() {
			return fmt.Errorf("%w: row group %d has %d rows, its column %s has %d values", ErrDamaged, group, rows.NumRows(), c.path, n)
		}
	}
	for i, data := range windows(g.source, g.file, group, indexes) {
		if err := g.columns[i].open(g.file, group, row, data); err != nil {
			return err
		}
	}
	return nil
}

// seek makes row the next one.
func (g *groups) seek(row int64) error {
	if row < 0 || row > g.file.NumRows() {
		return fmt.Errorf("row %d of %d", row, g.file.NumRows())
	}
	g.next, g.left = len(g.file.RowGroups()), 0
	for i, group := range g.file.RowGroups() {
		if n := group.NumRows(); row < n {
			return g.open(i, row)
		} else {
			row -= n
		}
	}
	return nil
}

// short is the error of a column that ends before its row group.
func (p *pages) short() error {
	return fmt.Errorf("%w: column %s has fewer values than its row group has rows", ErrDamaged, p.path)
}

// null is the error of a null in a column that has none in the tables.
func (p *pages) null() error {
	return fmt.Errorf("%w: column %s has a null where a value is needed", ErrDamaged, p.path)
}

// Close releases what is held of the file; the io.ReaderAt stays open.
func (g *groups) Close() (err error) {
	defer damaged(&err)
	for i := range g.columns {
		err = errors.Join(err, g.columns[i].close())
	}
	return err
}
