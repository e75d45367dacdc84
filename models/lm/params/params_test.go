package params

import (
	"bytes"
	"reflect"
	"strings"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/device"
	"mmc4/models/weights"
)

func file(t *testing.T, list ...weights.Tensor) *weights.File {
	t.Helper()
	var b bytes.Buffer
	if err := weights.Write(&b, list, nil); err != nil {
		t.Fatal(err)
	}
	f, err := weights.OpenReaderAt(bytes.NewReader(b.Bytes()), int64(b.Len()), "test.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func open(t *testing.T) (kernels.Device, kernels.Queue, *kernels.Pass) {
	t.Helper()
	dev, err := device.Open("ref")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dev.Close() })
	queue, err := dev.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	return dev, queue, kernels.NewPass(dev, queue, kernels.NewArena(dev, 0), kernels.PassOptions{})
}

// A Conv1D is kept turned and given back as it was stored.
func TestConv1D(t *testing.T) {
	dev, queue, pass := open(t)
	stored := []float32{1, 2, 3, 4, 5, 6} // [in 2, out 3]
	l := &Loader{Device: dev, Queue: queue, DType: kernels.F32, Source: At(file(t, weights.FromFloat32("w.c", stored, 2, 3)), "w.")}
	p := l.Conv1D("c", 3, 2, Zeros)
	if l.Err() != nil {
		t.Fatal(l.Err())
	}
	if kept, err := pass.Float32(p.Value); err != nil || !reflect.DeepEqual(kept, []float32{1, 4, 2, 5, 3, 6}) {
		t.Errorf("kept %v (%v)", kept, err)
	}
	if back, err := l.Weights[0].Tensor(pass, "x."); err != nil || back.Name != "x.c" || !reflect.DeepEqual(back.Shape, []int{2, 3}) {
		t.Errorf("%+v (%v)", back, err)
	} else if values, _ := back.Float32(); !reflect.DeepEqual(values, stored) {
		t.Errorf("given back %v", values)
	}
}

// Random parameters depend on the seed and their name, not on their order; PyTorch's bounds hold.
func TestRandom(t *testing.T) {
	dev, queue, pass := open(t)
	draw := func(seed uint64, names ...string) map[string][]float32 {
		l := &Loader{Device: dev, Queue: queue, DType: kernels.F32, Seed: seed}
		got := map[string][]float32{}
		for _, name := range names {
			p := l.Matrix(name, 8, 16, FanIn(16))
			if l.Err() != nil {
				t.Fatal(l.Err())
			}
			got[name], _ = pass.Float32(p.Value)
		}
		return got
	}
	one, two, three := draw(1, "a", "b"), draw(1, "b", "a"), draw(2, "a")
	if !reflect.DeepEqual(one, two) || reflect.DeepEqual(one["a"], one["b"]) || reflect.DeepEqual(one["a"], three["a"]) {
		t.Error("the order matters, or the name or the seed does not")
	}
	for _, v := range one["a"] {
		if v < -0.25 || v > 0.25 {
			t.Errorf("%v is out of bounds", v)
		}
	}
}

func TestSources(t *testing.T) {
	dev, queue, pass := open(t)
	f := file(t, weights.FromFloat32("m.a", []float32{1}, 1), weights.FromFloat32("m.t", []float32{1, 2, 3, 4}, 2, 2))
	over := file(t, weights.FromFloat32("a", []float32{7}, 1))
	if prefix, ok := PrefixOf(f, "a"); !ok || prefix != "m." {
		t.Errorf("prefix %q", prefix)
	}
	load := func(l *Loader) *Loader {
		l.Device, l.Queue, l.DType = dev, queue, kernels.F32
		return l
	}
	l := load(&Loader{Source: First(At(over, ""), At(f, "m."))})
	if v, err := pass.Float32(l.Vector("a", 1, Zeros).Value); err != nil || v[0] != 7 {
		t.Errorf("%v (%v)", v, err)
	}
	l = load(&Loader{Source: At(f, "m."), Resize: true})
	v, err := pass.Float32(l.Table("t", 3, 2, Ones).Value)
	if err != nil || !reflect.DeepEqual(v, []float32{1, 2, 3, 4, 1, 1}) || len(l.Notes) != 1 || !reflect.DeepEqual(l.Grown, []string{"t"}) {
		t.Errorf("grown %v, notes %q (%v)", v, l.Notes, err)
	}
	l = load(&Loader{Source: At(f, "m."), Draw: true})
	if v, err := pass.Float32(l.Vector("none", 2, Ones).Value); err != nil || v[1] != 1 {
		t.Errorf("drawn %v (%v)", v, err)
	}
	for says, l := range map[string]*Loader{`no tensor "m.none"`: {Source: At(f, "m.")}, `no tensor "none"`: {Source: First(At(f, "m."), At(over, ""))}} {
		if load(l).Vector("none", 2, Ones); l.Err() == nil || !strings.Contains(l.Err().Error(), says) {
			t.Errorf("%v, want %q", l.Err(), says)
		}
	}
	l = load(&Loader{Source: At(f, "m.")})
	if l.Table("t", 4, 2, Ones); l.Err() == nil || !strings.Contains(l.Err().Error(), "has shape [2 2]") {
		t.Error(l.Err())
	}
}
