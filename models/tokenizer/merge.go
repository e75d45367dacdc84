package tokenizer

// Byte-pair merging: in a row of symbols, again and again the adjacent pair of the lowest rank (of equals the leftmost)
// becomes one symbol. Short words by plain search (mergeShort, also the reference of the tests), long ones by a heap over a
// linked list (mergeLong), so that a megabyte without a space costs n log n.

// pairTable maps a pair of symbols to its rank and the symbol it becomes. Open addressing; keys are stored plus one.
type pairTable struct {
	keys []uint64
	vals []pairValue
	mask uint64
	n    int
}

type pairValue struct{ rank, id int32 }

func newPairTable(n int) *pairTable {
	size := 16
	for size < 2*n {
		size *= 2
	}
	return &pairTable{keys: make([]uint64, size), vals: make([]pairValue, size), mask: uint64(size - 1)}
}

func (t *pairTable) slot(key uint64) uint64 {
	h := key * 0x9e3779b97f4a7c15
	h ^= h >> 29
	i := h & t.mask
	for t.keys[i] != 0 && t.keys[i] != key {
		i = (i + 1) & t.mask
	}
	return i
}

func pairKey(a, b int32) uint64 { return uint64(uint32(a))<<32 | uint64(uint32(b)) + 1 }

// put stores a pair; newPairTable's n bounds how many different ones there may be. The first rank of a pair stays.
func (t *pairTable) put(a, b int32, v pairValue) {
	i := t.slot(pairKey(a, b))
	if t.keys[i] == 0 {
		t.keys[i], t.vals[i] = pairKey(a, b), v
		t.n++
	}
}

// get gives rank noPair for a pair that never merges.
func (t *pairTable) get(a, b int32) pairValue {
	i := t.slot(pairKey(a, b))
	if t.keys[i] == 0 {
		return pairValue{rank: noPair}
	}
	return t.vals[i]
}

const (
	noPair    = 1<<31 - 1
	shortWord = 32 // symbols up to which the plain search is faster
)

// merger holds the working memory of one goroutine.
type merger struct {
	pairs []pairValue
	next  []int32
	prev  []int32
	heap  []uint64 // rank<<32 | position
}

// merge merges s in place and gives what is left of it.
func (m *merger) merge(t *pairTable, s []int32) []int32 {
	switch {
	case len(s) < 2:
		return s
	case len(s) <= shortWord:
		return m.mergeShort(t, s)
	}
	return m.mergeLong(t, s)
}

func (m *merger) mergeShort(t *pairTable, s []int32) []int32 {
	p := m.pairs[:0]
	for i := 0; i+1 < len(s); i++ {
		p = append(p, t.get(s[i], s[i+1]))
	}
	m.pairs = p
	for len(p) > 0 {
		best := 0
		for i := 1; i < len(p); i++ {
			if p[i].rank < p[best].rank {
				best = i
			}
		}
		if p[best].rank == noPair {
			break
		}
		s[best] = p[best].id
		copy(s[best+1:], s[best+2:])
		s = s[:len(s)-1]
		if best+1 < len(p) {
			copy(p[best:], p[best+1:])
			p = p[:len(p)-1]
			p[best] = t.get(s[best], s[best+1])
		} else {
			p = p[:len(p)-1]
		}
		if best > 0 {
			p[best-1] = t.get(s[best-1], s[best])
		}
	}
	return s
}

func (m *merger) mergeLong(t *pairTable, s []int32) []int32 {
	n := len(s)
	m.next, m.prev = grow(m.next, n), grow(m.prev, n)
	next, prev := m.next, m.prev
	h := m.heap[:0]
	for i := range s {
		next[i], prev[i] = int32(i+1), int32(i-1)
		if i+1 < n {
			if v := t.get(s[i], s[i+1]); v.rank != noPair {
				h = append(h, uint64(v.rank)<<32|uint64(i))
			}
		}
	}
	for i := len(h)/2 - 1; i >= 0; i-- {
		sift(h, i)
	}
	const gone = -2
	for len(h) > 0 {
		top := h[0]
		h[0] = h[len(h)-1]
		h = h[:len(h)-1]
		sift(h, 0)
		i := int32(uint32(top))
		j := next[i]
		if j == gone || int(j) >= n {
			continue // merged away, or now the last
		}
		v := t.get(s[i], s[j])
		if v.rank == noPair || uint64(v.rank) != top>>32 {
			continue // another pair stands here now
		}
		s[i] = v.id
		next[i] = next[j]
		next[j] = gone
		if k := next[i]; int(k) < n {
			prev[k] = i
			if v := t.get(s[i], s[k]); v.rank != noPair {
				h = push(h, uint64(v.rank)<<32|uint64(i))
			}
		}
		if k := prev[i]; k >= 0 {
			if v := t.get(s[k], s[i]); v.rank != noPair {
				h = push(h, uint64(v.rank)<<32|uint64(k))
			}
		}
	}
	m.heap = h
	out := 0
	for i := int32(0); int(i) < n; {
		following := next[i]
		s[out] = s[i]
		out++
		i = following
	}
	return s[:out]
}

func grow(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n)
	}
	return s[:n]
}

// sift lets h[i] sink to its place.
func sift(h []uint64, i int) {
	for {
		c := 2*i + 1
		if c >= len(h) {
			return
		}
		if c+1 < len(h) && h[c+1] < h[c] {
			c++
		}
		if h[i] <= h[c] {
			return
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
}

func push(h []uint64, x uint64) []uint64 {
	h = append(h, x)
	for i := len(h) - 1; i > 0; {
		p := (i - 1) / 2
		if h[p] <= h[i] {
			break
		}
		h[p], h[i] = h[i], h[p]
		i = p
	}
	return h
}
