package eval

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func tarOf(t testing.TB, members map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range members {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPicturesInTar(t *testing.T) {
	path := filepath.Join(t.TempDir(), "val.tar")
	if err := os.WriteFile(path, tarOf(t, map[string]string{"./val/a.jpg": "first", "val/b.jpg": "second one"}), 0o644); err != nil {
		t.Fatal(err)
	}
	var p pictures
	for name, want := range map[string]string{"val/a.jpg": "first", "val/b.jpg": "second one"} {
		if got, err := p.read(path, name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	if _, err := p.read(path, "val/c.jpg"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an absent picture: %v", err)
	}
}

func FuzzTar(f *testing.F) {
	f.Add(tarOf(f, map[string]string{"a": "x"}))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := indexTar("t", bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		for name := range a.members {
			_, _ = a.read(name)
		}
	})
}
