package features

// The rows on disk. Writes Parquet, or npy (version 1.0) with a file of JSON lines that says what each row is.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/parquet-go/parquet-go"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

// Row is a row of the Parquet file; without the features it is a line beside an npy file.
type Row struct {
	Name     string    `parquet:"name" json:"name"`                        // a picture's path or image_name; a sentence's line, or DOC_ID/PLACE
	DocID    *string   `parquet:"doc_id,optional" json:"doc_id,omitempty"` // of a run
	Place    *int32    `parquet:"place,optional" json:"place,omitempty"`   // of a run: in image_info or text_list
	Text     *string   `parquet:"text,optional" json:"text,omitempty"`     // the sentence
	Features []float32 `parquet:"features,list" json:"-"`                  // of norm 1
}

type writer interface {
	write(it item, v []float32) error
	close(ctx context.Context) (names string, err error)
	abort()
}

// create begins the output; nothing is visible before close.
func create(ctx context.Context, c Config, model string) (writer, error) {
	base, isNpy := strings.CutSuffix(c.Out, ".npy")
	if !isNpy && !strings.HasSuffix(c.Out, ".parquet") {
		return nil, fmt.Errorf("the output %q %w: it must end in .parquet or .npy", c.Out, ErrUsage)
	}
	out, err := begin(ctx, c.Out, c.Storage)
	if err != nil {
		return nil, err
	}
	if isNpy {
		w := &npy{out: out, dim: c.Model.Dim(), names: base + ".jsonl"}
		if w.rows, err = os.CreateTemp("", "mmc4-features-"); err != nil {
			w.abort()
			return nil, err
		}
		_ = os.Remove(w.rows.Name()) // it lives as long as it is open, where the system allows
		if w.lines, err = begin(ctx, w.names, c.Storage); err != nil {
			w.abort()
			return nil, err
		}
		w.rowsBuf, w.linesBuf = bufio.NewWriter(w.rows), bufio.NewWriter(w.lines)
		return w, nil
	}
	const group = 32 << 20 // bytes of features in a row group
	return &table{out: out, every: max(1, group/(4*c.Model.Dim())), w: parquet.NewGenericWriter[Row](out,
		parquet.CreatedBy("mmc4", "1.0.0", "parquet-go"),
		parquet.Compression(schemas.Zstd()),
		parquet.KeyValueMetadata("mmc4.clip", model),
		parquet.KeyValueMetadata("mmc4.profile", c.Profile),
		parquet.KeyValueMetadata("mmc4.dim", strconv.Itoa(c.Model.Dim())),
	)}, nil
}

func begin(ctx context.Context, location string, o storage.Options) (storage.Writer, error) {
	ref, err := storage.Locate(ctx, location, o)
	if err != nil {
		return nil, err
	}
	return ref.Store.Create(ctx, ref.Name, storage.CreateOptions{})
}

// table is the Parquet file.
type table struct {
	out   storage.Writer
	w     *parquet.GenericWriter[Row]
	rows  int
	every int
}

func (t *table) write(it item, v []float32) error {
	if _, err := t.w.Write([]Row{{it.name, it.doc, it.place, it.text, v}}); err != nil {
		return err
	}
	if t.rows++; t.rows%t.every == 0 {
		return t.w.Flush()
	}
	return nil
}

func (t *table) close(ctx context.Context) (string, error) {
	if err := t.w.Close(); err != nil {
		return "", err
	}
	return "", t.out.Commit(ctx)
}

func (t *table) abort() { _ = t.out.Abort() }

// npy gathers rows in a file of its own first: the header tells their number.
type npy struct {
	out, lines        storage.Writer
	rows              *os.File
	rowsBuf, linesBuf *bufio.Writer
	dim, n            int
	names             string
}

func (f *npy) write(it item, v []float32) error {
	var b [4]byte
	for _, x := range v {
		binary.LittleEndian.PutUint32(b[:], math.Float32bits(x))
		if _, err := f.rowsBuf.Write(b[:]); err != nil {
			return err
		}
	}
	f.n++
	line, err := json.Marshal(Row{Name: it.name, DocID: it.doc, Place: it.place, Text: it.text})
	if err != nil {
		return err
	}
	_, err = f.linesBuf.Write(append(line, '\n'))
	return err
}

func (f *npy) close(ctx context.Context) (string, error) {
	if err := errors.Join(f.rowsBuf.Flush(), f.linesBuf.Flush()); err != nil {
		return "", err
	}
	if _, err := f.rows.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	if _, err := f.out.Write(npyHeader(f.n, f.dim)); err != nil {
		return "", err
	}
	if _, err := io.Copy(f.out, f.rows); err != nil {
		return "", err
	}
	if err := f.lines.Commit(ctx); err != nil {
		return "", err
	}
	return f.names, f.out.Commit(ctx)
}

func (f *npy) abort() {
	_ = f.out.Abort()
	if f.lines != nil {
		_ = f.lines.Abort()
	}
	if f.rows != nil {
		_ = f.rows.Close()
	}
}

// npyHeader is the header of a C-ordered array [n, dim] of float32, a multiple of 64 bytes long.
func npyHeader(n, dim int) []byte {
	dict := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", n, dim)
	var b bytes.Buffer
	b.WriteString("\x93NUMPY\x01\x00")
	length := (10+len(dict)+1+63)/64*64 - 10
	b.Write(binary.LittleEndian.AppendUint16(nil, uint16(length)))
	b.WriteString(dict)
	b.WriteString(strings.Repeat(" ", length-len(dict)-1) + "\n")
	return b.Bytes()
}
