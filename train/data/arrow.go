package data

// Arrow IPC files (Feather 2) of docs, as schemas.WriteIPC and pyarrow write them: a block is a record batch, read by range requests.

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

var arrowMagic = []byte("ARROW1")

// largestBatch bounds what a record batch takes in memory, decompressed.
const largestBatch = 1 << 30

// arrowFiles is a Source over Arrow files.
type arrowFiles struct {
	blocksOf
	batches []arrowBatch
	options storage.Options
}

type arrowBatch struct {
	file  *arrowFile
	index int
}

// arrowFile is a file whose footer is kept.
type arrowFile struct {
	ref    storage.Ref
	size   int64
	footer []byte // with what follows it
	rows   []int  // of its record batches
}

// openArrow reads the footers of Arrow files of docs. A file with other columns is an error that names the first.
func openArrow(ctx context.Context, refs []storage.Ref, o storage.Options) (Source, error) {
	files, err := eachFile(refs, func(ref storage.Ref) (*arrowFile, error) { return openArrowFile(ctx, ref) })
	if err != nil {
		return nil, err
	}
	s := &arrowFiles{options: o}
	for _, file := range files {
		for i, rows := range file.rows {
			if rows > 0 {
				s.batches = append(s.batches, arrowBatch{file, i})
				s.counts = append(s.counts, rows)
				s.names = append(s.names, fmt.Sprintf("%s, record batch %d", file.ref.Location(), i))
			}
		}
	}
	return s, nil
}

func openArrowFile(ctx context.Context, ref storage.Ref) (*arrowFile, error) {
	object, err := ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	file := &arrowFile{ref: ref, size: object.Info().Size}
	if err := file.readFooter(object); err != nil {
		return nil, err
	}
	blocks, err := parseFooter(file.footer, file.size-int64(len(file.footer)))
	if err != nil {
		return nil, err
	}
	for i, b := range blocks {
		message := make([]byte, b.meta)
		if _, err := io.ReadFull(io.NewSectionReader(object, b.offset, b.meta), message); err != nil {
			return nil, err
		}
		rows, err := batchRows(message)
		if err != nil {
			return nil, fmt.Errorf("record batch %d: %w", i, err)
		}
		file.rows = append(file.rows, rows)
	}
	_, err = file.open(object, &allowance{})
	return file, err
}

// readFooter reads the footer with its length and the magic behind it.
func (f *arrowFile) readFooter(r io.ReaderAt) error {
	tail := make([]byte, 10)
	if f.size < 20 {
		return fmt.Errorf("%w: %d bytes are no Arrow file", schemas.ErrDamaged, f.size)
	}
	if _, err := io.ReadFull(io.NewSectionReader(r, f.size-10, 10), tail); err != nil {
		return err
	}
	length := int64(binary.LittleEndian.Uint32(tail))
	if !bytes.Equal(tail[4:], arrowMagic) || length < 8 || length > largestFooter || length+18 > f.size {
		return fmt.Errorf("%w: not an Arrow IPC file, or cut off", schemas.ErrDamaged)
	}
	f.footer = make([]byte, length+10)
	_, err := io.ReadFull(io.NewSectionReader(r, f.size-int64(len(f.footer)), int64(len(f.footer))), f.footer)
	return err
}

// open makes arrow/go's reader and compares the columns with those of docs.
func (f *arrowFile) open(r io.ReaderAt, mem memory.Allocator) (reader *ipc.FileReader, err error) {
	defer guarded(&err, "Arrow file")
	kept := &withFooter{ReaderAt: r, from: f.size - int64(len(f.footer)), footer: f.footer}
	if reader, err = ipc.NewFileReader(io.NewSectionReader(kept, 0, f.size), ipc.WithAllocator(mem)); err != nil {
		return nil, err
	}
	empty := array.NewRecordBuilder(memory.NewGoAllocator(), reader.Schema())
	defer empty.Release()
	none := empty.NewRecord()
	defer none.Release()
	_, err = schemas.Documents(none)
	return reader, err
}

// withFooter reads a file's end from memory.
type withFooter struct {
	io.ReaderAt
	from   int64
	footer []byte
}

func (w *withFooter) ReadAt(b []byte, at int64) (int, error) {
	if at >= w.from {
		return bytes.NewReader(w.footer).ReadAt(b, at-w.from)
	}
	return w.ReaderAt.ReadAt(b, at)
}

func (s *arrowFiles) Read(ctx context.Context, block int) ([]*Document, error) {
	at := s.batches[block]
	object, err := at.file.ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	docs, err := at.read(object)
	if err == nil && len(docs) != s.counts[block] {
		err = fmt.Errorf("%w: %d rows, not %d", schemas.ErrDamaged, len(docs), s.counts[block])
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.names[block], err)
	}
	files := parent(parent(at.file.ref.Location())) + "/files"
	out := make([]*Document, len(docs))
	for i := range docs {
		out[i] = ofDocument(&docs[i], files, s.options)
	}
	return out, nil
}

func (b arrowBatch) read(r io.ReaderAt) (docs []schemas.Document, err error) {
	defer guarded(&err, "record batch")
	reader, err := b.file.open(r, &allowance{})
	if err != nil {
		return nil, err
	}
	record, err := reader.RecordAt(b.index)
	if err != nil {
		return nil, err
	}
	for _, column := range record.Columns() {
		if err := ordered(column); err != nil {
			return nil, err
		}
	}
	return schemas.Documents(record)
}

// ordered checks that lists and texts lie one behind the other, so that no bytes are read twice.
func ordered(a arrow.Array) error {
	switch a := a.(type) {
	case *array.Struct:
		for i := range a.NumField() {
			if err := ordered(a.Field(i)); err != nil {
				return err
			}
		}
	case *array.List:
		if a.Len() > 0 {
			if err := rising(a.Offsets()[a.Offset() : a.Offset()+a.Len()+1]); err != nil {
				return err
			}
		}
		return ordered(a.ListValues())
	case *array.String:
		if a.Len() > 0 {
			return rising(a.ValueOffsets())
		}
	case *array.Binary:
		if a.Len() > 0 {
			return rising(a.ValueOffsets())
		}
	}
	return nil
}

func rising(offsets []int32) error {
	for i := 1; i < len(offsets); i++ {
		if offsets[i] < offsets[i-1] {
			return fmt.Errorf("%w: offsets of a column fall", schemas.ErrDamaged)
		}
	}
	return nil
}

var errAllowance = errors.New("it takes more memory than a record batch may")

// allowance is an allocator that gives largestBatch bytes in all, and then panics.
type allowance struct {
	memory.GoAllocator
	given int
}

func (a *allowance) take(size int) {
	if size < 0 || size > largestBatch-a.given {
		panic(errAllowance)
	}
	a.given += size
}

func (a *allowance) Allocate(size int) []byte {
	a.take(size)
	return a.GoAllocator.Allocate(size)
}

func (a *allowance) Reallocate(size int, b []byte) []byte {
	a.take(size)
	return a.GoAllocator.Reallocate(size, b)
}
