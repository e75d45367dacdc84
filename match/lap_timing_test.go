package match

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkAssign gives images their sentences, square and with fewer images than sentences, on similarities like CLIP's.
func BenchmarkAssign(b *testing.B) {
	for _, size := range [][2]int{{5, 20}, {20, 20}, {50, 50}, {100, 100}, {25, 100}, {200, 200}, {250, 1000}, {1000, 1000}} {
		b.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, uint64(size[0])))
			var sims [8][][]float32
			for k := range sims {
				sims[k] = similarityRows(rng, size[0], size[1])
			}
			var s Solver
			var dst []int
			b.ReportAllocs()
			for k := 0; b.Loop(); k++ {
				var err error
				if dst, err = s.Assign(dst, sims[k%len(sims)]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
