package schemas

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// zigzag is a number in the compact protocol.
func zigzag(n int64) []byte { return binary.AppendVarint(nil, n) }

// header is a page header of a data page.
func header(compressed, uncompressed, values int64) []byte {
	b := append([]byte{0x15, 0}, 0x15)
	b = append(append(b, zigzag(uncompressed)...), 0x15)
	b = append(append(b, zigzag(compressed)...), 0x2c, 0x15) // field 5, its field 1
	return append(append(b, zigzag(values)...), 0, 0)
}

func TestThriftLength(t *testing.T) {
	good := header(10, 20, 30)
	got := map[[2]int16]int64{}
	if n, err := thriftLength(append(good, "rest"...), func(outer, field int16, v int64) { got[[2]int16{outer, field}] = v }); n != len(good) || err != nil {
		t.Fatalf("%d, %v; want %d", n, err, len(good))
	}
	for at, want := range map[[2]int16]int64{{0, 1}: 0, {0, 2}: 20, {0, 3}: 10, {5, 1}: 30} {
		if got[at] != want {
			t.Errorf("field %v is %d, want %d", at, got[at], want)
		}
	}
	for i := range good {
		if _, err := thriftLength(good[:i], nil); !errors.Is(err, errThriftCut) {
			t.Errorf("%d bytes of %d: %v", i, len(good), err)
		}
	}
	for name, c := range map[string]struct {
		b    []byte
		want error
	}{
		"string":  {[]byte{0x18, 0xff, 0xff, 0xff, 0xff, 0x07}, errThriftCut},
		"list":    {[]byte{0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0}, errThriftCut},
		"map":     {[]byte{0x1b, 0xff, 0xff, 0xff, 0xff, 0x07, 0x88}, errThriftCut},
		"kind":    {[]byte{0x1d}, errThrift},
		"varint":  {append([]byte{0x15}, bytes.Repeat([]byte{0xff}, 11)...), errThrift},
		"deep":    {bytes.Repeat([]byte{0x1c}, 100), errThrift},
		"lists":   {append([]byte{0x19}, bytes.Repeat([]byte{0x19}, 100)...), errThrift},
		"nothing": {[]byte{0}, nil},
		"far":     {[]byte{0x05, 0x90, 0x03, 0x02, 0x11, 0x22, 0}, nil}, // a field's number written out, and truth
		"double":  {append([]byte{0x17}, make([]byte, 9)...), nil},
	} {
		if _, err := thriftLength(c.b, nil); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestAnnounced: a few bytes that announce much are an error before room is made for it.
func TestAnnounced(t *testing.T) {
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"good":   {append(header(4, 4, 1), "1234"...), ""},
		"long":   {header(1<<31-1, 4, 1), "is said to have 2147483647 bytes"},
		"zipped": {append(header(4, 1<<31-1, 1), "1234"...), "1 values in 2147483647 bytes"},
		"values": {append(header(4, 4, 1<<31-1), "1234"...), "2147483647 values in 4 bytes"},
		"cut":    {header(4, 4, 1)[:6], "ends in the middle"},
	} {
		g := guard{r: bytes.NewReader(c.b), to: int64(len(c.b)), end: -1}
		_, err := io.ReadAll(io.NewSectionReader(&g, 0, int64(len(c.b))))
		if (err == nil) != (c.want == "") || err != nil && (!errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	footer := []byte{0x15, 2, 0x19, 0xfc, 0xff, 0xff, 0xff, 0xff, 0x07, 0}
	file := append([]byte("PAR1"), footer...)
	file = append(binary.LittleEndian.AppendUint32(file, uint32(len(footer))), "PAR1"...)
	if _, err := OpenFile(bytes.NewReader(file), int64(len(file))); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "footer: it ends in the middle") {
		t.Error(err)
	}
}

// TestPagesInPieces reads headers that lie across the pieces in which a file is read, and a footer that is longer than most.
func TestPagesInPieces(t *testing.T) {
	type row struct {
		A string `parquet:",dict"`
		B int64
	}
	var file bytes.Buffer
	w := parquet.NewGenericWriter[row](&file, parquet.PageBufferSize(500), parquet.KeyValueMetadata("long", strings.Repeat("x", tailBytes)))
	for i := range 3000 {
		if _, err := w.Write([]row{{strings.Repeat("a", i%7), int64(i)}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	data := bytes.NewReader(file.Bytes())
	for _, size := range []int{16, 33, 100, 4096} {
		f, err := OpenFile(data, data.Size(), parquet.ReadBufferSize(size))
		if err != nil {
			t.Fatal(err)
		}
		for column := range 2 {
			pages, err := Pages(f, 0, column, data)
			if err != nil {
				t.Fatal(err)
			}
			rows, count := int64(0), 0
			for {
				page, err := pages.ReadPage()
				if err == io.EOF {
					break
				}
				if err != nil {
					t.Fatalf("pieces of %d, column %d, page %d: %v", size, column, count, err)
				}
				rows += page.NumRows()
				count++
				parquet.Release(page)
			}
			if rows != 3000 || count < 4 {
				t.Errorf("pieces of %d, column %d: %d rows in %d pages", size, column, rows, count)
			}
			pages.Close()
		}
	}
}

func FuzzThrift(f *testing.F) {
	f.Add(header(10, 20, 30))
	f.Add([]byte{0x19, 0x2c, 0, 0, 0x1b, 0x01, 0x88, 0, 1, 'x', 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := thriftLength(b, func(int16, int16, int64) {})
		if n < 0 || n > len(b) || err == nil && n == 0 {
			t.Fatalf("%d of %d bytes, %v", n, len(b), err)
		}
	})
}
