package schemas

// Arrow IPC files (Feather 2) of docs: what pandas, polars, DuckDB and R read without a Parquet library. They are only
// written: arrow/go v15 takes whatever memory a damaged file asks for, and there is no way to stop it.

import (
	"fmt"
	"io"
	"iter"

	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"
)

// ipcBatchBytes is about how much one record batch of a file holds.
const ipcBatchBytes = 32 << 20

// WriteIPC writes an Arrow IPC file of documents, zstd-compressed, and gives their number. An error of docs ends it.
// Documents are kept until a batch is full: docs may not use their slices again, as ReadJSONL does.
func WriteIPC(w io.Writer, docs iter.Seq2[*Document, error]) (n int64, err error) {
	defer recovered(&err, "writing Arrow")
	mem := memory.NewGoAllocator()
	f, err := ipc.NewFileWriter(&onlyForward{w: w}, ipc.WithSchema(ArrowSchema), ipc.WithAllocator(mem), ipc.WithZstd())
	if err != nil {
		return 0, err
	}
	var batch []Document
	var size int64
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		rec := Batch(mem, batch)
		defer rec.Release()
		n += int64(len(batch))
		batch, size = batch[:0], 0
		return f.Write(rec)
	}
	for d, err := range docs {
		if err != nil {
			return n, err
		}
		if size+weight(d) > ipcBatchBytes {
			if err := flush(); err != nil {
				return n, fmt.Errorf("writing Arrow: %w", err)
			}
		}
		batch = append(batch, *d)
		size += weight(d)
	}
	if err := flush(); err != nil {
		return n, fmt.Errorf("writing Arrow: %w", err)
	}
	if err := f.Close(); err != nil {
		return n, fmt.Errorf("writing Arrow: %w", err)
	}
	return n, nil
}

// onlyForward gives arrow the io.WriteSeeker that it asks for: it only asks where it is.
type onlyForward struct {
	w  io.Writer
	at int64
}

func (o *onlyForward) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	o.at += int64(n)
	return n, err
}

func (o *onlyForward) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekCurrent && offset == 0 || whence == io.SeekStart && offset == o.at {
		return o.at, nil
	}
	return 0, fmt.Errorf("an Arrow file is written from start to end")
}
