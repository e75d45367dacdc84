package schemas

// Lists of pairs in Parquet: two columns of a file whose other columns are not looked at.

import (
	"io"
	"iter"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"
)

// listBatch is how many rows of a list are read at a time.
const listBatch = 1024

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
	columns, err := NewColumnReader(r, size)
	if err != nil {
		return err
	}
	defer columns.Close()
	var names []string
	var places []int
	for i, name := range columns.Names() {
		if columns.Kind(i) == parquet.ByteArray {
			names, places = append(names, name), append(places, i)
		}
	}
	url, caption, err := c.find(names)
	if err != nil {
		return err
	}
	columns.Select(places[url], places[caption])
	for row := int64(0); ; {
		batch, n, err := columns.Next(listBatch)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range n {
			r := ListRow{Row: row, URL: string(batch[0].Text(i)), Caption: string(batch[1].Text(i))} // "" for a null
			if !utf8.ValidString(r.URL) || !utf8.ValidString(r.Caption) {
				r.Bad = "not UTF-8"
			}
			if !yield(r, nil) {
				return nil
			}
			row++
		}
	}
}
