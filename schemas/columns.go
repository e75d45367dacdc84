package schemas

// Parquet in by columns: batches of typed values, for whoever needs some columns of many rows. Of any Parquet file, not of the
// tables alone. Rows are read by Reader.

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/parquet-go/parquet-go"
)

// Column is one column of a batch: a value a row, in the slice for its type.
type Column struct {
	Name    string
	Null    []bool // nil where a column cannot have nulls; the value of a null is zero
	Int32   []int32
	Int64   []int64
	Float32 []float32
	Float64 []float64
	Bytes   []byte   // texts and bytes, one after another
	Offsets []uint32 // that of row i is Bytes[Offsets[i]:Offsets[i+1]]
}

// Text is the text or the bytes of row i; the next batch overwrites it.
func (c *Column) Text(i int) []byte { return c.Bytes[c.Offsets[i]:c.Offsets[i+1]] }

// ColumnReader reads columns of one Parquet file: those outside of lists, of integers, floats, texts and bytes. It is not safe for
// concurrent use.
type ColumnReader struct {
	groups
	batch []Column
}

// NewColumnReader opens a file of size bytes. Nothing but the footer is read yet.
func NewColumnReader(r io.ReaderAt, size int64) (_ *ColumnReader, err error) {
	defer damaged(&err)
	file, err := OpenFile(r, size)
	if err != nil {
		return nil, err
	}
	c := &ColumnReader{groups: groups{file: file, source: r}}
	for _, l := range leaves(file.Root()) {
		if l.maxRep == 0 && readable(l.kind) {
			c.columns = append(c.columns, pages{leaf: l})
			c.batch = append(c.batch, Column{Name: l.path})
		}
	}
	return c, nil
}

// Names are the columns that are read, in the order of the file; within structs with dots ("page.route").
func (c *ColumnReader) Names() (names []string) {
	for i := range c.columns {
		names = append(names, c.columns[i].path)
	}
	return names
}

// Kind is the type of the values of a column: parquet.Int32, Int64, Float, Double or ByteArray.
func (c *ColumnReader) Kind(column int) parquet.Kind { return c.columns[column].kind }

// IsText says whether the values of a column are texts or bytes.
func (c *ColumnReader) IsText(column int) bool { return c.columns[column].kind == parquet.ByteArray }

// SeekToRow makes the next Next start at a row.
func (c *ColumnReader) SeekToRow(row int64) (err error) {
	defer damaged(&err)
	return c.seek(row)
}

// Select leaves only the columns at these places of Names, in this order. It must come before Next.
func (c *ColumnReader) Select(places ...int) {
	var columns []pages
	var batch []Column
	for _, i := range places {
		columns, batch = append(columns, c.columns[i]), append(batch, c.batch[i])
	}
	c.columns, c.batch = columns, batch
}

// Next reads at most n rows and says how many; the next call overwrites them. io.EOF comes alone, at the end.
func (c *ColumnReader) Next(n int) (batch []Column, rows int, err error) {
	defer damaged(&err)
	if rows, err = c.some(n); err != nil {
		return nil, 0, err
	}
	if rows == 0 {
		return nil, 0, io.EOF
	}
	for i := range c.columns {
		if err := c.batch[i].read(&c.columns[i], rows); err != nil {
			return nil, 0, err
		}
	}
	c.left -= int64(rows)
	return c.batch, rows, nil
}

// read fills the column with the next rows of p.
func (c *Column) read(p *pages, rows int) error {
	c.Null, c.Int32, c.Int64, c.Float32, c.Float64 = c.Null[:0], c.Int32[:0], c.Int64[:0], c.Float32[:0], c.Float64[:0]
	if c.Bytes = c.Bytes[:0]; p.kind == parquet.ByteArray {
		c.Offsets = append(c.Offsets[:0], 0)
	}
	for rows > 0 {
		if ok, err := p.more(); err != nil {
			return err
		} else if !ok {
			return p.short()
		}
		n := min(rows, p.entries-p.at)
		var def []byte
		if p.maxDef > 0 {
			def = p.def[p.at : p.at+n]
			c.Null = slices.Grow(c.Null, n)
			for _, d := range def {
				c.Null = append(c.Null, d != p.maxDef)
			}
			if bytes.Count(def, []byte{p.maxDef}) == n {
				def = nil
			}
		}
		if err := c.add(p, n, def); err != nil {
			return err
		}
		p.at, rows = p.at+n, rows-n
	}
	return nil
}

// add appends the next n rows, which are in one page. def is nil when none of them is null.
func (c *Column) add(p *pages, n int, def []byte) error {
	switch p.kind {
	case parquet.Int32:
		c.Int32 = spread(c.Int32, p, p.int32s, n, def)
	case parquet.Int64:
		c.Int64 = spread(c.Int64, p, p.int64s, n, def)
	case parquet.Float:
		c.Float32 = spread(c.Float32, p, p.float32s, n, def)
	case parquet.Double:
		c.Float64 = spread(c.Float64, p, p.float64s, n, def)
	case parquet.ByteArray:
		if p.keys != nil {
			return c.addTexts(p, n, def)
		}
		return c.addNeighbours(p, n, def)
	}
	return nil
}

// spread appends n numbers, zeros for nulls.
func spread[T int32 | int64 | float32 | float64](out []T, p *pages, values []T, n int, def []byte) []T {
	if def == nil && p.keys == nil {
		p.v += n
		return append(out, values[p.v-n:p.v]...)
	}
	from := len(out)
	out = slices.Grow(out, n)[:from+n]
	for i := range out[from:] {
		if def != nil && def[i] != p.maxDef {
			out[from+i] = 0
			continue
		}
		out[from+i] = values[p.place(p.v)]
		p.v++
	}
	return out
}

// addNeighbours appends texts that stand one after another in the page: their bytes in one copy.
func (c *Column) addNeighbours(p *pages, n int, def []byte) error {
	present := n
	if def != nil {
		present = bytes.Count(def, []byte{p.maxDef})
	}
	ends := p.offsets[p.v : p.v+present+1]
	text := p.bytes[ends[0]:ends[present]]
	if len(c.Bytes)+len(text) > math.MaxInt32 {
		return errBatch
	}
	end := uint32(len(c.Bytes))
	shift := end - ends[0] // may wrap round, and back
	c.Bytes = append(c.Bytes, text...)
	c.Offsets = slices.Grow(c.Offsets, n)
	if def == nil {
		for _, e := range ends[1:] {
			c.Offsets = append(c.Offsets, e+shift)
		}
	} else {
		at := 0
		for _, d := range def {
			if d == p.maxDef {
				at++
			}
			c.Offsets = append(c.Offsets, ends[at]+shift)
		}
	}
	p.v += present
	return nil
}

// addTexts appends texts of a dictionary.
func (c *Column) addTexts(p *pages, n int, def []byte) error {
	for i := range n {
		if def == nil || def[i] == p.maxDef {
			text := p.text(p.v)
			if len(c.Bytes)+len(text) > math.MaxInt32 {
				return errBatch
			}
			c.Bytes = append(c.Bytes, text...)
			p.v++
		}
		c.Offsets = append(c.Offsets, uint32(len(c.Bytes)))
	}
	return nil
}

var errBatch = fmt.Errorf("a column of a batch is larger than %d bytes; read fewer rows at a time", math.MaxInt32)
