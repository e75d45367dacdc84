package features

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"

	"mmc4/internal/demo"
	"mmc4/internal/imaging"
	"mmc4/kernels/device"
	"mmc4/models/clip"
	"mmc4/pipeline/internal/smallrun"
	"mmc4/schemas"
)

func openModel(t testing.TB, dir string, batch int) *clip.Model {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
		if err := os.CopyFS(dir, demo.CLIP()); err != nil {
			t.Fatal(err)
		}
	}
	dev, err := device.Open("auto")
	if err != nil {
		t.Fatal(err)
	}
	m, err := clip.Load(context.Background(), dir, dev, clip.Options{Batch: batch})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close(); dev.Close() })
	return m
}

func put(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, data, 0o644)); err != nil {
		t.Fatal(err)
	}
}

// photos makes a folder of n good pictures, two bad ones and files that are none.
func photos(t testing.TB, n int) (dir string, good []string) {
	dir = t.TempDir()
	for i := range n {
		name := fmt.Sprintf("%02d.png", i)
		if i%3 == 1 {
			name = fmt.Sprintf("sub/%02d.PNG", i)
		}
		put(t, filepath.Join(dir, filepath.FromSlash(name)), smallrun.Picture(uint64(i), 40+i*3, 60))
		good = append(good, name)
	}
	slices.Sort(good)
	whole := smallrun.Picture(99, 64, 64)
	put(t, filepath.Join(dir, "05-cut.png"), whole[:len(whole)/2])
	put(t, filepath.Join(dir, "07-page.jpg"), []byte("<html>"))
	put(t, filepath.Join(dir, "notes.txt"), []byte("none"))
	return dir, good
}

// direct is what the model gives for files, one call.
func direct(t *testing.T, m *clip.Model, files ...[]byte) [][]float32 {
	t.Helper()
	var pictures []*imaging.RGB
	for _, data := range files {
		p, err := imaging.Decode(data, imaging.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		pictures = append(pictures, p.RGB())
	}
	v, err := m.EncodeImages(context.Background(), pictures)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func near(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d numbers, want %d", what, len(got), len(want))
	}
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-5 {
			t.Fatalf("%s[%d] = %v, want %v", what, i, got[i], want[i])
		}
	}
}

func rowsOf(t *testing.T, path string) []Row {
	t.Helper()
	rows, err := parquet.ReadFile[Row](path)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// embed runs Embed and gives what it said of bad inputs.
func embed(t *testing.T, c Config) (Summary, []Bad) {
	t.Helper()
	var bad []Bad
	s, err := Embed(context.Background(), c, Report{Bad: func(b Bad) { bad = append(bad, b) }})
	if err != nil {
		t.Fatal(err)
	}
	if s.Bad != int64(len(bad)) {
		t.Errorf("%d bad inputs were counted, %d named", s.Bad, len(bad))
	}
	return s, bad
}

func TestFolder(t *testing.T) {
	m := openModel(t, "", 4)
	dir, good := photos(t, 10)
	out := filepath.Join(t.TempDir(), "f.parquet")
	s, bad := embed(t, Config{Input: dir, Out: out, Model: m, Batch: 4, Workers: 3})
	if s.Kind != "folder" || s.Rows != 10 || s.Dim != m.Dim() || len(bad) != 2 || bad[0].Name != "05-cut.png" || bad[1].Name != "07-page.jpg" || bad[1].Why == "" {
		t.Errorf("%+v, bad %v", s, bad)
	}
	rows := rowsOf(t, out)
	for i, name := range good {
		data, _ := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if rows[i].Name != name || rows[i].DocID != nil {
			t.Errorf("row %d is %+v, want %s", i, rows[i], name)
		}
		near(t, name, rows[i].Features, direct(t, m, data)[0])
	}
	first, _ := os.ReadFile(out)
	for _, workers := range []int{1, 8} {
		embed(t, Config{Input: dir, Out: out, Model: m, Batch: 4, Workers: workers})
		if again, _ := os.ReadFile(out); !bytes.Equal(again, first) {
			t.Errorf("%d workers make other bytes", workers)
		}
	}
}

func TestNpy(t *testing.T) {
	m := openModel(t, "", 4)
	dir, good := photos(t, 5)
	out := filepath.Join(t.TempDir(), "f.npy")
	s, _ := embed(t, Config{Input: dir, Out: out, Model: m, Batch: 4})
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	header := int(binary.LittleEndian.Uint16(data[8:]))
	if string(data[:8]) != "\x93NUMPY\x01\x00" || (10+header)%64 != 0 || data[9+header] != '\n' ||
		!strings.Contains(string(data[10:10+header]), fmt.Sprintf("'shape': (5, %d)", m.Dim())) || len(data) != 10+header+5*4*m.Dim() {
		t.Errorf("header %q, %d bytes", data[:10+header], len(data))
	}
	f, err := os.Open(s.Names)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	d := json.NewDecoder(f)
	for i, name := range good {
		var r Row
		if err := d.Decode(&r); err != nil || r.Name != name {
			t.Errorf("line %d: %+v, %v", i, r, err)
		}
		v := make([]float32, m.Dim())
		binary.Read(bytes.NewReader(data[10+header+i*4*m.Dim():]), binary.LittleEndian, v)
		picture, _ := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		near(t, name, v, direct(t, m, picture)[0])
	}
	if _, err := d.Token(); err != io.EOF {
		t.Error("more lines than rows")
	}
}

func TestList(t *testing.T) {
	m := openModel(t, "", 4)
	dir, _ := photos(t, 3)
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	abs := filepath.Join(dir, "02.png")
	if err := os.Rename(filepath.Join(dir, "00.png"), filepath.Join(dir, "0 0.png")); err != nil {
		t.Fatal(err)
	}
	names := []string{"02.png", "", "  sub/01.PNG\r", abs, "gone.png", server.URL + "/0%200.png", server.URL + "/gone.png", "02.png", "ftp://x/y.png"}
	put(t, filepath.Join(dir, "list"), []byte(strings.Join(names, "\n")))
	out := filepath.Join(t.TempDir(), "f.parquet")
	s, bad := embed(t, Config{Input: filepath.Join(dir, "list"), Out: out, Model: m, Batch: 2})
	var got []string
	for _, r := range rowsOf(t, out) {
		got = append(got, r.Name)
	}
	if want := []string{"02.png", "sub/01.PNG", abs, server.URL + "/0%200.png", "02.png"}; s.Kind != "list" || !slices.Equal(got, want) {
		t.Errorf("%+v: %q, want %q", s, got, want)
	}
	if len(bad) != 3 || bad[0].Name != "gone.png" || bad[2].Name != "ftp://x/y.png" {
		t.Errorf("bad: %v", bad)
	}
}

func TestRun(t *testing.T) {
	m := openModel(t, "", 4)
	run := smallrun.Write(t, nil, nil)
	var docs []schemas.Document
	parts, _ := filepath.Glob(filepath.Join(run, "docs", "*.parquet"))
	for _, part := range parts {
		rows, err := parquet.ReadFile[schemas.Document](part)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, rows...)
	}
	out := filepath.Join(t.TempDir(), "f.parquet")
	s, _ := embed(t, Config{Input: run, Out: out, Model: m, Batch: 4})
	rows, at := rowsOf(t, out), 0
	for _, d := range docs {
		for i, info := range d.ImageInfo {
			r := rows[at]
			if r.Name != info.ImageName || *r.DocID != d.DocID || *r.Place != int32(i) {
				t.Errorf("row %d: %+v", at, r)
			}
			if info.Bytes != nil {
				near(t, r.Name, r.Features, direct(t, m, info.Bytes)[0])
			}
			at++
		}
	}
	if at == 0 || at != len(rows) || s.Kind != "run" {
		t.Errorf("%d rows for %d pictures: %+v", len(rows), at, s)
	}
	embed(t, Config{Input: run, Text: true, Out: out, Model: m, Batch: 4})
	rows, at = rowsOf(t, out), 0
	for _, d := range docs {
		for i, text := range d.TextList {
			r := rows[at]
			want, err := m.EncodeTexts(context.Background(), []string{text})
			if err != nil || *r.Text != text || *r.DocID != d.DocID || *r.Place != int32(i) {
				t.Fatalf("row %d: %+v, %v", at, r, err)
			}
			near(t, text, r.Features, want[0])
			at++
		}
	}
	if at == 0 || at != len(rows) {
		t.Errorf("%d rows for %d sentences", len(rows), at)
	}
	// A damaged table is an error, and what was there before stays.
	before, _ := os.ReadFile(out)
	table, _ := os.ReadFile(parts[0])
	put(t, parts[0], table[:len(table)/2])
	if _, err := Embed(context.Background(), Config{Input: run, Out: out, Model: m}, Report{}); err == nil || !strings.Contains(err.Error(), "part-00000") {
		t.Errorf("error: %v", err)
	}
	if after, _ := os.ReadFile(out); !bytes.Equal(before, after) {
		t.Error("a failed call replaced the file")
	}
}

func TestSentences(t *testing.T) {
	m := openModel(t, "", 1)
	dir := t.TempDir()
	texts := []string{"a red circle", "", "two cats", "ünïcode 中", "last"}
	put(t, filepath.Join(dir, "list.txt"), []byte(strings.Join(texts, "\r\n")))
	out := filepath.Join(dir, "f.parquet")
	s, _ := embed(t, Config{Input: filepath.Join(dir, "list.txt"), Text: true, Out: out, Model: m, Batch: 1})
	rows := rowsOf(t, out)
	if len(rows) != 5 || s.Rows != 5 {
		t.Fatalf("%d rows: %+v", len(rows), s)
	}
	for i, text := range texts {
		want, _ := m.EncodeTexts(context.Background(), []string{text})
		if rows[i].Name != fmt.Sprint(i+1) || *rows[i].Text != text {
			t.Errorf("row %d: %+v", i, rows[i])
		}
		near(t, text, rows[i].Features, want[0])
	}
}

func TestRefusals(t *testing.T) {
	m := openModel(t, "", 4)
	dir, _ := photos(t, 2)
	empty := t.TempDir()
	put(t, filepath.Join(empty, "empty.txt"), nil)
	put(t, filepath.Join(empty, "long.txt"), append(bytes.Repeat([]byte{'a'}, maxLine+1), '\n'))
	broken := t.TempDir()
	put(t, filepath.Join(broken, "manifest.json"), []byte("{"))
	for name, c := range map[string]struct {
		Config
		usage bool
	}{
		"sentences of a folder": {Config{Input: dir, Text: true, Out: "f.npy"}, true},
		"ending":                {Config{Input: dir, Out: "f.csv"}, true},
		"no pictures":           {Config{Input: empty, Out: "f.parquet"}, true},
		"no folder":             {Config{Input: filepath.Join(empty, "gone"), Out: "f.parquet"}, true},
		"empty list":            {Config{Input: filepath.Join(empty, "empty.txt"), Out: "f.parquet"}, true},
		"endless line":          {Config{Input: filepath.Join(empty, "long.txt"), Text: true, Out: "f.parquet"}, false},
		"broken manifest":       {Config{Input: broken, Out: "f.parquet"}, false},
	} {
		outDir := t.TempDir()
		c.Out, c.Model = filepath.Join(outDir, c.Out), m
		_, err := Embed(context.Background(), c.Config, Report{})
		if err == nil || errors.Is(err, ErrUsage) != c.usage {
			t.Errorf("%s: %v", name, err)
		}
		if left, _ := os.ReadDir(outDir); len(left) > 0 {
			t.Errorf("%s left %v", name, left)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err := Embed(ctx, Config{Input: dir, Out: filepath.Join(t.TempDir(), "f.parquet"), Model: m, Batch: 1}, Report{Rows: func(int64, float64) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
