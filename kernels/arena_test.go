package kernels_test

import (
	"errors"
	"slices"
	"testing"

	"mmc4/kernels"
	"mmc4/kernels/ref"
)

func TestArena(t *testing.T) {
	dev := ref.New()
	q, _ := dev.NewQueue()
	a := kernels.NewArena(dev, 0)
	alloc := func(n int) kernels.Tensor {
		x, err := a.Alloc(kernels.F32, n)
		if err != nil {
			t.Fatal(err)
		}
		if x.Off*4%256 != 0 {
			t.Fatalf("offset %d is not aligned", x.Off)
		}
		return x
	}
	first := alloc(100)
	mark := a.Mark()
	second := alloc(300_000) // does not fit the first chunk
	third := alloc(7)
	if first.Mem == second.Mem && first.Off == second.Off || second.Mem == third.Mem && second.Off == third.Off {
		t.Error("two tensors share memory")
	}
	peak := a.Peak()
	a.Release(mark)
	if again := alloc(300_000); again.Mem != second.Mem || again.Off != second.Off {
		t.Error("released memory is not used again")
	}
	if a.Peak() != peak {
		t.Errorf("peak grew from %d to %d", peak, a.Peak())
	}
	if err := a.Reset(q); err != nil {
		t.Fatal(err)
	}
	live := dev.Live()
	alloc(100)
	alloc(300_000)
	alloc(7)
	if dev.Live() != live || a.Held() != live {
		t.Errorf("after Reset the same step took more memory: %d bytes, had %d", dev.Live(), live)
	}
	a.Free()
	if dev.Live() != 0 {
		t.Errorf("%d bytes are left after Free", dev.Live())
	}
	alloc(1) // usable again
}

func TestArenaRunsOut(t *testing.T) {
	a := kernels.NewArena(ref.New(), 1000)
	if _, err := a.Alloc(kernels.F32, 100); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Alloc(kernels.F32, 200); !errors.Is(err, kernels.ErrOutOfMemory) {
		t.Errorf("beyond the limit: %v", err)
	}
	b := kernels.NewArena(ref.NewLimited(3<<20), 0)
	for i := range 100 {
		if _, err := b.Alloc(kernels.F32, 50_000); err != nil {
			if !errors.Is(err, kernels.ErrOutOfMemory) || i < 10 {
				t.Errorf("allocation %d on a small device: %v", i, err)
			}
			return
		}
	}
	t.Error("a device of 3 MiB gave 20 MB")
}

func TestParam(t *testing.T) {
	dev := ref.New()
	q, _ := dev.NewQueue()
	values := []float32{1, 2, 3, -4, 5, -6}
	w, err := kernels.NewParam(dev, q, "w", kernels.I8, values, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Pack(dev, false); err != nil || !w.Value.None() || w.Shape()[1] != 3 {
		t.Errorf("packed: %v, %v", w.Shape(), err)
	}
	p := kernels.NewPass(dev, q, kernels.NewArena(dev, 0), kernels.PassOptions{Grad: true})
	x := p.Track(p.FromFloat32([]float32{1, 0, 0}, 1, 3))
	y, err := p.Float32(p.Linear(x, w, nil))
	if err != nil || y[0] < 0.98 || y[0] > 1.02 || y[1] < -4.05 || y[1] > -3.95 {
		t.Errorf("int8 times (1,0,0): %v, %v", y, err)
	}
	p.BackwardFrom(p.Linear(x, w, nil), p.FromFloat32([]float32{1, 1}, 1, 2))
	if p.Err() == nil {
		t.Error("a gradient through a parameter without Value gives no error")
	}

	for name, err := range map[string]error{
		"int8 vector":       second(kernels.NewParam(dev, q, "v", kernels.I8, values, 6)),
		"bytes of another":  second(kernels.NewParamBytes(dev, q, "v", kernels.F32, make([]byte, 12), 4)),
		"training int8":     w.Train(dev, q, false),
		"packing trainable": (&kernels.Param{Name: "v", Trainable: true, Value: w.Packed}).Pack(dev, true),
		"out of memory":     second(kernels.NewParamBytes(refWithoutAdopt{ref.NewLimited(8)}, q, "v", kernels.F32, make([]byte, 16), 4)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// refWithoutAdopt hides that ref can use the host's memory.
type refWithoutAdopt struct{ kernels.Device }

func second(_ *kernels.Param, err error) error { return err }

// TestFrozenMapped: a parameter made of the host's bytes is neither copied nor changed by training.
func TestFrozenMapped(t *testing.T) {
	dev := ref.New()
	q, _ := dev.NewQueue()
	data := kernels.EncodeFloats(kernels.F32, []float32{1, 2})
	p, err := kernels.NewParamBytes(dev, q, "w", kernels.F32, data, 1, 2)
	if err != nil || dev.Live() != 0 {
		t.Fatalf("%d bytes taken, %v", dev.Live(), err)
	}
	if err := p.Train(dev, q, true); err != nil {
		t.Fatal(err)
	}
	q.Do(&kernels.Fill{Dst: p.Value, Value: 9})
	if got := kernels.DecodeFloats(kernels.F32, data); q.Wait() != nil || got[0] != 1 || p.Compute.DType != kernels.BF16 {
		t.Errorf("after training the file's bytes are %v", got)
	}
}

// TestTrainedTakesNoSecondCopy: what a weight was before it was trained is not kept; fp32 of the device is trained where it lies.
func TestTrainedTakesNoSecondCopy(t *testing.T) {
	const n = 6
	values := []float32{1, 2, 3, 4, 5, 6}
	for _, c := range []struct {
		dtype  kernels.DType
		bf16   bool
		pack   bool
		atMost int // bytes at any time
		bytes  int // in the end
	}{{kernels.F32, false, false, 8 * n, 8 * n}, {kernels.F32, true, false, 10 * n, 10 * n}, {kernels.BF16, false, false, 10 * n, 8 * n}, {kernels.BF16, true, true, 12 * n, 10 * n}} {
		dev := ref.NewLimited(c.atMost)
		q, _ := dev.NewQueue()
		p, err := kernels.NewParam(refWithoutAdopt{dev}, q, "w", c.dtype, values, 2, 3)
		if err == nil && c.pack {
			err = p.Pack(dev, true)
		}
		if err == nil {
			err = p.Train(dev, q, c.bf16)
		}
		if err != nil {
			t.Errorf("%v, bf16 %v: %v", c.dtype, c.bf16, err)
			continue
		}
		got, err := kernels.NewPass(ref.New(), q, kernels.NewArena(ref.New(), 0), kernels.PassOptions{}).Float32(p.Value)
		if dev.Live() != c.bytes || err != nil || !slices.Equal(got, values) || p.Value.DType != kernels.F32 || !p.Packed.None() || p.Compute.None() == c.bf16 {
			t.Errorf("%v, bf16 %v: %d bytes, not %d; %v, %v", c.dtype, c.bf16, dev.Live(), c.bytes, got, err)
		}
	}
}
