package data

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v15/arrow"
	"github.com/apache/arrow/go/v15/arrow/array"
	"github.com/apache/arrow/go/v15/arrow/ipc"
	"github.com/apache/arrow/go/v15/arrow/memory"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

// arrowOf writes rows of Parquet shards as one Arrow file, a record batch of n rows after the other.
func arrowOf(t testing.TB, shards string, n int, options ...ipc.Option) []byte {
	t.Helper()
	paths, err := filepath.Glob(shards)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	mem := memory.NewGoAllocator()
	w, err := ipc.NewFileWriter(&seeking{Buffer: &b}, append(options, ipc.WithSchema(schemas.ArrowSchema))...)
	if err != nil {
		t.Fatal(err)
	}
	var docs []schemas.Document
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := schemas.NewReader[schemas.Document](bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			t.Fatal(err)
		}
		for d, err := range r.All() {
			if err != nil {
				t.Fatal(err)
			}
			docs = append(docs, *d)
		}
	}
	for part := range slices.Chunk(docs, n) {
		if err := w.Write(schemas.Batch(mem, part)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// seeking is a buffer that says where it is.
type seeking struct{ *bytes.Buffer }

func (s *seeking) Seek(int64, int) (int64, error) { return int64(s.Len()), nil }

func writeFile(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docs.arrow")
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// Arrow files give the samples of the Parquet shards that they were made from.
func TestArrow(t *testing.T) {
	shards := writeDocs(t, t.TempDir(), 2, 7)
	parquet, err := OpenDocuments(context.Background(), []string{shards}, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want, _, _ := take(t, parquet, rules(t), StreamOptions{}, Position{}, 12)
	for name, options := range map[string][]ipc.Option{"plain": nil, "zstd": {ipc.WithZstd()}, "lz4": {ipc.WithLZ4()}} {
		source, err := OpenDocuments(context.Background(), []string{writeFile(t, arrowOf(t, shards, 5, options...))}, storage.Options{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := source.Blocks(); !slices.Equal(got, []int{5, 5, 4}) {
			t.Errorf("%s: blocks of %v rows", name, got)
		}
		if got, _, _ := take(t, source, rules(t), StreamOptions{Workers: 2}, Position{}, 12); !slices.Equal(got, want) {
			t.Errorf("%s gives %q, Parquet %q", name, got, want)
		}
	}
}

func TestArrowRefuses(t *testing.T) {
	good := arrowOf(t, writeDocs(t, t.TempDir(), 1, 4), 2)
	other := func(fields ...arrow.Field) []byte {
		var b bytes.Buffer
		schema := arrow.NewSchema(fields, nil)
		w, err := ipc.NewFileWriter(&seeking{Buffer: &b}, ipc.WithSchema(schema))
		if err != nil {
			t.Fatal(err)
		}
		record := array.NewRecordBuilder(memory.NewGoAllocator(), schema).NewRecord()
		if err := errors.Join(w.Write(record), w.Close()); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"cut", good[:len(good)/2], "not an Arrow IPC file"},
		{"empty", nil, "0 bytes"},
		{"other columns", other(arrow.Field{Name: "doc_id", Type: arrow.BinaryTypes.String}), "1 columns, docs has 8"},
		{"other type", other(arrow.Field{Name: "x", Type: arrow.FixedWidthTypes.Date32}), `column "x"`},
		{"union", other(arrow.Field{Name: "u", Type: arrow.SparseUnionOf([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int8}}, []int8{0})}), `column "u"`},
	} {
		if _, err := OpenDocuments(context.Background(), []string{writeFile(t, c.data)}, storage.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// What a damaged file says is never believed so far that it ends the program.
func FuzzArrow(f *testing.F) {
	folder, err := os.MkdirTemp("", "arrow-fuzz-")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { os.RemoveAll(folder) })
	d := schemas.Document{URL: "u", TextList: []string{"a", "bc"}, SimilarityMatrix: [][]float32{{1, 0}}, ImageInfo: []schemas.ImageInfo{{ImageName: "x", Bytes: []byte("y")}}}
	for _, options := range [][]ipc.Option{nil, {ipc.WithZstd()}, {ipc.WithLZ4()}} {
		var b bytes.Buffer
		w, err := ipc.NewFileWriter(&seeking{Buffer: &b}, append(options, ipc.WithSchema(schemas.ArrowSchema))...)
		if err != nil {
			f.Fatal(err)
		}
		if err := errors.Join(w.Write(schemas.Batch(memory.NewGoAllocator(), []schemas.Document{d, d})), w.Close()); err != nil {
			f.Fatal(err)
		}
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(folder, "x.arrow")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		source, err := OpenDocuments(context.Background(), []string{path}, storage.Options{})
		if err != nil {
			return
		}
		for i := range source.Blocks() {
			if docs, err := source.Read(context.Background(), i); err == nil && len(docs) != source.Blocks()[i] {
				t.Errorf("%d documents of %d", len(docs), source.Blocks()[i])
			}
		}
	})
}
