package dedup

// This file is the two duplicate rules. It reads perceptual hashes; a Page and a Counter remember them.

import "math/bits"

// Page is duplicate_in_document for one page: the hashes that this rule has kept, in the page's order. The zero Page is
// empty and ready; Reset makes it so again.
type Page struct{ kept []uint64 }

// Reset forgets the page and keeps the memory.
func (d *Page) Reset() { d.kept = d.kept[:0] }

// Keep answers whether a picture within the profile's Hamming distance was kept earlier on the page, and remembers the
// picture if not. The value is the smallest distance, the limit the largest that counts as a duplicate.
func (d *Page) Keep(p *Profile, hash uint64) *Rejection {
	nearest := 65
	for _, earlier := range d.kept {
		nearest = min(nearest, bits.OnesCount64(earlier^hash))
	}
	if nearest <= p.Dedup.Hamming {
		return measured(DuplicateInDocument, float64(nearest), float64(p.Dedup.Hamming))
	}
	d.kept = append(d.kept, hash)
	return nil
}

// Counter is duplicate_in_corpus: the number of (document, image) pairs that carry a hash. Counters over parts of the
// corpus are added up by Merge; the order of additions does not matter. It serves one goroutine at a time.
type Counter struct{ pairs map[uint64]int64 }

// Add counts pairs more pairs with the hash.
func (c *Counter) Add(hash uint64, pairs int64) {
	if c.pairs == nil {
		c.pairs = map[uint64]int64{}
	}
	c.pairs[hash] += pairs
}

// Pairs is the number of pairs counted with the hash.
func (c *Counter) Pairs(hash uint64) int64 { return c.pairs[hash] }

// Merge adds the counts of another counter.
func (c *Counter) Merge(other *Counter) {
	for hash, pairs := range other.pairs {
		c.Add(hash, pairs)
	}
}

// Len is the number of distinct hashes.
func (c *Counter) Len() int { return len(c.pairs) }
