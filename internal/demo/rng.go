package demo

// Seeded random numbers, split by name, so that one part of the web can change without moving the rest.

import (
	"hash/fnv"
	"math/rand/v2"
)

// random is the generator that everything here draws from.
type random struct{ *rand.Rand }

// newRandom gives the stream of a seed and a path of names.
func newRandom(seed uint64, names ...string) random {
	h := fnv.New64a()
	for _, n := range names {
		h.Write([]byte(n))
		h.Write([]byte{0})
	}
	return random{rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// between is uniform in [lo, hi).
func (r random) between(lo, hi float64) float64 { return lo + (hi-lo)*r.Float64() }

// whole is uniform in lo..hi, both included.
func (r random) whole(lo, hi int) int { return lo + r.IntN(hi-lo+1) }

// chance is true with probability p.
func (r random) chance(p float64) bool { return r.Float64() < p }

// pick takes one of the choices.
func pick[T any](r random, choices []T) T { return choices[r.IntN(len(choices))] }
