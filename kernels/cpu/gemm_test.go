//go:build cgo

package cpu

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"mmc4/kernels"
)

func floats(t kernels.Tensor) []float32 {
	return unsafe.Slice((*float32)(pointer(t)), t.Len())
}

func random(t testing.TB, d *Device, r *rand.Rand, dims ...int) kernels.Tensor {
	x := alloc(t, d, kernels.F32, dims...)
	for i := range floats(x) {
		floats(x)[i] = float32(r.NormFloat64())
	}
	return x
}

// eachLevel runs a test on every instruction set this processor has.
func eachLevel(t *testing.T, test func(t *testing.T, d *Device)) {
	for l, name := range levelNames {
		t.Run(name, func(t *testing.T) {
			t.Setenv("MMC4_CPU", name)
			d, err := New(3)
			if err != nil {
				t.Skipf("%v", err)
			}
			defer d.Close()
			if d.level != level(l) {
				t.Fatalf("level %v, want %v", d.level, name)
			}
			test(t, d)
		})
	}
}

// TestThreadsDoNotChangeProducts: the bits are the same for 1 and for 3 threads, and, from FEW rows on, packing B beforehand
// changes nothing. Up to FEW rows an unpacked B is summed as it lies, in another order: within rounding.
func TestThreadsDoNotChangeProducts(t *testing.T) {
	eachLevel(t, func(t *testing.T, three *Device) {
		one, err := New(1)
		if err != nil {
			t.Fatal(err)
		}
		defer one.Close()
		r := rand.New(rand.NewPCG(1, 2))
		for _, s := range [][3]int{{1, 1, 1}, {1, 37, 770}, {8, 70, 1500}, {9, 37, 770}, {97, 33, 513}, {13, 65, 1030}, {25, 40, 2100}, {200, 100, 7}} {
			a, b := random(t, one, r, s[0], s[2]), random(t, one, r, s[1], s[2])
			packed, err := three.Pack(b)
			if err != nil {
				t.Fatal(err)
			}
			var out [3]kernels.Tensor
			for i, run := range []struct {
				d *Device
				b kernels.Tensor
			}{{one, b}, {three, b}, {three, packed}} {
				out[i] = alloc(t, one, kernels.F32, s[0], s[1])
				q, _ := run.d.NewQueue()
				q.Do(&kernels.MatMul{A: a, B: run.b, TransB: true, Out: out[i]})
				if err := q.Wait(); err != nil {
					t.Fatal(err)
				}
			}
			packing := 0.0
			if s[0] <= fewRows {
				packing = 1e-5 * math.Sqrt(float64(s[2]))
			}
			for i, want := range floats(out[0]) {
				if floats(out[1])[i] != want || math.Abs(float64(floats(out[2])[i]-want)) > packing {
					t.Fatalf("%v: element %d: %v, %v, %v", s, i, want, floats(out[1])[i], floats(out[2])[i])
				}
			}
		}
	})
}

// TestLongSums: a long k is taken in pieces where B is large; the sum is that of fp64, into an Out that had something or not,
// whatever the dimensions that k is made of.
func TestLongSums(t *testing.T) {
	eachLevel(t, func(t *testing.T, d *Device) {
		const m, n, parts, k = 9, 1300, 4, 6600
		r := rand.New(rand.NewPCG(3, 4))
		b := random(t, d, r, k, n)
		for _, trans := range []bool{false, true} {
			a := random(t, d, r, m, k)
			at := func(i, j int) float32 { return floats(a)[i*k+j] }
			if trans {
				a = random(t, d, r, parts, k/parts, m)
				at = func(i, j int) float32 { return floats(a)[j*m+i] }
			}
			out := random(t, d, r, m, n)
			was := append([]float32(nil), floats(out)...)
			op := &kernels.MatMul{A: a, B: b, TransA: trans, Out: out, Alpha: 0.5}
			if depth := d.depth(op, d.kind(kernels.F32), n, k); depth >= k {
				t.Fatalf("%d elements at a time: nothing is cut", depth)
			}
			for _, add := range []bool{true, false} {
				op.Add = add
				if err := d.matmul(op); err != nil {
					t.Fatal(err)
				}
				for i := range m {
					for j := 0; j < n; j += 61 {
						var want float64
						for x := range k {
							want += float64(at(i, x)) * float64(floats(b)[x*n+j])
						}
						if want /= 2; add {
							want += float64(was[i*n+j])
						}
						if got := float64(floats(out)[i*n+j]); math.Abs(got-want) > 1e-3 {
							t.Fatalf("A transposed %v, added %v: [%d,%d] is %v, not %v", trans, add, i, j, got, want)
						}
					}
				}
			}
		}
	})
}

// TestARowAlone: a product of one row, which is summed some panels at a time, is bit for bit that row of a larger product, for
// every type of weight, odd sizes and a long k.
func TestARowAlone(t *testing.T) {
	eachLevel(t, func(t *testing.T, d *Device) {
		r := rand.New(rand.NewPCG(5, 6))
		for _, s := range [][2]int{{1, 1}, {33, 7}, {65, 130}, {130, 770}, {200, 1027}, {97, 9001}} {
			const m = 3
			n, k := s[0], s[1]
			a, w := random(t, d, r, m, k), make([]float32, n*k)
			for i := range w {
				w[i] = float32(r.NormFloat64())
			}
			for _, dtype := range []kernels.DType{kernels.F32, kernels.BF16, kernels.I8} {
				q, _ := d.NewQueue()
				weight, err := kernels.NewParam(d, q, "w", dtype, w, n, k)
				if err != nil {
					t.Fatal(err)
				}
				if err := weight.Pack(d, false); err != nil {
					t.Fatal(err)
				}
				all, alone := alloc(t, d, kernels.F32, m, n), alloc(t, d, kernels.F32, 1, n)
				q.Do(&kernels.MatMul{A: a, B: weight.Packed, TransB: true, Out: all})
				q.Do(&kernels.MatMul{A: a.Slice(0, 1, 2), B: weight.Packed, TransB: true, Out: alone})
				if err := q.Wait(); err != nil {
					t.Fatal(err)
				}
				for i, got := range floats(alone) {
					if want := floats(all)[n+i]; got != want {
						t.Fatalf("%v %v: element %d is %v alone, %v among others", dtype, s, i, got, want)
					}
				}
			}
		}
	})
}

// TestInt8IsExact: with weights and inputs that int8 holds exactly, the product is exact.
func TestInt8IsExact(t *testing.T) {
	eachLevel(t, func(t *testing.T, d *Device) {
		r := rand.New(rand.NewPCG(3, 4))
		for _, s := range [][3]int{{1, 1, 4}, {5, 37, 131}, {14, 32, 515}} {
			m, n, k := s[0], s[1], s[2]
			a, w := alloc(t, d, kernels.F32, m, k), alloc(t, d, kernels.I8, n, k)
			scales := alloc(t, d, kernels.F32, n)
			bytes := unsafe.Slice((*int8)(pointer(w)), n*k)
			for i := range bytes {
				bytes[i] = int8(r.IntN(255) - 127)
			}
			for i := range floats(a) {
				floats(a)[i] = float32(r.IntN(255) - 127)
			}
			for i := range m {
				floats(a)[i*k] = 127
			}
			for j := range n {
				floats(scales)[j] = float32(j%3) + 0.5
			}
			w.Scales = scales.Mem
			packed, err := d.Pack(w)
			if err != nil {
				t.Fatal(err)
			}
			out := alloc(t, d, kernels.F32, m, n)
			q, _ := d.NewQueue()
			q.Do(&kernels.MatMul{A: a, B: packed, TransB: true, Out: out})
			if err := q.Wait(); err != nil {
				t.Fatal(err)
			}
			for i := range m {
				for j := range n {
					sum := 0.0
					for q := range k {
						sum += float64(floats(a)[i*k+q]) * float64(bytes[j*k+q])
					}
					want := sum * float64(floats(scales)[j])
					if got := float64(floats(out)[i*n+j]); math.Abs(got-want) > 1e-6*math.Abs(want)+1e-6 {
						t.Fatalf("%s: got %v, want %v", fmt.Sprint(s, i, j), got, want)
					}
				}
			}
		}
	})
}

// TestSumsAreCut: sums of a long k err as little as sums of pieces of it do, whatever way a product takes: one fp32 chain over 3072
// elements errs 1.3e-6 in the mean, pieces of 256 err 4e-7.
func TestSumsAreCut(t *testing.T) {
	eachLevel(t, func(t *testing.T, d *Device) {
		const n, k = 130, 3072
		r := rand.New(rand.NewPCG(7, 8))
		b := random(t, d, r, n, k)
		packed, err := d.Pack(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range []int{1, 5, 41} {
			a := random(t, d, r, m, k)
			for _, w := range []kernels.Tensor{b, packed} {
				out := alloc(t, d, kernels.F32, m, n)
				if err := d.matmul(&kernels.MatMul{A: a, B: w, TransB: true, Out: out}); err != nil {
					t.Fatal(err)
				}
				var off, all float64
				for i, got := range floats(out) {
					var want float64
					for x := range k {
						want += float64(floats(a)[i/n*k+x]) * float64(floats(b)[i%n*k+x])
					}
					off, all = off+(float64(got)-want)*(float64(got)-want), all+want*want
				}
				if off = math.Sqrt(off / all); off > 7e-7 {
					t.Errorf("%d rows, packed %v: %.2g of the sums", m, w.Packed, off)
				}
			}
		}
	})
}

// TestLongSumsAreRoundedOnce: a bf16 result of a k that is taken in pieces is the fp32 one, rounded; and is added as such.
func TestLongSumsAreRoundedOnce(t *testing.T) {
	eachLevel(t, func(t *testing.T, d *Device) {
		const m, n, k = 9, 1300, 6600
		r := rand.New(rand.NewPCG(9, 10))
		a, b := random(t, d, r, m, k), random(t, d, r, k, n)
		whole, rounded := alloc(t, d, kernels.F32, m, n), alloc(t, d, kernels.BF16, m, n)
		for _, out := range []kernels.Tensor{whole, rounded} {
			op := &kernels.MatMul{A: a, B: b, Out: out}
			if depth := d.depth(op, d.kind(kernels.F32), n, k); depth >= k {
				t.Fatalf("%v: %d elements at a time: nothing is cut", out, depth)
			}
			if err := d.matmul(op); err != nil {
				t.Fatal(err)
			}
		}
		want := kernels.EncodeFloats(kernels.BF16, floats(whole))
		if !bytes.Equal(host(rounded), want) {
			t.Fatal("other numbers than those of the fp32 sums")
		}
		if err := d.matmul(&kernels.MatMul{A: a, B: b, Out: rounded, Add: true}); err != nil {
			t.Fatal(err)
		}
		twice := kernels.DecodeFloats(kernels.BF16, want)
		for i := range twice {
			twice[i] += floats(whole)[i]
		}
		if !bytes.Equal(host(rounded), kernels.EncodeFloats(kernels.BF16, twice)) {
			t.Fatal("added: other numbers than those of the fp32 sums")
		}
	})
}
