package storage_test

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/parquet-go/parquet-go"

	"mmc4/internal/storage"
)

// countingStore counts the reads of its objects.
type countingStore struct {
	storage.Store
	reads atomic.Int64
}

type countingObject struct {
	storage.Object
	reads *atomic.Int64
}

func (s *countingStore) Open(ctx context.Context, name string) (storage.Object, error) {
	o, err := s.Store.Open(ctx, name)
	return &countingObject{o, &s.reads}, err
}

func (o *countingObject) ReadAt(b []byte, off int64) (int, error) {
	o.reads.Add(1)
	return o.Object.ReadAt(b, off)
}

func TestCacheCoalesces(t *testing.T) {
	ctx := context.Background()
	data := someBytes(20 << 20)
	under := &countingStore{Store: storage.NewMemory()}
	if err := storage.WriteFile(ctx, under, "blob", data); err != nil {
		t.Fatal(err)
	}
	store := storage.BlockCache(under, 32<<20)
	o, err := store.Open(ctx, "blob")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	b := make([]byte, 4096)
	for off := 0; off < len(data); off += len(b) { // on and on: 1, 2, 4, 8 and 5 blocks
		if _, err := o.ReadAt(b, int64(off)); err != nil || !bytes.Equal(b, data[off:off+len(b)]) {
			t.Fatalf("at %d: %v", off, err)
		}
	}
	if n := under.reads.Load(); n > 5 {
		t.Errorf("reading on and on cost %d reads", n)
	}
	under.reads.Store(0)
	var wg sync.WaitGroup
	for range 8 { // all at once, of what was forgotten: one of them fetches
		wg.Go(func() { o.ReadAt(make([]byte, 10), 5) })
	}
	wg.Wait()
	if n := under.reads.Load(); n > 1 {
		t.Errorf("eight readers of one block cost %d reads", n)
	}
}

// TestParquetColumn opens a remote Parquet file and reads one column.
func TestParquetColumn(t *testing.T) {
	type row struct {
		ID   string
		Text string
		Blob []byte
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[row](&file)
	for i := range 3000 {
		if _, err := w.Write([]row{{fmt.Sprintf("id-%08d", i), fmt.Sprint(i * i), someBytes(5000 + i%100)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if file.Len() < 10<<20 {
		t.Fatalf("the file has only %d bytes", file.Len())
	}
	ctx := context.Background()
	f := startS3(t)
	if err := storage.WriteFile(ctx, f.store(t, storage.Options{}), "part.parquet", file.Bytes()); err != nil {
		t.Fatal(err)
	}
	f.ranges.Store(0)
	o, err := f.store(t, storage.Options{}).Open(ctx, "part.parquet")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	p, err := parquet.OpenFile(o, o.Info().Size)
	if err != nil {
		t.Fatal(err)
	}
	values := 0
	for _, group := range p.RowGroups() {
		pages := group.ColumnChunks()[0].Pages()
		for {
			page, err := pages.ReadPage()
			if err != nil {
				break
			}
			values += int(page.NumValues())
			parquet.Release(page)
		}
		pages.Close()
	}
	if values != 3000 {
		t.Errorf("read %d values", values)
	}
	if n := f.ranges.Load(); n > 4 {
		t.Errorf("opening and reading one column cost %d range requests", n)
	} else {
		t.Logf("%d range requests", n)
	}
}
