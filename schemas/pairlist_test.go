package schemas

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"iter"
	"reflect"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go"
)

func listRows(seq iter.Seq2[ListRow, error]) (rows []ListRow, err error) {
	for r, e := range seq {
		if e != nil {
			return rows, e
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func packed(t *testing.T, text string, how string) []byte {
	var out bytes.Buffer
	switch how {
	case "gzip":
		z := gzip.NewWriter(&out)
		io.WriteString(z, text)
		z.Close()
	case "zstd":
		z, _ := zstd.NewWriter(&out)
		io.WriteString(z, text)
		z.Close()
	default:
		out.WriteString(text)
	}
	return out.Bytes()
}

func TestReadList(t *testing.T) {
	want := []ListRow{{Row: 0, URL: "http://a.test/1.jpg", Caption: "a cat, \"sitting\""}, {Row: 1, URL: "http://a.test/2.jpg"}}
	for _, c := range []struct {
		form, text string
		columns    ListColumns
		want       []ListRow
		err        string
	}{
		{"jsonl", `{"URL":"http://a.test/1.jpg","TEXT":"a cat, \"sitting\"","n":1}` + "\n" + `{"url":"http://a.test/2.jpg","text":null}`, ListColumns{}, want, ""},
		{"csv", "\ufeffURL,n,TEXT\r\nhttp://a.test/1.jpg,7,\"a cat, \"\"sitting\"\"\"\r\nhttp://a.test/2.jpg,7,\n", ListColumns{}, want, ""},
		{"tsv", "alt\turl\na cat, \"sitting\"\thttp://a.test/1.jpg\n\thttp://a.test/2.jpg\n", ListColumns{}, want, ""},
		{"csv", "where,what,caption\nhttp://a.test/1.jpg,\"a cat, \"\"sitting\"\"\",no\nhttp://a.test/2.jpg,,no\n", ListColumns{URL: "where", Caption: "what"}, want, ""},
		{"csv", "link,caption\nx,y\n", ListColumns{}, nil, "pairs.url"},
		{"csv", "url,caption\nx,y\n", ListColumns{Caption: "what"}, nil, "no column what"},
		{"csv", "", ListColumns{}, nil, "no header"},
		{"csv", "url,caption\nonly\n", ListColumns{}, []ListRow{{Bad: "1 columns, the header has 2"}}, ""},
		{"jsonl", "\n{broken\n[]\n" + `{"url":1,"caption":"x"}` + "\n{\"url\":\"\xff\"}\n{}\n", ListColumns{}, []ListRow{{Row: 1, Bad: "broken JSON: byte 1: expected a member's name"},
			{Row: 2, Bad: "not a JSON object"}, {Row: 3, Bad: "URL or caption is not a string"}, {Row: 4, Bad: "not UTF-8"}, {Row: 5}}, ""},
		{"jsonl", `{"Url":"c","caption":null,"URL":"a","url":"b","img_url":"d","text":"t","caption":"n"}` + "\n" + `{"image_url":7,"url":"u","alt":"x","text":{}}` + "\n" + `{"where":"w","url":1}`, ListColumns{}, []ListRow{{Row: 0, URL: "a", Caption: "n"},
			{Row: 1, Bad: "URL or caption is not a string"}, {Row: 2, Bad: "URL or caption is not a string"}}, ""},
		{"jsonl", `{"where":"w","url":1,"Where":"x"}`, ListColumns{URL: "where", Caption: "where"}, []ListRow{{Row: 0, URL: "w", Caption: "w"}}, ""},
		{"jsonl", strings.Repeat("x", maxListRow+1) + "\n{}\n", ListColumns{}, []ListRow{{Row: 0, Bad: "longer than 16777216 bytes"}, {Row: 1}}, ""},
		{"csv", "url,caption\n\"" + strings.Repeat("x,\n", maxListRow/3+9000), ListColumns{}, nil, "not closed"},
	} {
		for _, how := range []string{"", "gzip", "zstd"} {
			got, err := listRows(ReadList(bytes.NewReader(packed(t, c.text, how)), c.form, c.columns))
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s %.40q: error %v, want %s", c.form, c.text, err, c.err)
				}
				continue
			}
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%s %s %.40q: %+v, %v", c.form, how, c.text, got, err)
			}
		}
	}
	if _, err := listRows(ReadList(bytes.NewReader(packed(t, strings.Repeat("{}\n", 999), "gzip")[:20]), "jsonl", ListColumns{})); err == nil {
		t.Error("a cut gzip gave no error")
	}
}

func parquetList(t testing.TB, rows any, group int64) []byte {
	var out bytes.Buffer
	w := parquet.NewWriter(&out, parquet.MaxRowsPerRowGroup(group), parquet.Compression(&parquet.Snappy))
	switch rows := rows.(type) {
	case []laion:
		for i := range rows {
			if err := w.Write(&rows[i]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type laion struct {
	ID   int64   `parquet:"SAMPLE_ID"`
	URL  *string `parquet:"URL,optional"`
	Text *string `parquet:"TEXT,optional"`
	Tags []string
}

func TestReadParquetList(t *testing.T) {
	var rows []laion
	var want []ListRow
	for i := range 700 {
		url, text := "http://a.test/"+strings.Repeat("x", i%5), "caption "+strings.Repeat("y", i%90)
		row, w := laion{ID: int64(i), Tags: []string{"a", "b"}}, ListRow{Row: int64(i)}
		if i%7 != 0 {
			row.URL, w.URL = &url, url
		}
		if i%11 != 0 {
			row.Text, w.Caption = &text, text
		}
		rows, want = append(rows, row), append(want, w)
	}
	data := parquetList(t, rows, 300)
	got, err := listRows(ReadParquetList(bytes.NewReader(data), int64(len(data)), ListColumns{}))
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	if _, err := listRows(ReadParquetList(bytes.NewReader(data), int64(len(data)), ListColumns{URL: "Tags"})); err == nil {
		t.Error("a list column was taken for the URL")
	}
	if _, err := listRows(ReadParquetList(bytes.NewReader(data[:500]), 500, ListColumns{})); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

func FuzzReadList(f *testing.F) {
	f.Add([]byte("url,caption\nhttp://a.test/,\"x\"\n"), 0)
	f.Add([]byte(`{"url":"x","caption":"y"}`), 1)
	f.Add([]byte("\x1f\x8b\x08\x00"), 2)
	f.Add(parquetList(f, []laion{{ID: 1}}, 10), 3)
	f.Fuzz(func(t *testing.T, data []byte, form int) {
		seq := ReadParquetList(bytes.NewReader(data), int64(len(data)), ListColumns{})
		if i := form & 3; i < 3 {
			seq = ReadList(bytes.NewReader(data), []string{"csv", "jsonl", "tsv"}[i], ListColumns{})
		}
		n := 0
		for range seq {
			if n++; n > 10000 {
				break
			}
		}
	})
}

// TestWebDataset reads a tar back, and writes it again with the same bytes.
func TestWebDataset(t *testing.T) {
	p := &Pair{URL: "http://a.test/?a&b", Caption: "a <cat>\n", MediaType: "image/png", SHA256: strings.Repeat("ab", 32)}
	p.PairID = PairID(p.URL, p.Caption, 0, 3)
	p.ImageName = ImageName(p.SHA256, p.MediaType)
	write := func() []byte {
		var out bytes.Buffer
		w := NewWebDatasetWriter(&out)
		if err := w.Write(p, []byte("picture")); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil || w.Rows() != 1 {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	data := write()
	if !bytes.Equal(data, write()) {
		t.Error("two tars of one pair differ")
	}
	r := tar.NewReader(bytes.NewReader(data))
	for _, want := range []struct{ ending, text string }{{".png", "picture"}, {".json", "http://a.test/?a&b"}, {".txt", "a <cat>\n"}} {
		h, err := r.Next()
		if err != nil || h.Name != p.PairID+want.ending || h.ModTime.Unix() != 0 || h.Uid != 0 {
			t.Fatal(h, err)
		}
		if text, _ := io.ReadAll(r); !strings.Contains(string(text), want.text) {
			t.Errorf("%s: %q", h.Name, text)
		}
	}
	if PairID("a", "b", 0, 0) == PairID("a", "b", 0, 1) {
		t.Error("two rows have one name")
	}
}
