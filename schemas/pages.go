package schemas

// The pages of one column of a file, one after another: levels and values as the file has them. Both ways of reading, by
// columns (columns.go) and by rows (rows.go), walk these. Parquet pages are parquet-go's; the bytes below them come in large
// pieces (window).

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding"
)

// pages is a place in a column. An entry is a value, a null or an empty list; entry at is the next one. Values are dense:
// what is null has none, and value v is the next one.
type pages struct {
	leaf
	chunk *parquet.FilePages // of the open row group
	page  parquet.Page

	entries, at int
	rep, def    []byte // the page's levels; nil where the column has none
	v           int
	keys        []int32 // places in the dictionary, when the page has one
	int32s      []int32
	int64s      []int64
	float32s    []float32
	float64s    []float64
	bytes       []byte
	offsets     []uint32
}

// open starts at a row of a row group; data is what the file is read from.
func (p *pages) open(file *parquet.File, group int, row int64, data io.ReaderAt) (err error) {
	p.close()
	if p.chunk, err = Pages(file, group, p.index, data); err != nil || row == 0 {
		return err
	}
	return p.chunk.SeekToRow(row)
}

func (p *pages) close() error {
	parquet.Release(p.page)
	p.page, p.entries, p.at, p.v = nil, 0, 0, 0
	if p.chunk == nil {
		return nil
	}
	chunk := p.chunk
	p.chunk = nil
	return chunk.Close()
}

// more makes sure that there is an entry; false at the end of the row group.
func (p *pages) more() (bool, error) {
	for p.at == p.entries {
		page, err := p.chunk.ReadPage()
		if err == io.EOF {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("%w: column %s: %w", ErrDamaged, p.path, err)
		}
		p.load(page)
	}
	return true, nil
}

// load takes a page apart.
func (p *pages) load(page parquet.Page) {
	parquet.Release(p.page)
	p.page, p.at, p.v = page, 0, 0
	p.rep, p.def, p.entries = page.RepetitionLevels(), page.DefinitionLevels(), int(page.NumValues())
	values, dictionary := page.Data(), page.Dictionary()
	p.keys = nil
	if dictionary != nil {
		p.keys = values.Int32()
		values = dictionary.Page().Data()
	}
	p.set(values)
}

func (p *pages) set(values encoding.Values) {
	switch p.kind {
	case parquet.Int32:
		p.int32s = values.Int32()
	case parquet.Int64:
		p.int64s = values.Int64()
	case parquet.Float:
		p.float32s = values.Float()
	case parquet.Double:
		p.float64s = values.Double()
	case parquet.ByteArray:
		p.bytes, p.offsets = values.ByteArray()
	}
}

// place is where the value numbered v of the page stands.
func (p *pages) place(v int) int {
	if p.keys == nil {
		return v
	}
	return int(p.keys[v])
}

// text is the byte array numbered v; it is gone with the page.
func (p *pages) text(v int) []byte {
	v = p.place(v)
	return p.bytes[p.offsets[v]:p.offsets[v+1]]
}

// readable says whether the values of a kind are read.
func readable(kind parquet.Kind) bool {
	switch kind {
	case parquet.Int32, parquet.Int64, parquet.Float, parquet.Double, parquet.ByteArray:
		return true
	}
	return false
}
