package kernels

import (
	"math"
	"reflect"
	"testing"
)

type fake struct{ nowhere }

func grid(dims ...int) Tensor { return View(fake{}, 0, F32, dims...) }

func TestViews(t *testing.T) {
	for _, test := range []struct {
		name            string
		got             Tensor
		off             int
		dims, strides   []int
		rowStride       int
		regular, contig bool
	}{
		{"whole", grid(2, 3, 4), 0, []int{2, 3, 4}, []int{12, 4, 1}, 4, true, true},
		{"columns", grid(2, 3, 4).Slice(-1, 1, 3), 1, []int{2, 3, 2}, []int{12, 4, 1}, 4, true, false},
		{"rows", grid(2, 3, 4).Slice(1, 1, 3), 4, []int{2, 2, 4}, []int{12, 4, 1}, 0, false, false},
		{"front", grid(2, 3, 4).Slice(0, 0, 1), 0, []int{1, 3, 4}, []int{12, 4, 1}, 4, true, true},
		{"heads", grid(2, 6).Slice(1, 2, 6).Split(1, 2), 2, []int{2, 2, 2}, []int{6, 2, 1}, 0, false, false},
		{"turned", grid(2, 3).Permute(1, 0), 0, []int{3, 2}, []int{1, 3}, 1, true, false},
		{"reshaped", grid(2, 3).Reshape(3, 1, 2), 0, []int{3, 1, 2}, []int{2, 2, 1}, 2, true, true},
		{"repeated", grid(3).Repeat(2), 0, []int{2, 3}, []int{0, 1}, 0, true, false},
	} {
		x := test.got
		if x.Off != test.off || !reflect.DeepEqual(x.Shape(), test.dims) || !reflect.DeepEqual(x.Strides[:x.Rank], test.strides) {
			t.Errorf("%s: %v at %d, strides %v", test.name, x, x.Off, x.Strides[:x.Rank])
		}
		if stride, ok := x.RowStride(); ok != test.regular || ok && stride != test.rowStride {
			t.Errorf("%s: row stride %d, %v", test.name, stride, ok)
		}
		if x.Contiguous() != test.contig {
			t.Errorf("%s: contiguous is %v", test.name, x.Contiguous())
		}
	}
}

func TestViewsPanicOnMistakes(t *testing.T) {
	for name, f := range map[string]func(){
		"reshape to another size":   func() { grid(2, 3).Reshape(4) },
		"reshape with gaps":         func() { grid(2, 3).Slice(1, 0, 2).Reshape(4) },
		"slice past the end":        func() { grid(2, 3).Slice(1, 2, 4) },
		"split by what divides not": func() { grid(2, 3).Split(1, 2) },
		"repeat at the limit":       func() { grid(1, 1, 1, 1, 1).Repeat(2) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func TestPartition(t *testing.T) {
	base := grid(2, 3, 12)
	part := func(from, to int) Tensor { return base.Slice(2, from, to) }
	one := grid(1, 1, 12)
	for _, test := range []struct {
		name              string
		base              Tensor
		parts             []Tensor
		disjoint, covered bool
	}{
		{"q, k, v", base, []Tensor{part(0, 4), part(4, 8), part(8, 12)}, true, true},
		{"grouped heads", base, []Tensor{part(0, 8).Split(2, 2), part(8, 10).Split(2, 2), part(10, 12).Split(2, 2)}, true, true},
		{"out of order, with a gap", base, []Tensor{part(8, 12), part(0, 4)}, true, false},
		{"overlapping", base, []Tensor{part(0, 5), part(4, 12)}, false, false},
		{"the same twice", base, []Tensor{base, base}, false, false},
		{"alternating heads", base, []Tensor{base.Split(2, 6).Slice(3, 0, 2), base.Split(2, 6).Slice(3, 2, 4), base.Split(2, 6).Slice(3, 4, 6)}, true, true},
		{"one token", one, []Tensor{one.Slice(2, 0, 4).Split(2, 2), one.Slice(2, 4, 12).Split(2, 2)}, true, true},
		{"rows of a matrix", base, []Tensor{base.Slice(1, 0, 1), base.Slice(1, 1, 3)}, true, true},
		{"not in columns", base, []Tensor{base.Slice(1, 0, 1), base.Slice(0, 0, 1).Slice(1, 1, 3)}, false, false}, // disjoint, but not seen
	} {
		disjoint, covered := partition(test.parts, test.base)
		if disjoint != test.disjoint || covered != test.covered {
			t.Errorf("%s: disjoint %v, covered %v", test.name, disjoint, covered)
		}
	}
}

func TestBF16(t *testing.T) {
	for _, test := range []struct {
		in   float32
		want uint16
	}{
		{1, 0x3f80}, {-2, 0xc000}, {0, 0}, {float32(math.Copysign(0, -1)), 0x8000},
		{math.Float32frombits(0x3f808000), 0x3f80}, // a tie, to even
		{math.Float32frombits(0x3f818000), 0x3f82},
		{math.Float32frombits(0x3f808001), 0x3f81},
		{math.MaxFloat32, 0x7f80}, // rounds up to infinity
		{float32(math.Inf(-1)), 0xff80},
		{math.Float32frombits(0x7f800001), 0x7fc0}, // NaN stays NaN
	} {
		if got := ToBF16(test.in); got != test.want {
			t.Errorf("ToBF16(%x) = %x, want %x", math.Float32bits(test.in), got, test.want)
		}
	}
	for h := range 1 << 16 {
		if f := FromBF16(uint16(h)); f == f && ToBF16(f) != uint16(h) {
			t.Fatalf("%x does not come back", h)
		}
	}
}

func TestQuantize(t *testing.T) {
	nan, tiny := float32(math.NaN()), float32(1e-40)
	bytes, scales := Quantize([]float32{1, -127, 63.5, 0, 0, 0, nan, 1, 2, tiny, 0, 0}, 4)
	if got := []int8{int8(bytes[0]), int8(bytes[1]), int8(bytes[2])}; !reflect.DeepEqual(got, []int8{1, -127, 64}) || scales[0] != 1 {
		t.Errorf("row 0: %v, scale %v", got, scales[0])
	}
	if scales[1] != 0 || scales[2] == scales[2] || scales[3] != 0 {
		t.Errorf("scales of zeros, NaN and a subnormal row: %v", scales[1:])
	}
	if b, s := Quantize(nil, 0); len(b) != 0 || len(s) != 0 {
		t.Error("nothing gives something")
	}
}
