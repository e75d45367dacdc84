package schemas

// Tables that another program has read and written back. Reads testdata: three documents of the demo, their pictures cut to 20 bytes, written by
// pyarrow 26 with the schema it had read (arrow.parquet) and with one that allows nulls everywhere (the others).

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRewrittenTables(t *testing.T) {
	file := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	want, err := read[Document](file("arrow.parquet"))
	if err != nil || len(want) != 3 || want[0].ImageInfo[0].Width == 0 || want[0].Validate() != nil {
		t.Fatalf("%d rows, %v", len(want), err)
	}
	got, err := read[Document](file("nullable.parquet"))
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Errorf("columns that may have nulls: %v\n%s", err, d)
	}
	for name, says := range map[string]string{"null-url.parquet": "column url has a null", "null-width.parquet": "column image_info.width has a null"} {
		if _, err := read[Document](file(name)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	got, err = read[Document](file("null-lists.parquet"))
	if err != nil || len(got[1].TextList) != 0 || len(got[1].SimilarityMatrix) != len(want[1].SimilarityMatrix) {
		t.Errorf("lists that are null: %v", err)
	}
	// A run's own files are held to the letter.
	var differences *SchemaError
	data := file("arrow.parquet")
	if err := CheckSchema[Document](bytes.NewReader(data), int64(len(data))); !errors.As(err, &differences) {
		t.Errorf("the strict check: %v", err)
	}
}
