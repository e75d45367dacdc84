package eval

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/parquet-go/parquet-go"

	"mmc4/eval/mini"
	"mmc4/eval/task"
	"mmc4/internal/storage"
)

// picturesOf are the pictures of a miniature data set.
func picturesOf(t *testing.T, root string) (names []string, data [][]byte) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.ToLower(filepath.Ext(path)) != ".jpg" && filepath.Ext(path) != ".JPEG" {
			return err
		}
		name, _ := filepath.Rel(root, path)
		one, err := os.ReadFile(path)
		names, data = append(names, filepath.ToSlash(name)), append(data, one)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names, data
}

func tarFile(t *testing.T, path string, names []string, data [][]byte) {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for i, name := range names {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: int64(len(data[i])), Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// The same pictures from a folder, a tar, Parquet and S3 get the same predictions; ImageNet also from a tar a class.
func TestPictureSources(t *testing.T) {
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(gofakes3.New(backend, gofakes3.WithLogger(gofakes3.DiscardLog())).Server())
	defer server.Close()
	for key, value := range map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "us-east-1",
		"AWS_CONFIG_FILE": "none", "AWS_SHARED_CREDENTIALS_FILE": "none"} {
		t.Setenv(key, value)
	}
	bucket, err := storage.Open(t.Context(), "s3://bucket", storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	type row struct {
		Name  string `parquet:"file_name"`
		Bytes []byte `parquet:"bytes"`
	}
	for _, name := range []string{"coco", "imagenet"} {
		names, data := picturesOf(t, filepath.Join(miniData, name))
		tarFile(t, filepath.Join(dir, name+".tar"), names, data)
		var rows []row
		for i := range names {
			rows = append(rows, row{names[i], data[i]})
			if err := storage.WriteFile(t.Context(), bucket, name+"/"+names[i], data[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := parquet.WriteFile(filepath.Join(dir, name+".parquet"), rows); err != nil {
			t.Fatal(err)
		}
		sources := []string{"", filepath.Join(dir, name+".tar"), filepath.Join(dir, name+"*.parquet"), "s3://bucket/" + name}
		if name == "imagenet" {
			files, contents := map[string][]string{}, map[string][][]byte{}
			for i, n := range names {
				class := filepath.Dir(n)
				files[class], contents[class] = append(files[class], filepath.Base(n)), append(contents[class], data[i])
			}
			for class := range files {
				tarFile(t, filepath.Join(dir, "classes", class+".tar"), files[class], contents[class])
			}
			sources = append(sources, filepath.Join(dir, "classes"))
		}
		var want map[string]string
		for _, source := range sources {
			c := miniConfig(t, "shots: [2]\nmodel: none", name)
			c.Tasks[0].Images = source
			m := &byContent{}
			if _, err := Run(context.Background(), c, Options{Open: func(_ context.Context, open func(string) ([]byte, error)) (Model, error) {
				m.open, m.seen = open, map[string]bool{}
				return m, nil
			}}); err != nil {
				t.Fatalf("%s from %q: %v", name, source, err)
			}
			got := map[string]string{}
			for _, line := range bytes.Split(read(t, c, "predictions.jsonl"), []byte("\n"))[1:] {
				var r Record
				if json.Unmarshal(line, &r) == nil {
					got[string(r.ID)] = r.Prediction + r.Error
				}
			}
			if want == nil {
				want = got
			}
			if len(got) == 0 || !reflect.DeepEqual(got, want) {
				t.Errorf("%s from %q: %v, want %v", name, source, got, want)
			}
		}
	}
}

// ImageNet's tars as they are downloaded can be evaluated.
func TestOfficialImageNet(t *testing.T) {
	c := miniConfig(t, "shots: [0, 4]\nmodel: none", "imagenet")
	c.Tasks[0].Data = t.TempDir()
	if err := mini.WriteImageNet(c.Tasks[0].Data); err != nil {
		t.Fatal(err)
	}
	c.Tasks[0].Train = &task.Split{Images: "ILSVRC2012_img_train.tar"}
	c.Tasks[0].Test = &task.Split{Images: "ILSVRC2012_img_val.tar", Annotations: "ILSVRC2012_validation_ground_truth.txt", Synsets: "map_clsloc.txt"}
	results, err := Run(context.Background(), c, with(&fakeModel{}))
	if err != nil {
		t.Fatal(err)
	}
	for _, cell := range results.Tasks[0].Series {
		if cell.Mean == nil || cell.Trials[0].Examples != mini.Tests {
			t.Errorf("%d shots: %+v", cell.Shots, cell)
		}
	}
}

// byContent answers from what the pictures hold, not from what they are called.
type byContent struct{ fakeModel }

func (m *byContent) content(queries []Query) []Query {
	out := make([]Query, len(queries))
	for i, q := range queries {
		out[i] = Query{Text: q.Text}
		for _, name := range q.Images {
			data, _ := m.open(name)
			out[i].Images = append(out[i].Images, string(data))
		}
	}
	return out
}

func (m *byContent) Rank(ctx context.Context, queries []Query, classes []string) ([][]float64, error) {
	return m.fakeModel.Rank(ctx, m.content(queries), classes)
}

func (m *byContent) Generate(ctx context.Context, queries []Query, d task.Decoding) ([]string, error) {
	return m.fakeModel.Generate(ctx, m.content(queries), d)
}
