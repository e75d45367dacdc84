package c4

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

func line(i int) string {
	return fmt.Sprintf(`{"text":"Line one.\nPage \u00fc %d.","timestamp":"2019-04-%02dT01:02:03Z","url":"http://a.test/%d"}`, i, i%28+1, i)
}

func gz(parts ...string) []byte {
	var out bytes.Buffer
	for _, part := range parts {
		w := gzip.NewWriter(&out)
		io.WriteString(w, part)
		w.Close()
	}
	return out.Bytes()
}

func all(t *testing.T, r io.Reader) (recs []Record, err error) {
	t.Helper()
	for rec, e := range Read(r, "f.json") {
		if e != nil {
			return recs, e
		}
		recs = append(recs, rec)
	}
	return recs, nil
}

func TestCompressions(t *testing.T) {
	text := line(1) + "\n" + line(2) + "\n\n" + line(3)
	enc, _ := zstd.NewWriter(nil)
	for name, data := range map[string][]byte{
		"plain": []byte(text), "gzip": gz(text), "gzip, two members": gz(text[:40], text[40:]),
		"zstd": enc.EncodeAll([]byte(text), nil), "zstd, two frames": append(enc.EncodeAll([]byte(text[:90]), nil), enc.EncodeAll([]byte(text[90:]), nil)...),
	} {
		recs, err := all(t, iotest.OneByteReader(bytes.NewReader(data)))
		if err != nil || len(recs) != 3 {
			t.Fatalf("%s: %d records, %v", name, len(recs), err)
		}
		for i, want := range []int{1, 2, 4} {
			if recs[i].Line != want || recs[i].Bad != "" {
				t.Errorf("%s: record %d: line %d, bad %q", name, i, recs[i].Line, recs[i].Bad)
			}
		}
		want := Document{"http://a.test/3", time.Date(2019, 4, 4, 1, 2, 3, 0, time.UTC), "Line one.\nPage ü 3."}
		if recs[2].Doc != want {
			t.Errorf("%s: got %+v, want %+v", name, recs[2].Doc, want)
		}
	}
	if recs, err := all(t, strings.NewReader("")); err != nil || len(recs) != 0 {
		t.Errorf("empty: %v, %v", recs, err)
	}
}

func TestBadLines(t *testing.T) {
	for text, want := range map[string]string{
		`{"url":"u","timestamp":"2019-04-01T00:00:00Z","text":"x"}`:                             "",
		`{"text":"x","url":"u","extra":[1,{"a":null}],"timestamp":"2019-04-01T00:00:00+02:00"}`: "",
		`{"url":"u","timestamp":"2019-04-01T00:00:00Z","te`:                                     "broken JSON",
		`{"url":"u","timestamp":"2019-04-01T00:00:00Z","text":"x"} x`:                           "broken JSON",
		`{"url":"u","timestamp":"2019-04-01T00:00:00Z","text":"x","y":[1,}`:                     "broken JSON",
		`{"url":"u","timestamp":"2019-04-01T00:00:00Z","text":"x","y":[1 2]}`:                   "broken JSON",
		"{\"url\":\"u\",\"timestamp\":\"2019-04-01T00:00:00Z\",\"text\":\"a\tb\"}":              "control character",
		"{\"url\":\"u\",\"timestamp\":\"2019-04-01T00:00:00Z\",\"text\":\"\xff\"}":              "not UTF-8",
		`["url"]`: "not a JSON object",
		`null`:    "not a JSON object",
		`{"timestamp":"2019-04-01T00:00:00Z","text":"x"}`:                      "no url",
		`{"url":"u","text":"x"}`:                                               "no timestamp",
		`{"url":"u","timestamp":"2019-04-01T00:00:00Z"}`:                       "no text",
		`{"url":1,"timestamp":"2019-04-01T00:00:00Z","text":"x"}`:              "url is not a string",
		`{"url":"u","timestamp":"2019-04-01T00:00:00Z","text":null}`:           "text is not a string",
		`{"url":"u","timestamp":"yesterday","text":"x"}`:                       "RFC 3339",
		`{"url":"u","timestamp":"2019-04-01T00:00:00Z","text":"\ud83d"}`:       "surrogate",
		`{"url":"u","timestamp":"2019-04-01T00:00:00Z","text":"\ud83d\ude42"}`: "",
		`{"url":"u","timestamp":"2019-04-01T00:00:00Z","text":"\x"}`:           "broken JSON",
	} {
		recs, err := all(t, strings.NewReader(line(1)+"\n"+text+"\r\n"+line(2)+"\n"))
		if err != nil || len(recs) != 3 {
			t.Fatalf("%s: %d records, %v", text, len(recs), err)
		}
		bad := recs[1]
		if bad.Line != 2 || (bad.Bad == "") != (want == "") || !strings.Contains(bad.Bad, want) {
			t.Errorf("%s: line %d, %q; want %q", text, bad.Line, bad.Bad, want)
		}
		if recs[2].Bad != "" || recs[2].Line != 3 {
			t.Errorf("%s: the line after it: %+v", text, recs[2])
		}
	}
}

func TestTruncatedStream(t *testing.T) {
	var text strings.Builder
	for i := range 2000 {
		text.WriteString(line(i*7919) + "\n")
	}
	data := gz(text.String())
	recs, err := all(t, bytes.NewReader(data[:len(data)/2]))
	if !errors.Is(err, io.ErrUnexpectedEOF) || !strings.Contains(err.Error(), fmt.Sprintf("f.json: line %d:", len(recs)+1)) {
		t.Errorf("after %d records: %v", len(recs), err)
	}
	if len(recs) < 500 {
		t.Errorf("only %d records before the fault", len(recs))
	}
	for _, rec := range recs {
		if rec.Bad != "" {
			t.Fatalf("line %d: %s", rec.Line, rec.Bad)
		}
	}
}

func TestLongLine(t *testing.T) {
	l := newLines(strings.NewReader("short\n"+strings.Repeat("x", 600_000)+"\nend"), 1000)
	for i, want := range []string{"short", "", "end"} {
		got, tooLong, err := l.next()
		if string(got) != want || tooLong != (i == 1) || err != nil {
			t.Errorf("line %d: %.20q, %v, %v", i, got, tooLong, err)
		}
	}
}

// The bad lines of a made mini crawl are the ones that its truth names.
func TestMiniCrawl(t *testing.T) {
	root := os.Getenv("MMC4_MINICRAWL")
	if root == "" {
		t.Skip("MMC4_MINICRAWL is not set")
	}
	raw, err := os.ReadFile(filepath.Join(root, "truth", "c4.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth map[string]struct {
		Files []struct {
			File      string
			Documents int
		}
		Malformed []struct {
			File string
			Line int
		}
	}
	if err := json.Unmarshal(raw, &truth); err != nil {
		t.Fatal(err)
	}
	for _, set := range truth {
		bad := map[string]bool{}
		for _, m := range set.Malformed {
			bad[fmt.Sprint(m.File, m.Line)] = true
		}
		for _, file := range set.Files {
			f, err := os.Open(filepath.Join(root, file.File))
			if err != nil {
				t.Fatal(err)
			}
			docs := 0
			for rec, err := range Read(f, file.File) {
				if err != nil {
					t.Fatal(err)
				}
				if (rec.Bad != "") != bad[fmt.Sprint(file.File, rec.Line)] {
					t.Errorf("%s line %d: %q", file.File, rec.Line, rec.Bad)
				}
				if rec.Bad == "" {
					docs++
				}
			}
			f.Close()
			if docs != file.Documents {
				t.Errorf("%s: %d documents, want %d", file.File, docs, file.Documents)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(line(1) + "\n" + line(2)))
	f.Add(gz(line(1), "\n"))
	f.Add(gz(line(1))[:30])
	f.Add([]byte("\x28\xb5\x2f\xfd"))
	f.Fuzz(func(t *testing.T, data []byte) {
		last := 0
		for rec, err := range Read(bytes.NewReader(data), "fuzz") {
			if err != nil {
				return
			}
			if rec.Line <= last {
				t.Fatalf("line %d after %d", rec.Line, last)
			}
			last = rec.Line
			if rec.Bad == "" && !(utf8.ValidString(rec.Doc.URL) && utf8.ValidString(rec.Doc.Text)) {
				t.Fatalf("%q read as %+v", data, rec.Doc)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	var text strings.Builder
	for i := range 2000 {
		text.WriteString(strings.Replace(line(i), "Page", strings.Repeat("Some words of a page. ", 100), 1) + "\n")
	}
	data := text.String()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		for _, err := range Read(strings.NewReader(data), "bench") {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

// TestEmptyArchive: a .gz without a byte was cut off, an empty plain file has no lines.
func TestEmptyArchive(t *testing.T) {
	for name, want := range map[string]error{"a.json.gz": io.ErrUnexpectedEOF, "a.json.zst": io.ErrUnexpectedEOF, "a.json": nil} {
		var got error
		for _, err := range Read(strings.NewReader(""), name) {
			got = err
		}
		if !errors.Is(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}
