package features

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// TestHexNamesAreCoded: names that are digests take half their letters, and the same rows as they were written before, with
// parquet-go's own zstd, read the same.
func TestHexNamesAreCoded(t *testing.T) {
	m := openModel(t, "", 4)
	path := filepath.Join(t.TempDir(), "f.parquet")
	w, err := create(context.Background(), Config{Out: path, Model: m}, "")
	if err != nil {
		t.Fatal(err)
	}
	var before bytes.Buffer
	old := parquet.NewGenericWriter[Row](&before, parquet.Compression(&zstd.Codec{Level: zstd.SpeedFastest}))
	for i := range 500 {
		digest := sha256.Sum256([]byte{byte(i), byte(i >> 8)})
		name, v := hex.EncodeToString(digest[:]), make([]float32, m.Dim())
		v[i%len(v)] = 1
		if err := w.write(item{name: name}, v); err != nil {
			t.Fatal(err)
		}
		if _, err := old.Write([]Row{{Name: name, Features: v}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parquet.OpenFile(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	if names := f.Metadata().RowGroups[0].Columns[0].MetaData; 10*names.TotalCompressedSize > 6*names.TotalUncompressedSize {
		t.Errorf("%d bytes of names take %d", names.TotalUncompressedSize, names.TotalCompressedSize)
	}
	was, err := parquet.Read[Row](bytes.NewReader(before.Bytes()), int64(before.Len()))
	if err != nil {
		t.Fatal(err)
	}
	now := rowsOf(t, path)
	if len(now) != 500 || len(was) != 500 {
		t.Fatalf("%d and %d rows", len(now), len(was))
	}
	for i := range now {
		if now[i].Name != was[i].Name || now[i].Features[i%m.Dim()] != 1 {
			t.Fatalf("row %d: %q and %q", i, now[i].Name, was[i].Name)
		}
	}
}
