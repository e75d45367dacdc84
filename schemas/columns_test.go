package schemas

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

	"mmc4/internal/storage"
)

// flat has what the tables have, and dictionaries of every type, as other writers make them.
type flat struct {
	A int32    `parquet:"a,dict"`
	B *int64   `parquet:"b,optional,dict"`
	C *float32 `parquet:"c,optional"`
	D float64  `parquet:"d,dict"`
	E *string  `parquet:"e,optional,dict"`
	F string   `parquet:"f"`
	G *string  `parquet:"g,optional"`
	P struct {
		H []byte `parquet:"h,optional"`
	} `parquet:"p"`
	L []string `parquet:"l,list"`
}

func flats(n int, rnd *rand.Rand) (rows []flat) {
	for i := range n {
		r := flat{A: rnd.Int31n(5), D: float64(rnd.Intn(3)), F: fmt.Sprint(rnd.Intn(1000)), L: []string{"x"}}
		if rnd.Intn(3) > 0 {
			r.B, r.C, r.E, r.G = ptr(rnd.Int63n(4)), ptr(rnd.Float32()), ptr(fmt.Sprint(rnd.Intn(4))), ptr(fmt.Sprint("g", i))
		}
		if rnd.Intn(2) == 0 {
			r.P.H = []byte{1, byte(i)}
		}
		rows = append(rows, r)
	}
	return rows
}

// TestColumnReader reads every type, plain and by dictionary, in batches that do not fit pages and row groups.
func TestColumnReader(t *testing.T) {
	for seed, version := range []int{1, 2} {
		rows := flats(1000, rand.New(rand.NewSource(int64(seed))))
		var buf bytes.Buffer
		w := parquet.NewGenericWriter[flat](&buf, parquet.DataPageVersion(version), parquet.PageBufferSize(700), parquet.MaxRowsPerRowGroup(333),
			parquet.Compression(&parquet.Snappy))
		for i := range rows {
			w.Write(rows[i : i+1])
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		c, err := NewColumnReader(bytes.NewReader(buf.Bytes()), int64(buf.Len()))
		if err != nil {
			t.Fatal(err)
		}
		if names := c.Names(); !slices.Equal(names, []string{"a", "b", "c", "d", "e", "f", "g", "p.h"}) {
			t.Fatal(names)
		}
		var got []flat
		for {
			batch, n, err := c.Next(70)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				r := flat{A: batch[0].Int32[i], D: batch[3].Float64[i], F: string(batch[5].Text(i)), L: []string{"x"}}
				if !batch[1].Null[i] {
					r.B, r.C, r.E = ptr(batch[1].Int64[i]), ptr(batch[2].Float32[i]), ptr(string(batch[4].Text(i)))
				}
				if !batch[6].Null[i] {
					r.G = ptr(string(batch[6].Text(i)))
				}
				if !batch[7].Null[i] {
					r.P.H = bytes.Clone(batch[7].Text(i))
				}
				got = append(got, r)
			}
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if d := cmp.Diff(rows, got); d != "" {
			t.Error(d)
		}
		type part struct { // by rows, with the dictionaries
			A int32    `parquet:"a"`
			B *int64   `parquet:"b,optional"`
			E *string  `parquet:"e,optional"`
			L []string `parquet:"l,list"`
		}
		var want []part
		for _, r := range rows {
			want = append(want, part{r.A, r.B, r.E, r.L})
		}
		if some, err := read[part](buf.Bytes()); err != nil || !cmp.Equal(some, want) {
			t.Error(err, cmp.Diff(some, want))
		}
	}
}

// TestRowsAsTheLibraryReads holds our assembly of rows against parquet-go's own, slow one.
func TestRowsAsTheLibraryReads(t *testing.T) {
	docs := sample(60, 7)
	data := write(t, docs, 5_000)
	r := parquet.NewGenericReader[Document](bytes.NewReader(data))
	defer r.Close()
	want := make([]Document, len(docs))
	for n := 0; n < len(want); {
		k, err := r.Read(want[n:])
		if n += k; err != nil && n < len(want) {
			t.Fatal(err)
		}
	}
	got, err := read[Document](data)
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(err, d)
	}
}

func TestSeekToRow(t *testing.T) {
	docs := sample(200, 8)
	data := write(t, docs, 10_000)
	r, err := NewReader[Document](bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, at := range []int{150, 0, 199, 37, 38, 150, 200} {
		if err := r.SeekToRow(int64(at)); err != nil {
			t.Fatal(err)
		}
		rows := make([]Document, 3)
		n, err := r.Read(rows)
		if d := cmp.Diff(docs[at:min(at+3, 200)], rows[:n]); d != "" || err != nil && (err != io.EOF || at+3 <= 200) {
			t.Error(at, err, d)
		}
	}
	if err := r.SeekToRow(201); err == nil {
		t.Error("a row after the last was found")
	}
}

// counted serves a file and counts all requests for it.
func counted(t *testing.T, data []byte) (url string, requests *atomic.Int32) {
	requests = new(atomic.Int32)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		http.ServeContent(w, r, "x.parquet", time.Unix(1e9, 0), bytes.NewReader(data))
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

// TestRequestsOfOneColumn counts what a column of a shard costs over HTTP, opening included: what the object is, the footer, and one
// request a row group.
func TestRequestsOfOneColumn(t *testing.T) {
	docs := sample(3000, 9)
	for i := range docs {
		for j := range docs[i].ImageInfo {
			docs[i].ImageInfo[j].Bytes = bytes.Repeat(docs[i].ImageInfo[j].Bytes, 10)
		}
	}
	data := write(t, docs, 0)
	url, requests := counted(t, data)
	ctx := context.Background()
	store, err := storage.Open(ctx, url, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	count := func(what string, f func(o storage.Object) error) int32 {
		t.Helper()
		requests.Store(0)
		o, err := store.Open(ctx, "part-00000.parquet")
		if err != nil {
			t.Fatal(err)
		}
		defer o.Close()
		if err := f(o); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s of %d bytes: %d requests", what, len(data), requests.Load())
		return requests.Load()
	}
	groups := 0
	n := count("one column, by columns", func(o storage.Object) error {
		c, err := NewColumnReader(o, o.Info().Size)
		if err != nil {
			return err
		}
		defer c.Close()
		groups = len(c.file.RowGroups())
		c.Select(slices.Index(c.Names(), "url"))
		rows := 0
		for {
			batch, n, err := c.Next(100)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			for i := range n {
				if string(batch[0].Text(i)) != docs[rows].URL {
					return errors.New("another URL")
				}
				rows++
			}
		}
		if rows != len(docs) {
			return fmt.Errorf("%d rows", rows)
		}
		return nil
	})
	if groups < 2 {
		t.Fatalf("%d row groups are too few to count", groups)
	}
	if n > 4 || int(n) > 2+groups {
		t.Errorf("a column of %d row groups took %d requests", groups, n)
	}
	if n := count("one column, by rows", func(o storage.Object) error {
		r, err := NewReader[Document](o, o.Info().Size, Columns("text_list"))
		if err != nil {
			return err
		}
		defer r.Close()
		for _, err := range r.All() {
			if err != nil {
				return err
			}
		}
		return nil
	}); n > 4 {
		t.Errorf("rows with one column took %d requests", n)
	}
}
