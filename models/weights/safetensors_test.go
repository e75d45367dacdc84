package weights

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func sample() []Tensor {
	half := Tensor{Name: "half", DType: F16, Shape: []int{4}, Data: []byte{0x00, 0x3c, 0x01, 0x00, 0x00, 0x7c, 0x00, 0xc0}}
	bfloat := Tensor{Name: "bfloat", DType: BF16, Shape: []int{2}, Data: []byte{0x80, 0x3f, 0x49, 0x40}}
	return []Tensor{
		FromFloat32("w", []float32{1, 2, 3, 4, 5, 6}, 2, 3),
		FromInt64("ids", []int64{-1, math.MaxInt64}, 2),
		FromFloat64("lr", []float64{0.1}, 1),
		half, bfloat,
		{Name: "mask", DType: Boolean, Shape: []int{3}, Data: []byte{1, 0, 1}},
		{Name: "scalar", DType: F32, Shape: nil, Data: []byte{0, 0, 0x80, 0x3f}},
		{Name: "none", DType: F32, Shape: []int{0, 7}},
		{Name: "e4m3 \"ü\n", DType: F8E4M3, Shape: []int{3}, Data: []byte{0x38, 0x7f, 0x01}},
		{Name: "e5m2", DType: F8E5M2, Shape: []int{3}, Data: []byte{0x3c, 0xfc, 0x01}},
	}
}

func encode(t testing.TB, tensors []Tensor, metadata map[string]string) []byte {
	var out bytes.Buffer
	if err := Write(&out, tensors, metadata); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestRoundTrip(t *testing.T) {
	meta := map[string]string{"format": "pt", "z": "\u2028 \"quoted\""}
	b := encode(t, sample(), meta)
	path := filepath.Join(t.TempDir(), "x.bin") // the name does not matter
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	mapped, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer mapped.Close()
	read, err := OpenReaderAt(bytes.NewReader(b), int64(len(b)), "memory")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*File{mapped, read} {
		if !reflect.DeepEqual(f.Metadata(), meta) {
			t.Errorf("metadata %v", f.Metadata())
		}
		for _, want := range sample() {
			got, err := f.Tensor(want.Name)
			if err != nil || got.DType != want.DType || fmt.Sprint(got.Shape) != fmt.Sprint(want.Shape) || !bytes.Equal(got.Data, want.Data) {
				t.Errorf("%q: %+v, want %+v (%v)", want.Name, got, want, err)
			}
		}
		for name, want := range map[string][]float32{
			"w": {1, 2, 3, 4, 5, 6}, "lr": {0.1}, "half": {1, float32(math.Ldexp(1, -24)), float32(math.Inf(1)), -2},
			"bfloat": {1, 3.140625}, "none": {}, "e5m2": {1, float32(math.Inf(-1)), float32(math.Ldexp(1, -16))},
		} {
			if got, err := f.Float32(name); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: %v, want %v (%v)", name, got, want, err)
			}
		}
		if e4, _ := f.Float32("e4m3 \"ü\n"); e4[0] != 1 || e4[1] == e4[1] || e4[2] != float32(math.Ldexp(1, -9)) {
			t.Errorf("e4m3: %v", e4)
		}
		if ids, err := f.Int64("ids"); err != nil || ids[0] != -1 || ids[1] != math.MaxInt64 {
			t.Errorf("ids %v %v", ids, err)
		}
		if _, err := f.Float32("ids"); err == nil {
			t.Error("integers were given as floats")
		}
		if err := f.CheckFinite(context.Background()); err == nil || !strings.Contains(err.Error(), `"half" (1 of 4 elements, first at 2)`) {
			t.Errorf("check: %v", err)
		}
	}
	// What is handed out may be written to: neither the file nor the process suffers.
	w, _ := mapped.Float32("w")
	w[0] = 99
	if after, _ := os.ReadFile(path); !bytes.Equal(after, b) {
		t.Error("writing to a tensor changed the file")
	}
}

func TestWriteIsDeterministic(t *testing.T) {
	a := sample()
	b := append([]Tensor(nil), a...)
	for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
		b[i], b[j] = b[j], b[i]
	}
	meta := map[string]string{"b": "1", "a": "2"}
	if !bytes.Equal(encode(t, a, meta), encode(t, b, meta)) {
		t.Error("the order of the tensors changed the file")
	}
	if at := 8 + binary.LittleEndian.Uint64(encode(t, a, meta)); at%8 != 0 {
		t.Errorf("data begins at %d", at)
	}
	for _, bad := range [][]Tensor{
		{FromInt64("x", []int64{1}, 1), FromInt64("x", []int64{1}, 1)},
		{FromInt64("x", []int64{1}, 2)},
		{{Name: "x", DType: "F31", Shape: []int{0}}},
		{{Name: "__metadata__", DType: F32, Shape: []int{0}}},
	} {
		if err := Write(&bytes.Buffer{}, bad, nil); err == nil {
			t.Errorf("%v was written", bad)
		}
	}
}

func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func TestLyingHeaders(t *testing.T) {
	one := `{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`
	if _, err := OpenReaderAt(bytes.NewReader(file(one, 4)), int64(len(file(one, 4))), "ok"); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		header string
		data   int
		says   string
	}{
		{one, 3, "cut short"},
		{one, 5, "5 bytes of data"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4, "overlaps"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, 6, "overlaps"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8, "hole"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}`, 4, "damaged"},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, 4, "needs 8"},
		{`{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,4]}}`, 4, "too large"},
		{`{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,4]}}`, 4, ""},
		{`{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}`, 4, "unknown type"},
		{`{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}`, 4, "without sign"},
		{`{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}`, 4, ""},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}`, 4, "instead of 2"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,99999999999999999999]}}`, 4, "too large"},
		{`{"a":{"dtype":"F32","shape":[1]}}`, 4, "missing"},
		{`{"a":{"dtype":"F32","dtype":"I32","shape":[1],"data_offsets":[0,4]}}`, 4, "twice"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":[[[[]]]]}}`, 4, "unknown"},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8, "twice"},
		{`{"a":` + strings.Repeat("[", 100000), 0, ""},
		{`{"__metadata__":{"a":1}}`, 0, "string"},
		{`{"a`, 0, "no end"},
		{`{"a\`, 0, "no end"},
		{"{\"\xff\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "UTF-8"},
		{`{} x`, 0, "follows"},
		{`{`, 0, ""},
	} {
		b := file(c.header, c.data)
		_, err := OpenReaderAt(bytes.NewReader(b), int64(len(b)), "test")
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.100s: error %v, want %q", c.header, err, c.says)
		}
	}
	huge := append(binary.LittleEndian.AppendUint64(nil, 1<<50), `{"a":`...)
	if _, err := OpenReaderAt(bytes.NewReader(huge), int64(len(huge)), "test"); err == nil {
		t.Error("a header of 2^50 bytes was believed")
	}
}

func TestNotWeights(t *testing.T) {
	for content, says := range map[string]string{
		"":                                   "empty",
		"version https://git-lfs.github.com": "Git LFS",
		"<!DOCTYPE html><html>":              "web page",
		"GIF89a":                             "neither",
		`{"weight_map": {}}`:                 "no weight_map",
		`{"weight_map": {"a": "../x.safetensors"}}`: "outside the folder",
		`{"weight_map": {"a": "not there.bin"}}`:    "not there",
		"\x80\x02N.":                                "not of torch.save",
		"PK\x03\x04":                                "zip archive",
	} {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(context.Background(), path); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", content, err, says)
		}
	}
}

func TestShards(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("model-00001-of-00002.safetensors", encode(t, []Tensor{FromFloat32("a", []float32{1}, 1)}, map[string]string{"format": "pt"}))
	put("model-00002-of-00002.safetensors", encode(t, []Tensor{FromFloat32("b", []float32{2}, 1)}, nil))
	index := `{"metadata": {"total_size": 8}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}`
	put("model.safetensors.index.json", []byte(index))
	f, err := Open(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := f.Float32("b")
	if err != nil || b[0] != 2 || !reflect.DeepEqual(f.Names(), []string{"a", "b"}) || f.Metadata()["total_size"] != "8" || f.Metadata()["format"] != "pt" {
		t.Errorf("%v %v %v %v", f.Names(), b, f.Metadata(), err)
	}
	put("model.safetensors.index.json", []byte(strings.Replace(index, `"b"`, `"c"`, 1)))
	if _, err := Open(context.Background(), dir); err == nil || !strings.Contains(err.Error(), "different versions") {
		t.Errorf("a tensor that no shard has: %v", err)
	}
}

func TestWant(t *testing.T) {
	b := encode(t, []Tensor{
		FromFloat32("module.visual.proj", make([]float32, 6), 2, 3),
		FromFloat32("wte.weight", make([]float32, 50257), 50257, 1),
	}, nil)
	f, err := OpenReaderAt(bytes.NewReader(b), int64(len(b)), "test")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Want("module.visual.proj", 2, -1); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		name  string
		shape []int
		says  string
	}{
		{"module.visual.proj", []int{3, 2}, "transposed"},
		{"module.visual.proj", []int{6}, "another form"},
		{"module.visual.proj", []int{2, 4}, "another size"},
		{"wte.weight", []int{50280, 1}, "vocabulary"},
		{"visual.proj", []int{2, 3}, `"module.visual.proj"`},
		{"transformer.wte.weight", []int{1}, `"wte.weight"`},
		{"x", []int{1}, "another model"},
	} {
		_, err := f.Want(c.name, c.shape...)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("Want(%q, %v): %v, want %q", c.name, c.shape, err, c.says)
		}
	}
	var missing *MissingError
	if _, err := f.Tensor("x"); !errors.As(err, &missing) || missing.Name != "x" {
		t.Errorf("%v is not a MissingError", err)
	}
}

func FuzzSafetensors(f *testing.F) {
	f.Add(encode(f, sample(), map[string]string{"a": "b"}))
	f.Add(file(`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4))
	f.Add(file(`{"__metadata__":{"a":"\u0041"}}`, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := OpenReaderAt(bytes.NewReader(b), int64(len(b)), "fuzz")
		if err != nil {
			return
		}
		readAll(t, file, len(b))
		if file.Value() != nil {
			return
		}
		var tensors []Tensor // what was read can be written, and reads the same
		for _, name := range file.Names() {
			got, err := file.Tensor(name)
			if err != nil {
				t.Fatal(err)
			}
			tensors = append(tensors, got)
		}
		again := encode(t, tensors, file.Metadata())
		if _, err := OpenReaderAt(bytes.NewReader(again), int64(len(again)), "again"); err != nil {
			t.Error(err)
		}
	})
}

func TestRelease(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w.safetensors")
	big := make([]float32, 1<<16)
	big[1<<15] = 7
	if err := os.WriteFile(path, encode(t, []Tensor{FromFloat32("a", big, 1<<16), FromFloat32("b", []float32{3}, 1)}, nil), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	before, _ := f.Float32("a")
	f.Release("a")
	f.Release("b")
	f.Release("nothing")
	after, _ := f.Float32("a")
	b, _ := f.Float32("b")
	if before[1<<15] != 7 || after[1<<15] != 7 || b[0] != 3 {
		t.Errorf("%v %v %v after Release", before[1<<15], after[1<<15], b)
	}
}
