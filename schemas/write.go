package schemas

// Parquet out: rows to an io.Writer. Row groups are cut by bytes, so that a reader's memory is bounded whatever a row
// weighs; zstd except for columns tagged otherwise; page index always; bloom filters on the columns people look up by.

import (
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
)

// Row is one of the tables' row types.
type Row interface {
	Document | Reject | ImageRow | Pair
}

// RowGroupBytes is the uncompressed size at which a row group is closed. It is a constant of the format: file bytes must
// not depend on a machine's memory.
const RowGroupBytes = 32 << 20

// pageBytes is about the size of a page before compression.
const pageBytes = 1 << 20

// Writer writes one Parquet file. It is not safe for concurrent use.
type Writer[T Row] struct {
	w     *parquet.GenericWriter[T]
	group int64 // bytes in the open row group
	rows  int64
	limit int64
}

// NewWriter starts a file on w. Close writes its footer; w is not closed.
func NewWriter[T Row](w io.Writer) *Writer[T] {
	options := []parquet.WriterOption{
		parquet.CreatedBy("mmc4", "1.0.0", "parquet-go"),
		parquet.Compression(&zstdPages{}),
		parquet.PageBufferSize(pageBytes),
		parquet.DictionaryMaxBytes(1 << 20),
	}
	var row T
	switch any(row).(type) {
	case Document:
		options = append(options,
			parquet.BloomFilters(parquet.SplitBlockFilter(10, "doc_id"), parquet.SplitBlockFilter(10, "url")),
			parquet.SkipPageBounds("image_info", "list", "element", "bytes"),
			parquet.SkipPageStatistics("image_info", "list", "element", "bytes"))
	case Reject:
		options = append(options,
			parquet.BloomFilters(parquet.SplitBlockFilter(10, "doc_id"), parquet.SplitBlockFilter(10, "url")))
	case ImageRow:
		options = append(options, parquet.BloomFilters(parquet.SplitBlockFilter(10, "image_url")))
	case Pair:
		options = append(options,
			parquet.BloomFilters(parquet.SplitBlockFilter(10, "pair_id"), parquet.SplitBlockFilter(10, "url")),
			parquet.SkipPageBounds("bytes"), parquet.SkipPageStatistics("bytes"))
	}
	return &Writer[T]{w: parquet.NewGenericWriter[T](w, options...), limit: RowGroupBytes}
}

// Write adds a row.
func (w *Writer[T]) Write(row *T) (err error) {
	defer recovered(&err, "writing Parquet")
	size := weight(row)
	if w.group > 0 && w.group+size > w.limit {
		if err := w.w.Flush(); err != nil {
			return fmt.Errorf("writing Parquet: %w", err)
		}
		w.group = 0
	}
	if _, err := w.w.Write([]T{*row}); err != nil {
		return fmt.Errorf("writing Parquet: %w", err)
	}
	w.group += size
	w.rows++
	return nil
}

// Rows is the number of rows written so far.
func (w *Writer[T]) Rows() int64 { return w.rows }

// Close completes the file.
func (w *Writer[T]) Close() (err error) {
	defer recovered(&err, "writing Parquet")
	if err := w.w.Close(); err != nil {
		return fmt.Errorf("writing Parquet: %w", err)
	}
	return nil
}

// weight is what a row adds to a row group: its bytes before encoding.
func weight(row any) int64 {
	text := func(s *string) int {
		if s == nil {
			return 0
		}
		return len(*s)
	}
	n := 64
	switch r := row.(type) {
	case *Document:
		n += len(r.URL) + len(r.Page.WARCFilename)
		for _, s := range r.TextList {
			n += len(s) + 4
		}
		for i := range r.ImageInfo {
			image := &r.ImageInfo[i]
			n += 160 + len(image.RawURL) + text(image.Alt) + len(image.Bytes)
		}
		for _, row := range r.SimilarityMatrix {
			n += 4 * len(row)
		}
	case *Reject:
		n += text(r.URL) + text(r.ImageURL) + text(r.Detail)
	case *Pair:
		n += 200 + len(r.URL) + len(r.Caption) + len(r.Bytes)
	case *ImageRow:
		n += 80 + len(r.ImageURL) + text(r.FinalURL) + text(r.ETag) + text(r.Detail)
	}
	return int64(n)
}

// recovered turns a panic of the Parquet library into an error.
func recovered(err *error, doing string) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s: the file is damaged or the library failed: %v", doing, p)
	}
}
