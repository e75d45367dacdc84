package warc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func recordText(i int, extra string) string {
	body := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Page %d %s</p>", i, strings.Repeat("lorem ", i*31%400))
	return fmt.Sprintf("WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://a.test/%d\r\nWARC-Date: 2019-04-20T01:02:03Z\r\nContent-Type: application/http; msgtype=response\r\n%sContent-Length: %d\r\n\r\n%s\r\n\r\n", i, extra, len(body), body)
}

func pack(text string) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	io.WriteString(w, text)
	w.Close()
	return out.Bytes()
}

func packed(n int) (data []byte, offsets []int) {
	for i := range n {
		offsets = append(offsets, len(data))
		data = append(data, pack(recordText(i, ""))...)
	}
	return data, offsets
}

// uris reads everything and gives the records' URIs without their host.
func uris(t testing.TB, data []byte) (list []string, r *Reader, err error) {
	t.Helper()
	r = NewReader(bytes.NewReader(data), "f.warc.gz")
	for {
		rec, err := r.Next()
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			return list, r, err
		}
		name := strings.TrimPrefix(rec.TargetURI(), "http://a.test/")
		if rec.Short {
			name += "(short)"
		}
		list = append(list, name)
	}
}

func numbers(n int, without ...int) (list []string) {
	for i := range n {
		skip := false
		for _, w := range without {
			skip = skip || w == i
		}
		if !skip {
			list = append(list, fmt.Sprint(i))
		}
	}
	return list
}

func TestMembersAndPlaces(t *testing.T) {
	data, offsets := packed(40)
	r := NewReader(iotest.HalfReader(bytes.NewReader(data)), "f.warc.gz")
	defer r.Close()
	for i := range 40 {
		rec, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		end := len(data)
		if i < 39 {
			end = offsets[i+1]
		}
		if rec.Offset != int64(offsets[i]) || rec.Length != int64(end-offsets[i]) || rec.Index != 0 {
			t.Errorf("record %d at %d, length %d; want %d, %d", i, rec.Offset, rec.Length, offsets[i], end-offsets[i])
		}
		again := NewReader(bytes.NewReader(data[rec.Offset:rec.Offset+rec.Length]), "range")
		same, err := again.Next()
		if err != nil || !bytes.Equal(same.Block, rec.Block) {
			t.Errorf("record %d read by its range: %v", i, err)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if s := r.Stats(); s.Records != 40 || len(s.Skipped) != 0 {
		t.Errorf("stats %+v", s)
	}
}

func TestDamagedMembers(t *testing.T) {
	data, offsets := packed(30)
	for name, c := range map[string]struct {
		spoil   func([]byte) []byte
		without int
		reason  string
	}{
		"deflate data": {func(d []byte) []byte { d[offsets[7]+40] ^= 0xff; d[offsets[7]+41] ^= 0xff; return d }, 7, SkipDamaged},
		"checksum":     {func(d []byte) []byte { d[offsets[8]-8] ^= 1; return d }, 7, SkipDamaged},
		"gzip head":    {func(d []byte) []byte { d[offsets[7]+2] = 9; return d }, 7, SkipDamaged},
		"not WARC": {func(d []byte) []byte {
			return append(append(bytes.Clone(d[:offsets[7]]), pack("<html>no record</html>")...), d[offsets[8]:]...)
		}, 7, SkipJunk},
		"bytes between": {func(d []byte) []byte {
			return append(append(bytes.Clone(d[:offsets[7]]), bytes.Repeat([]byte("junk"), 50_000)...), d[offsets[8]:]...)
		}, 7, SkipDamaged},
		"head without end": {func(d []byte) []byte {
			return append(append(bytes.Clone(d[:offsets[7]]), pack("WARC/1.0\r\nWARC-Type: response\r\n")...), d[offsets[8]:]...)
		}, 7, SkipHead},
		"huge head": {func(d []byte) []byte {
			return append(append(bytes.Clone(d[:offsets[7]]), pack("WARC/1.0\r\nA: "+strings.Repeat("x", 3<<20)+"\r\n\r\n")...), d[offsets[8]:]...)
		}, 7, SkipHead},
	} {
		list, r, err := uris(t, c.spoil(bytes.Clone(data)))
		if err != nil || fmt.Sprint(list) != fmt.Sprint(numbers(30, c.without)) {
			t.Errorf("%s: %v, %v", name, list, err)
		}
		if r.Stats().Skipped[c.reason] == 0 {
			t.Errorf("%s: skipped %v", name, r.Stats().Skipped)
		}
	}
}

func TestTruncated(t *testing.T) {
	data, offsets := packed(10)
	for _, cut := range []int{offsets[9] + 1, offsets[9] + 30, len(data) - 9, len(data) - 1} {
		list, _, err := uris(t, data[:cut])
		if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), "f.warc.gz") || !strings.Contains(err.Error(), fmt.Sprint(offsets[9])) {
			t.Errorf("cut at %d: %v", cut, err)
		}
		if len(list) < 9 || fmt.Sprint(list[:9]) != fmt.Sprint(numbers(9)) || len(list) > 9 && list[9] != "9(short)" {
			t.Errorf("cut at %d: %v", cut, list)
		}
	}
	plain := recordText(1, "") + recordText(2, "")
	list, _, err := uris(t, []byte(plain[:len(plain)-30]))
	if fmt.Sprint(list) != "[1 2(short)]" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("plain: %v, %v", list, err)
	}
}

func TestReadErrorIsFatal(t *testing.T) {
	data, offsets := packed(10)
	r := NewReader(io.MultiReader(bytes.NewReader(data[:offsets[5]+20]), iotest.ErrReader(errors.New("cable cut"))), "f.warc.gz")
	n := 0
	var err error
	for err == nil {
		if _, err = r.Next(); err == nil {
			n++
		}
	}
	if n != 5 || !strings.Contains(err.Error(), "cable cut") {
		t.Errorf("%d records, then %v", n, err)
	}
}

func TestNoRecords(t *testing.T) {
	for _, data := range [][]byte{[]byte("hello\n"), pack("<html>"), {0x1f, 0x8b, 1, 2, 3}, bytes.Repeat(gzipMagic, 5000)} {
		if _, _, err := uris(t, data); err == nil {
			t.Errorf("%.20q: no error", data)
		}
	}
	if list, _, err := uris(t, nil); err != nil || list != nil {
		t.Errorf("empty file: %v, %v", list, err)
	}
}

func TestLimits(t *testing.T) {
	big := recordText(399, "")
	data := append(pack(big), pack(recordText(1, ""))...)
	r := NewReader(bytes.NewReader(data), "f", Limits{Block: 100})
	rec, err := r.Next()
	if err != nil || len(rec.Block) != 100 || !rec.Cut || rec.Short {
		t.Fatalf("%+v, %v", rec, err)
	}
	if rec, err = r.Next(); err != nil || rec.TargetURI() != "http://a.test/1" {
		t.Errorf("after a cut block: %v", err)
	}
	m := &Message{Header: Header{{"Content-Encoding", "gzip"}}, Body: pack(strings.Repeat("x", 1000))}
	if body, err := m.Content(10); len(body) != 10 || !errors.Is(err, ErrBodyTooLarge) {
		t.Errorf("body limit: %d bytes, %v", len(body), err)
	}
	m.Header[0].Value = strings.Repeat("gzip, ", maxCodings) + "gzip"
	if body, err := m.Content(0); err == nil || !bytes.Equal(body, m.Body) {
		t.Errorf("%d encodings: %d bytes, %v", maxCodings+1, len(body), err)
	}
}

// TestGivingUp reads files without end that hold no record: what is passed over is told so often and no more.
func TestGivingUp(t *testing.T) {
	for name, part := range map[string][]byte{
		"members of junk":    pack("junk"),
		"damaged members":    {0x1f, 0x8b, 8, 0xe0},
		"heads without size": []byte("WARC/1.0\r\nWARC-Type: response\r\n\r\n"),
	} {
		data := append(pack(recordText(1, "")), bytes.Repeat(part, 3*maxPassed)...)
		if name == "heads without size" {
			data = append([]byte(recordText(1, "")), bytes.Repeat(part, 3*maxPassed)...)
		}
		r := NewReader(bytes.NewReader(data), "f")
		told := 0
		r.OnSkip = func(int64, string) { told++ }
		if rec, err := r.Next(); err != nil || rec.TargetURI() != "http://a.test/1" {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := r.Next(); err == nil || !strings.Contains(err.Error(), "given up") || told > maxPassed+2 {
			t.Errorf("%s: %d told, then %v", name, told, err)
		}
	}
}

func TestFolding(t *testing.T) {
	head := "HTTP/1.1 200 OK\r\n lost\r\nA: 1\r\n\t2 \r\n  \r\n 3\r\nB:\r\n x\xe9\r\nno colon\r\n y\r\n\r\nbody"
	_, h, rest := splitHead([]byte(head), 1<<20)
	if want := (Header{{"A", "1 2 3"}, {"B", "x\u00e9 y"}}); !reflect.DeepEqual(h, want) || string(rest) != "body" {
		t.Errorf("%q, %q", h, rest)
	}
	var many strings.Builder // to copy the value for every line of it would take 10 GB
	for range 1 << 18 {
		many.WriteString(" a\n")
	}
	if _, h, _ := splitHead([]byte("HTTP/1.1 200 OK\nA: a\n"+many.String()+"\nbody"), 1<<20); len(h) != 1 || len(h[0].Value) != 2*(1<<18)+1 {
		t.Errorf("a long field: %d fields", len(h))
	}
}

func TestZstdFrames(t *testing.T) {
	enc, _ := zstd.NewWriter(nil)
	var data []byte
	var offsets []int
	for i := range 12 {
		offsets = append(offsets, len(data))
		data = enc.EncodeAll([]byte(recordText(i, "")), data)
	}
	r := NewReader(iotest.OneByteReader(bytes.NewReader(data)), "f.warc.zst")
	defer r.Close()
	for i := range 12 {
		rec, err := r.Next()
		if err != nil || rec.Offset != int64(offsets[i]) || rec.TargetURI() != fmt.Sprintf("http://a.test/%d", i) {
			t.Fatalf("frame %d: %v", i, err)
		}
	}
	spoiled := bytes.Clone(data)
	spoiled[offsets[5]+20] ^= 0xff
	if list, _, err := uris(t, spoiled); err != nil || len(list) < 10 {
		t.Errorf("damaged frame: %v, %v", list, err)
	}
}

func TestContent(t *testing.T) {
	for _, c := range []struct{ encoding, body, want string }{
		{"gzip", string(pack("hello")), "hello"}, {"x-gzip", string(pack("hello")), "hello"}, {"gzip", "hello", "hello"}, {"GZIP ", string(pack("hello")), "hello"},
		{"br", "<html>not encoded</html>", "<html>not encoded</html>"}, {"deflate", "<html>not encoded</html>", "<html>not encoded</html>"},
		{"zstd", "plain", "plain"}, {"gzip, identity", string(pack("hello")), "hello"}, {"gzip, gzip", string(pack(string(pack("hello")))), "hello"}, {"", "x", "x"}, {"gzip", "", ""},
	} {
		m := &Message{Header: Header{{"content-encoding", c.encoding}}, Body: []byte(c.body)}
		if got, err := m.Content(0); err != nil || string(got) != c.want {
			t.Errorf("%s %.20q: %q, %v", c.encoding, c.body, got, err)
		}
	}
	for body, want := range map[string]string{
		"5\r\nhello\r\n0\r\n\r\n": "hello", "5;x=y\r\nhello\r\n3\r\n wo\r\n0\r\n": "hello wo", "<p>no</p>": "<p>no</p>", "5\r\nhel": "hel", "5\r\nhello\r\nzz\r\n": "hello", "2\nab\n1\nc\n": "abc", "": "",
	} {
		m := &Message{Header: Header{{"Transfer-Encoding", "Chunked"}}, Body: []byte(body)}
		if got, err := m.Content(0); err != nil || string(got) != want {
			t.Errorf("chunked %q: %q, %v", body, got, err)
		}
	}
}

func TestSharedFiles(t *testing.T) {
	shared := os.Getenv("MMC4_SHARED")
	if shared == "" {
		t.Skip("MMC4_SHARED is not set")
	}
	for name, want := range map[string]string{
		"whirlwind.warc.gz":     "[warcinfo request response metadata]",
		"whirlwind.warc.wat.gz": "[warcinfo metadata]",
		"whirlwind.warc.wet.gz": "[warcinfo conversion]",
	} {
		f, err := os.Open(filepath.Join(shared, "data", "commoncrawl", name))
		if err != nil {
			t.Fatal(err)
		}
		r := NewReader(f, name)
		var types []string
		for {
			rec, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			types = append(types, rec.Type)
			if rec.CheckDigests() != Right {
				t.Errorf("%s: digests of the %s", name, rec.Type)
			}
		}
		f.Close()
		if fmt.Sprint(types) != want {
			t.Errorf("%s: %v, want %s", name, types, want)
		}
	}
}

// However a file is spoiled, reading ends, and what was not touched and lies before the fault comes out.
func TestRandomDamage(t *testing.T) {
	data, offsets := packed(20)
	rng := rand.New(rand.NewPCG(3, 4))
	for range 400 {
		at := rng.IntN(len(data))
		spoiled := bytes.Clone(data)
		for k := range 1 + rng.IntN(20) {
			spoiled[min(len(data)-1, at+k)] = byte(rng.IntN(256))
		}
		list, _, _ := uris(t, spoiled)
		whole := 0
		for whole < 19 && offsets[whole+1] <= at {
			whole++
		}
		if len(list) < whole || fmt.Sprint(list[:whole]) != fmt.Sprint(numbers(whole)) {
			t.Fatalf("spoiled at %d: %v, want the first %d", at, list, whole)
		}
	}
}

func FuzzReader(f *testing.F) {
	data, _ := packed(3)
	f.Add(data)
	f.Add([]byte(recordText(1, "") + "junk\r\n" + recordText(2, "X: y\r\n z\r\n")))
	enc, _ := zstd.NewWriter(nil)
	f.Add(enc.EncodeAll([]byte(recordText(1, "")), nil))
	f.Add([]byte("\x5d\x2a\x4d\x18\x04\x00\x00\x00abcd"))
	f.Add([]byte("WARC/1.0\r\nContent-Length: 99999999999\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := NewReader(bytes.NewReader(data), "fuzz", Limits{Head: 4096, Block: 1 << 16, Body: 1 << 16})
		defer r.Close()
		for {
			rec, err := r.Next()
			if err != nil {
				return
			}
			if rec.Offset < 0 || rec.Offset+rec.Length > int64(len(data)) {
				t.Fatalf("record at %d, length %d of %d", rec.Offset, rec.Length, len(data))
			}
			rec.Payload()
			rec.CheckDigests()
			rec.Date()
		}
	})
}

func FuzzContent(f *testing.F) {
	f.Add("gzip", pack("hello"))
	f.Add("br", []byte("\x0b\x02\x80hello\x03"))
	f.Add("deflate", []byte("\x78\x9c\x01"))
	f.Fuzz(func(t *testing.T, encoding string, body []byte) {
		m := &Message{Header: Header{{"Content-Encoding", encoding}, {"Transfer-Encoding", "chunked"}}, Body: body}
		if out, _ := m.Content(1 << 16); len(out) > max(1<<16, len(body)) {
			t.Fatalf("%d bytes out of %d", len(out), len(body))
		}
	})
}

func BenchmarkReader(b *testing.B) {
	data, _ := packed(400)
	size := 0
	for i := range 400 {
		size += len(recordText(i, ""))
	}
	b.SetBytes(int64(size))
	for b.Loop() {
		r := NewReader(bytes.NewReader(data), "bench")
		for {
			if _, err := r.Next(); err == io.EOF {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}
