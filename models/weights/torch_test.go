package weights

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestTorchFiles(t *testing.T) {
	transposed := []float32{0, 6, 12, 18, 1, 7, 13, 19, 2, 8, 14, 20, 3, 9, 15, 21, 4, 10, 16, 22, 5, 11, 17, 23}
	for _, name := range []string{"views_protocol2.pt", "views_protocol5.pt", "views_legacy.pt", "checkpoint.pt"} {
		f, err := Open(context.Background(), filepath.Join("testdata", name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		defer f.Close()
		for _, want := range []struct {
			name  string
			dtype DType
			shape []int
			data  []float32
		}{
			{"t", F32, []int{6, 4}, transposed},
			{"sl", F32, []int{3, 3}, []float32{6, 8, 10, 12, 14, 16, 18, 20, 22}},
			{"exp", F32, []int{7}, []float32{1, 1, 1, 1, 1, 1, 1}},
			{"sc", F32, []int{}, []float32{3.5}},
			{"e", F32, []int{0, 3}, []float32{}},
		} {
			got, err := f.Tensor(want.name)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			values, err := got.Float32()
			if err != nil || got.DType != want.dtype || !reflect.DeepEqual(got.Shape, want.shape) || !reflect.DeepEqual(values, want.data) {
				t.Errorf("%s: %s: %v %v %v, want %v (%v)", name, want.name, got.DType, got.Shape, values, want, err)
			}
		}
		for _, n := range []string{"half", "bf", "p"} {
			values, err := f.Float32(n)
			if err != nil || len(values) != 24 || values[23] != 23 {
				t.Errorf("%s: %s: %v %v", name, n, values, err)
			}
		}
		if v, err := f.Int64("b"); err != nil || !reflect.DeepEqual(v, []int64{1, 0}) {
			t.Errorf("%s: booleans %v %v", name, v, err)
		}
	}
}

func TestCheckpointValues(t *testing.T) {
	f, err := Open(context.Background(), filepath.Join("testdata", "checkpoint.pt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	root := f.Value().(*Dict)
	group := root.Get("optimizer_state_dict").(*Dict).Get("param_groups").(*List).Items[0].(*Dict)
	step, err := root.Get("optimizer_state_dict").(*Dict).Get("state").(*Dict).Get(int64(0)).(*Dict).Get("step").(*Ref).Tensor()
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := step.Float32(); v[0] != 1 {
		t.Errorf("step %v", v)
	}
	for _, c := range []struct{ got, want any }{
		{root.Get("epoch"), int64(3)},
		{root.Get("m1"), int64(-1)},
		{root.Get("by"), []byte{0xff, 0}},
		{root.Get("dt"), F16},
		{root.Get("sz"), Tuple{int64(1), int64(2)}},
		{group.Get("lr"), 0.1},
		{group.Get("betas"), Tuple{0.9, 0.99}},
	} {
		if !reflect.DeepEqual(c.got, c.want) {
			t.Errorf("got %#v, want %#v", c.got, c.want)
		}
	}
}

func TestTorchScript(t *testing.T) {
	f, err := Open(context.Background(), filepath.Join("testdata", "torchscript.pt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if want := []string{"fc.bias", "fc.weight", "ln.bias", "ln.weight"}; !reflect.DeepEqual(f.Names(), want) {
		t.Errorf("tensors %v, want %v", f.Names(), want)
	}
}

func TestNothingIsExecuted(t *testing.T) {
	_, err := Open(context.Background(), filepath.Join("testdata", "executes.pt"))
	if err == nil || !strings.Contains(err.Error(), "posix.system") {
		t.Errorf("a pickle that calls os.system gave %v", err)
	}
}

// archive makes a PyTorch file of a pickle and storages.
func archive(pickle string, method uint16, storages map[string][]byte) []byte {
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	put := func(name string, data []byte) {
		m, _ := w.CreateHeader(&zip.FileHeader{Name: name, Method: method})
		m.Write(data)
	}
	put("a/data.pkl", []byte(pickle))
	for key, data := range storages {
		put("a/data/"+key, data)
	}
	w.Close()
	return out.Bytes()
}

// tensorPickle describes one tensor named x over storage "0" of 4 floats.
func tensorPickle(offset int32, size, stride string) string {
	n := binary.LittleEndian.AppendUint32(nil, uint32(offset))
	return "\x80\x02}U\x01x" + "ctorch._utils\n_rebuild_tensor_v2\n(" +
		"(U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x04tQ" + "J" + string(n) + size + stride + "\x89}tRs."
}

func TestHostilePickles(t *testing.T) {
	floats := map[string][]byte{"0": make([]byte, 16)}
	ok := tensorPickle(0, "K\x02K\x02\x86", "K\x02K\x01\x86")
	if _, err := OpenReaderAt(bytes.NewReader(archive(ok, zip.Store, floats)), int64(len(archive(ok, zip.Store, floats))), "ok"); err != nil {
		t.Fatal(err)
	}
	deep := "\x80\x02" + strings.Repeat("]q\x00", 1) + strings.Repeat("h\x00a", 1) + "."
	var bomb strings.Builder // d1 = {a: d0, b: d0}, d2 = {a: d1, b: d1}, ...: 2^40 paths
	bomb.WriteString("\x80\x02}q\x00")
	for i := range 40 {
		g := string([]byte{'h', byte(i)})
		bomb.WriteString("}(U\x01a" + g + "U\x01b" + g + "uq" + string([]byte{byte(i + 1)}))
	}
	bomb.WriteString(".")
	nested := ")q\x00" // t1 = (t0, t0), t2 = (t1, t1), ...: to print t40 takes 2^40 steps
	for i := range 40 {
		nested += string([]byte{'h', byte(i), 'h', byte(i), 0x86, 'q', byte(i + 1)})
	}
	items := "]q\x00(" + strings.Repeat("U\x01aK\x01\x86", 1000) + "e" // a list of 1000 pairs
	for _, c := range []struct {
		name, pickle string
		method       uint16
		storages     map[string][]byte
	}{
		{"compressed", ok, zip.Deflate, floats},
		{"no storage", ok, zip.Store, nil},
		{"short storage", ok, zip.Store, map[string][]byte{"0": make([]byte, 15)}},
		{"negative offset", tensorPickle(-1, "K\x02\x85", "K\x01\x85"), zip.Store, floats},
		{"offset too far", tensorPickle(4, "K\x01\x85", "K\x01\x85"), zip.Store, floats},
		{"negative size", tensorPickle(0, "J\xff\xff\xff\xff\x85", "K\x01\x85"), zip.Store, floats},
		{"negative stride", tensorPickle(3, "K\x02\x85", "J\xff\xff\xff\xff\x85"), zip.Store, floats},
		{"huge by stride 0", tensorPickle(0, "J\xff\xff\xff\x7f\x85", "K\x00\x85"), zip.Store, floats},
		{"overflowing size", tensorPickle(0, "(J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7ft", "(K\x01K\x01K\x01t"), zip.Store, floats},
		{"overflowing stride", tensorPickle(0, "K\x02\x85", "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f\x85"), zip.Store, floats},
		{"ranks differ", tensorPickle(0, "K\x02\x85", "K\x01K\x01\x86"), zip.Store, floats},
		{"list in itself", deep, zip.Store, nil},
		{"shared without end", bomb.String(), zip.Store, nil},
		{"nested type of a storage", "\x80\x02" + nested + "(U\x07storageh\x28U\x010U\x03cpuK\x04tQ.", zip.Store, floats},
		{"nested device", "\x80\x02" + nested + "ctorch\ndevice\nh\x28\x85R.", zip.Store, nil},
		{"copied again and again", "\x80\x02" + items + "ccollections\nOrderedDict\nq\x01" + strings.Repeat("h\x01h\x00\x85R", 1000) + ".", zip.Store, nil},
		{"state set again and again", "\x80\x02}q\x00(" + strings.Repeat("G\x7f\xf8\x00\x00\x00\x00\x00\x00N", 1000) + "u}" + strings.Repeat("h\x00b", 1000) + ".", zip.Store, nil},
		{"no stop", "\x80\x02}", zip.Store, nil},
		{"empty", "", zip.Store, nil},
		{"underflow", "\x80\x020.", zip.Store, nil},
		{"mark missing", "\x80\x02u.", zip.Store, nil},
		{"append to none", "\x80\x02NNa.", zip.Store, nil},
		{"list as key", "\x80\x02}]Ns.", zip.Store, nil},
		{"string of 4 GB", "\x80\x02X\xff\xff\xff\xff.", zip.Store, nil},
		{"bytes of 2^63", "\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.", zip.Store, nil},
		{"protocol 9", "\x80\x09N.", zip.Store, nil},
		{"recall of nothing", "\x80\x02h\x05.", zip.Store, nil},
		{"reduce of none", "\x80\x02N)R.", zip.Store, nil},
		{"eval", "\x80\x02c__builtin__\neval\nU\x011\x85R.", zip.Store, nil},
		{"stack global", "\x80\x04\x8c\x02os\x8c\x06system\x93.", zip.Store, nil},
		{"extension code", "\x80\x02\x82\x01.", zip.Store, nil},
		{"inst", "\x80\x02(ios\nsystem\n.", zip.Store, nil},
	} {
		b := archive(c.pickle, c.method, c.storages)
		f, err := OpenReaderAt(bytes.NewReader(b), int64(len(b)), c.name)
		if err == nil {
			t.Errorf("%s: opened with %v", c.name, f.Names())
		}
	}
}

func FuzzTorch(f *testing.F) {
	f.Add([]byte(tensorPickle(0, "K\x02K\x02\x86", "K\x02K\x01\x86")))
	f.Add([]byte("\x80\x02}q\x00(U\x01ah\x00u."))
	f.Add([]byte("\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00]\x94(K\x01\x8a\x01\x80e."))
	f.Fuzz(func(t *testing.T, pickle []byte) {
		// As a member of an archive, and as a file of the old form.
		for _, b := range [][]byte{archive(string(pickle), zip.Store, map[string][]byte{"0": make([]byte, 16)}), pickle} {
			file, err := OpenReaderAt(bytes.NewReader(b), int64(len(b)), "fuzz")
			if err != nil {
				continue
			}
			readAll(t, file, len(b))
		}
	})
}

// readAll reads every tensor and holds its size to the file's.
func readAll(t *testing.T, f *File, size int) {
	for _, name := range f.Names() {
		got, err := f.Tensor(name)
		if err != nil {
			continue
		}
		n, ok := Elements(got.Shape)
		if !ok || len(got.Data) != n*got.DType.Size() || len(got.Data) > size {
			t.Errorf("%q: %v %v has %d bytes in a file of %d", name, got.DType, got.Shape, len(got.Data), size)
		}
		if got.DType.Float() {
			if _, err := got.Float32(); err != nil {
				t.Error(err)
			}
		} else if _, err := got.Int64(); err != nil && got.DType != U64 {
			t.Error(err)
		}
	}
	_ = f.CheckFinite(context.Background())
}
