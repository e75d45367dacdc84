package schemas

// Arrow IPC files (Feather 2) of docs, out and in: what pandas, polars, DuckDB and R read without a Parquet library.

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

// ReadIPC yields the documents of an Arrow IPC file of size bytes. Damage is an error, which ends it.
func ReadIPC(r io.ReaderAt, size int64) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		f, n, err := openIPC(r, size)
		if err != nil {
			yield(nil, err)
			return
		}
		for i := range n {
			docs, err := readBatch(f, i)
			if err != nil {
				yield(nil, err)
				return
			}
			for j := range docs {
				if !yield(&docs[j], nil) {
					return
				}
			}
		}
	}
}

func openIPC(r io.ReaderAt, size int64) (f *ipc.FileReader, n int, err error) {
	defer recovered(&err, "reading Arrow")
	if f, err = ipc.NewFileReader(io.NewSectionReader(r, 0, size)); err != nil {
		return nil, 0, fmt.Errorf("reading Arrow: %w", err)
	}
	return f, f.NumRecords(), checkArrow(f.Schema())
}

func readBatch(f *ipc.FileReader, i int) (docs []Document, err error) {
	defer recovered(&err, "reading Arrow")
	rec, err := f.RecordAt(i)
	if err != nil {
		return nil, fmt.Errorf("reading Arrow: %w", err)
	}
	defer rec.Release()
	return Documents(rec)
}
