package pictures

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
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

// The same pictures by the same names, in a folder, in a tar, in tars within a folder, in tars within a tar, and in Parquet.
func TestPlaces(t *testing.T) {
	files := map[string]string{"val/a/1.jpg": "first", "val/a/2.jpg": "second one", "val/b/3.jpg": "third", "other/4.jpg": "fourth"}
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		t.Helper()
		location := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(location), 0o755), os.WriteFile(location, data, 0o644)); err != nil {
			t.Fatal(err)
		}
		return location
	}
	for name, text := range files {
		write("folder/"+name, []byte(text))
	}
	class := func(names ...string) string {
		members := map[string]string{}
		for _, name := range names {
			members["./"+filepath.Base(name)] = files[name]
		}
		return string(tarOf(t, members))
	}
	a, b := class("val/a/1.jpg", "val/a/2.jpg"), class("val/b/3.jpg")
	write("classes/val/a.tar", []byte(a))
	write("classes/val/b.tar", []byte(b))
	write("classes/other/4.jpg", []byte("fourth"))
	write("split/one.tar", tarOf(t, map[string]string{"val/a/1.jpg": "first", "val/a/2.jpg": "second one"}))
	write("split/two.tar", tarOf(t, map[string]string{"val/b/3.jpg": "third", "other/4.jpg": "fourth"}))
	type image struct {
		Bytes []byte `parquet:"bytes,optional"`
		Path  string `parquet:"path,optional"`
	}
	type hub struct {
		Image image `parquet:"image,optional"`
		Label int64 `parquet:"label"`
	}
	type flat struct {
		Name  string `parquet:"file_name"`
		Bytes []byte `parquet:"bytes"`
	}
	var hubs []hub
	var flats []flat
	for _, name := range slices.Sorted(maps.Keys(files)) {
		hubs = append(hubs, hub{Image: image{[]byte(files[name]), filepath.Base(name)}})
		flats = append(flats, flat{name, []byte(files[name])})
	}
	var places Places
	defer func() {
		if n := len(places.files.all); n == 0 {
			t.Error("no file was open")
		}
		if err := places.Close(); err != nil {
			t.Error(err)
		}
	}()
	for location, renamed := range map[string]*strings.Replacer{
		filepath.Join(dir, "folder"):         strings.NewReplacer(),
		write("one.tar", tarOf(t, files)):    strings.NewReplacer(),
		filepath.Join(dir, "split", "*.tar"): strings.NewReplacer(),
		filepath.Join(dir, "classes"):        strings.NewReplacer("/a/", "/a.tar/", "/b/", "/b.tar/"),
		write("outer.tar", tarOf(t, map[string]string{"val/a.tar": a, "val/b.tar": b, "other/4.jpg": "fourth"})): strings.NewReplacer("/a/", "/a.tar/", "/b/", "/b.tar/"),
		write("hub.parquet", parquetOf(t, hubs)):     strings.NewReplacer("val/a/", "", "val/b/", "", "other/", ""),
		write("flat-0.parquet", parquetOf(t, flats)): strings.NewReplacer(),
	} {
		place, err := places.Open(t.Context(), location)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for name, text := range files {
			if got, err := place.Read(t.Context(), renamed.Replace(name)); err != nil || string(got) != text {
				t.Errorf("%s, %s: %q, %v", location, name, got, err)
			}
			if now := renamed.Replace(name); strings.HasPrefix(now, "val/") {
				want = append(want, now)
			}
		}
		slices.Sort(want)
		if names, err := place.Names(t.Context(), "val"); err != nil || !slices.Equal(names, want) {
			t.Errorf("%s: %q, want %q, %v", location, names, want, err)
		}
		if _, err := place.Read(t.Context(), "val/c.jpg"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s, an absent picture: %v", location, err)
		}
	}
	// Hugging Face's data sets keep the last part of a name only.
	hf, _ := places.Open(t.Context(), filepath.Join(dir, "hub.parquet"))
	if got, err := hf.Read(t.Context(), "val/b/3.jpg"); err != nil || string(got) != "third" {
		t.Errorf("by its last part: %q, %v", got, err)
	}
	for location, want := range map[string]string{
		write("labels.parquet", parquetOf(t, []struct {
			Label int64 `parquet:"label"`
		}{{1}})): "label", write("text.parquet", []byte("no Parquet")): "text.parquet", write("text.tar", []byte("no tar, but long enough to be taken for one")): "text.tar",
		filepath.Join(dir, "none-*.tar"): "none",
	} {
		if _, err := places.Open(t.Context(), location); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", location, err, want)
		}
	}
}

func parquetOf[T any](t *testing.T, rows []T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := parquet.Write(&b, rows, parquet.MaxRowsPerRowGroup(3)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func FuzzTar(f *testing.F) {
	f.Add(tarOf(f, map[string]string{"a": "x"}))
	f.Add(tarOf(f, map[string]string{"a.tar": string(tarOf(f, map[string]string{"b": "y"}))}))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := indexTar(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		for name := range a.members {
			_, _ = a.Read(t.Context(), name)
		}
	})
}

func FuzzParquet(f *testing.F) {
	type row struct {
		Name  string `parquet:"name"`
		Bytes []byte `parquet:"bytes,optional"`
	}
	var b bytes.Buffer
	if err := parquet.Write(&b, []row{{"a", []byte("x")}, {"b/c", nil}}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := indexParquet(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		for _, name := range p.names {
			_, _ = p.Read(t.Context(), name)
		}
	})
}
