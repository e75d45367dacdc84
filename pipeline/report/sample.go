package report

// Sampling without chance: of all names the ones with the smallest hashes. The same rows give the same sample, in whatever
// order they come. Of values with one name the first counts.

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

type sample[T any] struct {
	most   int
	chosen []hashed[T] // sorted by hash
}

type hashed[T any] struct {
	hash  uint64
	value T
}

func newSample[T any](most int) *sample[T] { return &sample[T]{most: most} }

func (s *sample[T]) add(name string, value T) {
	sum := sha256.Sum256([]byte(name))
	h := binary.BigEndian.Uint64(sum[:])
	if len(s.chosen) == s.most && h >= s.chosen[s.most-1].hash {
		return
	}
	at, twice := slices.BinarySearchFunc(s.chosen, h, func(a hashed[T], h uint64) int { return cmp.Compare(a.hash, h) })
	if twice {
		return
	}
	s.chosen = slices.Insert(s.chosen, at, hashed[T]{h, value})
	s.chosen = s.chosen[:min(len(s.chosen), s.most)]
}

// values are the sampled values, by hash.
func (s *sample[T]) values() []T {
	var out []T
	for _, c := range s.chosen {
		out = append(out, c.value)
	}
	return out
}
