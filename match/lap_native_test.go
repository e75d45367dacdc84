//go:build cgo && amd64

package match

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestVectorCodeEqualsGo compares both solvers for every instruction set that this processor has: not only the sums but
// the pairs must be the same, also among ties.
func TestVectorCodeEqualsGo(t *testing.T) {
	if !hasAVX2 {
		t.Skip("this processor has no AVX2: there is only the Go code")
	}
	detected := hasAVX512
	defer func() { hasAVX512 = detected }()
	rng := rand.New(rand.NewPCG(21, 22))
	var native, portable Solver
	for _, avx512 := range []bool{false, true} {
		if avx512 && !detected {
			t.Log("this processor has no AVX-512")
			break
		}
		hasAVX512 = avx512
		for name := range families {
			for range 150 {
				rows, cols := rng.IntN(40), rng.IntN(40)
				if rng.IntN(30) == 0 {
					rows, cols = 1+rng.IntN(160), 1+rng.IntN(160)
				}
				cost := familyCosts(rng, name, rows, cols)
				got, want := native.pairs64(cost, rows, cols), portable.portable64(cost, rows, cols)
				if got != want || got == solved && !slices.Equal(native.colOf, portable.colOf) {
					t.Fatalf("AVX-512 %v, %s, %d x %d: %d %v, in Go %d %v", avx512, name, rows, cols, got, native.colOf, want, portable.colOf)
				}
				similarity := make([]float32, len(cost))
				for k, c := range cost {
					similarity[k] = float32(-c)
				}
				got, want = native.pairs32(similarity, rows, cols), portable.portable32(similarity, rows, cols)
				if got != want || got == solved && !slices.Equal(native.colOf, portable.colOf) {
					t.Fatalf("AVX-512 %v, %s as similarities, %d x %d: %d %v, in Go %d %v", avx512, name, rows, cols, got, native.colOf, want, portable.colOf)
				}
			}
		}
	}
}
