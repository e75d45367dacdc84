package schemas

// The bytes of the columns of a row group: few, large reads of the file, because each may be a request.

import (
	"cmp"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
)

const (
	readTogether = 8 << 20  // columns of a row group that are together no larger are read whole, neighbours in one read
	readAcross   = 64 << 10 // what lies between two columns is read along with them up to this size
	readAtLeast  = 256 << 10
)

// span is a part of a file.
type span struct{ from, to int64 }

// window is a part of a file with the piece of it that was read last. It answers reads from that, and else reads the next
// piece. Not safe for concurrent use.
type window struct {
	r     io.ReaderAt
	part  span
	piece int64 // 0: all of the part
	have  span
	data  []byte
}

func (w *window) ReadAt(b []byte, at int64) (int, error) {
	done := 0
	for done < len(b) {
		from := at + int64(done)
		if from < w.have.from || from >= w.have.to {
			if from < w.part.from || from >= w.part.to {
				n, err := w.r.ReadAt(b[done:], from)
				return done + n, err
			}
			if err := w.fill(from); err != nil {
				return done, err
			}
		}
		done += copy(b[done:], w.data[from-w.have.from:])
	}
	return done, nil
}

func (w *window) fill(from int64) error {
	next := w.part
	if w.piece > 0 {
		next = span{from, min(from+w.piece, w.part.to)}
	}
	size := int(next.to - next.from)
	w.data = slices.Grow(w.data[:0], size)[:size]
	w.have = span{}
	if n, err := w.r.ReadAt(w.data, next.from); n < size {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return err
	}
	w.have = next
	return nil
}

// windows gives a reader for each of the columns of a row group: one and the same for neighbours that are small enough to
// be read at once.
func windows(r io.ReaderAt, file *parquet.File, group int, columns []int) []io.ReaderAt {
	size := file.Size()
	spans := make([]span, len(columns))
	total := int64(0)
	for i, c := range columns {
		meta := &file.Metadata().RowGroups[group].Columns[c].MetaData
		from := meta.DataPageOffset
		if d := meta.DictionaryPageOffset; d != 0 {
			from = d
		}
		spans[i] = span{from, min(size, from+meta.TotalCompressedSize)}
		total += spans[i].to - from
	}
	out := make([]io.ReaderAt, len(columns))
	if total > readTogether {
		for i, s := range spans {
			out[i] = &window{r: r, part: s, piece: max(readTogether/int64(len(columns)), readAtLeast)}
		}
		return out
	}
	order := make([]int, len(columns))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(spans[a].from, spans[b].from) })
	var last *window
	for _, i := range order {
		if s := spans[i]; last == nil || s.from > last.part.to+readAcross {
			last = &window{r: r, part: s}
		} else {
			last.part.to = max(last.part.to, s.to)
		}
		out[i] = last
	}
	return out
}
