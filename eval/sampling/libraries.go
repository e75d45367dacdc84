package sampling

import (
	"fmt"
	"math"
	"math/bits"
)

// Numpy draws as numpy.random does after numpy.random.seed (RandomState, the legacy generator).
type Numpy struct{ m *MT19937 }

// NewNumpy is numpy.random.seed(seed).
func NewNumpy(seed uint32) *Numpy { return &Numpy{NewMT19937(seed)} }

// Permutation is numpy.random.permutation(n).
func (r *Numpy) Permutation(n int) []int {
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := r.interval(uint32(i))
		p[i], p[j] = p[j], p[i]
	}
	return p
}

// Choice is numpy.random.choice(n, k, replace=False): the beginning of a permutation.
func (r *Numpy) Choice(n, k int) ([]int, error) {
	if k > n {
		return nil, fmt.Errorf("cannot choose %d of %d examples without repeating any", k, n)
	}
	return r.Permutation(n)[:k], nil
}

// interval is a number 0..most: drawn with as many bits as most has, again until it fits.
func (r *Numpy) interval(most uint32) uint32 {
	mask := uint32(1)<<bits.Len32(most) - 1
	for {
		if v := r.m.Uint32() & mask; v <= most {
			return v
		}
	}
}

// Python draws as Python's module random does.
type Python struct{ m *MT19937 }

// NewPython is random.seed(seed) for seed >= 0.
func NewPython(seed uint64) *Python {
	key := []uint32{uint32(seed)}
	if hi := uint32(seed >> 32); hi != 0 {
		key = append(key, hi)
	}
	return &Python{NewMT19937Array(key)}
}

// below is random._randbelow(n), n > 0: as many bits as n has, again until below n.
func (r *Python) below(n int) int {
	k := bits.Len(uint(n))
	for {
		var v int
		if k <= 32 {
			v = int(r.m.Uint32() >> (32 - k))
		} else {
			low := r.m.Uint32()
			v = int(uint64(r.m.Uint32()>>(64-k))<<32 | uint64(low))
		}
		if v < n {
			return v
		}
	}
}

// Sample is random.sample(range(n), k).
func (r *Python) Sample(n, k int) ([]int, error) {
	if k > n {
		return nil, fmt.Errorf("cannot sample %d of %d examples", k, n)
	}
	out := make([]int, k)
	limit := 21 // up to here a list is cheaper than a set, says Python, and draws differently
	if k > 5 {
		limit += int(math.Pow(4, math.Ceil(math.Log(float64(3*k))/math.Log(4))))
	}
	if n <= limit {
		pool := make([]int, n)
		for i := range pool {
			pool[i] = i
		}
		for i := range out {
			j := r.below(n - i)
			out[i] = pool[j]
			pool[j] = pool[n-i-1]
		}
		return out, nil
	}
	taken := make(map[int]bool, k)
	for i := range out {
		j := r.below(n)
		for taken[j] {
			j = r.below(n)
		}
		taken[j] = true
		out[i] = j
	}
	return out, nil
}

// Shuffle is random.shuffle.
func (r *Python) Shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, r.below(i+1))
	}
}

// TorchPermutation is torch.randperm(n) with a CPU generator of this seed.
func TorchPermutation(n int, seed uint32) []int {
	m := NewMT19937(seed)
	p := make([]int, n)
	for i := range p {
		p[i] = i
	}
	for i := range n - 1 {
		j := i + int(m.Uint32()%uint32(n-i))
		p[i], p[j] = p[j], p[i]
	}
	return p
}
