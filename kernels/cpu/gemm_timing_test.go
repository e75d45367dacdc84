//go:build cgo

package cpu

import (
	"fmt"
	"testing"

	"mmc4/kernels"
)

// BenchmarkMatMul runs the shapes of a ViT-L/14 layer, a decoding step and a skinny product; GFLOP/s is the figure.
func BenchmarkMatMul(b *testing.B) {
	d, err := New(1)
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	for _, dtype := range []kernels.DType{kernels.F32, kernels.BF16, kernels.I8} {
		for _, s := range [][3]int{{2056, 4096, 1024}, {2056, 1024, 4096}, {257, 3072, 1024}, {64, 3072, 768}, {8, 3072, 768}, {1, 3072, 768}} {
			for _, packed := range []bool{true, false} {
				if !packed && dtype != kernels.F32 {
					continue
				}
				m, n, k := s[0], s[1], s[2]
				b.Run(fmt.Sprintf("%v/%dx%dx%d/packed=%v", dtype, m, n, k, packed), func(b *testing.B) {
					w := alloc(b, d, dtype, n, k)
					if dtype == kernels.I8 {
						w.Scales = alloc(b, d, kernels.F32, n).Mem
					}
					if packed {
						if w, err = d.Pack(w); err != nil {
							b.Fatal(err)
						}
					}
					op := &kernels.MatMul{A: alloc(b, d, kernels.F32, m, k), B: w, TransB: true, Out: alloc(b, d, kernels.F32, m, n)}
					q, _ := d.NewQueue()
					for b.Loop() {
						q.Do(op)
					}
					if err := q.Wait(); err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(2*float64(m)*float64(n)*float64(k)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
				})
			}
		}
	}
}

func alloc(t testing.TB, d *Device, dtype kernels.DType, dims ...int) kernels.Tensor {
	n := 1
	for _, x := range dims {
		n *= x
	}
	buf, err := d.Alloc(n * dtype.Size())
	if err != nil {
		t.Fatal(err)
	}
	return kernels.View(buf, 0, dtype, dims...)
}
