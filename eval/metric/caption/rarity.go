package caption

// How many images have a word sequence in their references, for all sequences of one to four words.

import (
	"math"
	"math/bits"
	"runtime"
	"sync"
)

// common are the sequences of n+1 words that the references of at least two images hold. All others count as one image's. A
// sequence is no commoner than the shorter ones in it, so that most need not be looked up.
type common struct {
	// ids[i] is the number of the sequence that begins at word i of the corpus, 0 for one that is not common or does not
	// fit into its sentence. Its lowest bits say whose share it is.
	ids    []uint32
	shares [][]float64 // by goroutine that counted: by the rest of the number, how rare the sequence is
	bits   int
}

// rarity is that of the sequence with a number: ln(images) - ln(those that hold it).
func (c *common) rarity(id uint32) float64 { return c.shares[id&(1<<c.bits-1)][id>>c.bits] }

// countImages fills all orders, the shorter sequences first.
func (c *Corpus) countImages() (all [maxN]common) {
	rarity := c.rarity()
	all[0] = c.countWords(rarity)
	bits := bits.Len(uint(min(runtime.GOMAXPROCS(0), 16, c.images/256+1))) - 1
	candidates := len(c.words)
	for n := 1; n < maxN; n++ {
		one := common{ids: make([]uint32, len(c.words)), shares: make([][]float64, 1<<bits), bits: bits}
		found := make([]int, 1<<bits)
		var wg sync.WaitGroup
		for k := range one.shares {
			wg.Go(func() {
				counter := counter{Corpus: c, shorter: all[n-1].ids, ids: one.ids, length: n + 1, k: uint64(k), bits: bits}
				var images []uint32
				images, found[k] = counter.count(candidates >> bits)
				one.shares[k] = make([]float64, len(images))
				for id, n := range images {
					one.shares[k][id] = rarity[n]
				}
			})
		}
		wg.Wait()
		all[n], candidates = one, 0
		for _, f := range found {
			candidates += f
		}
	}
	return all
}

// countWords is the first order, where the numbers are those of the words.
func (c *Corpus) countWords(rarity []float64) common {
	type count struct{ images, last uint32 } // last: the image that was counted last, plus one
	counts := make([]count, c.different+1)   // by word
	for image := range c.images {
		for _, w := range c.words[c.starts[c.references[image]]:c.starts[c.references[image+1]]] {
			if k := &counts[w]; k.last != uint32(image+1) {
				k.last = uint32(image + 1)
				k.images++
			}
		}
	}
	rarities := make([]float64, len(counts))
	for w := range counts {
		rarities[w] = rarity[counts[w].images]
	}
	return common{ids: c.words, shares: [][]float64{rarities}}
}

// counter makes a share of the sequences of so many words: those whose hash falls to one goroutine.
type counter struct {
	*Corpus
	shorter []uint32 // ids of the sequences that are a word shorter
	ids     []uint32 // to fill
	length  int
	k       uint64
	bits    int
	found   candidates // in the sentences at hand
}

// candidate is a sequence that may be common.
type candidate struct {
	key, hash uint64
	at        int // where it begins
}

type candidates []candidate

// count numbers the sequences of this share that several images' references hold, in two passes: a filter, which may let some
// through that only one image holds, keeps most of those out of the table. It returns how many images hold each, and how often it
// found one.
func (c *counter) count(expected int) (images []uint32, found int) {
	const several = 1<<32 - 1
	holder := make([]uint32, 1<<bits.Len(uint(expected|1023))) // by hash: the only image so far, plus one, or several
	mask := uint64(len(holder) - 1)
	for image := range c.images {
		holds := uint32(image + 1)
		for _, x := range c.candidates(c.references[image], c.references[image+1]) {
			h := &holder[x.hash&mask]
			now := uint32(several)
			if *h == holds {
				now = holds
			}
			if *h == 0 {
				now = holds
			}
			*h = now
		}
	}
	t := newTable(2 << bits.Len(uint(expected/8|511)))
	images = append(images, 0)
	last := []uint32{0} // by number: the image that was counted last, plus one
	for image := range c.images {
		for _, x := range c.candidates(c.references[image], c.references[image+1]).of(holder, several) {
			id := t.number(x.key, x.hash)
			if int(id) == len(last) {
				last, images = append(last, 0), append(images, 0)
			}
			if last[id] != uint32(image+1) {
				last[id] = uint32(image + 1)
				images[id]++
			}
			c.ids[x.at] = id<<c.bits | uint32(c.k)
			found++
		}
	}
	// The hypotheses' count for nothing, but they need their numbers.
	for h := range c.images {
		for _, x := range c.candidates(h, h+1).of(holder, several) {
			if id, ok := t.find(x.key, x.hash); ok {
				c.ids[x.at] = id<<c.bits | uint32(c.k)
				found++
			}
		}
	}
	return images, found
}

// candidates are the sequences of some sentences that may be common and are this share's. Which are its own cannot be foreseen, so
// each is written and only the count depends on it.
func (c *counter) candidates(from, to int) candidates {
	if most := c.starts[to] - c.starts[from]; len(c.found) < most {
		c.found = make(candidates, 2*most)
	}
	found, n, others := c.found, 0, uint64(1)<<c.bits-1
	for s := from; s < to; s++ {
		for i := c.starts[s]; i <= c.starts[s+1]-c.length; i++ {
			a, b := c.shorter[i], c.shorter[i+1]
			if a == 0 || b == 0 {
				continue
			}
			key := uint64(a)<<32 | uint64(b)
			hash := spread(key)
			found[n] = candidate{key, hash, i}
			if (hash>>48^c.k)&others == 0 {
				n++
			}
		}
	}
	return found[:n]
}

// of are those that have a holder, in the same memory. They cannot be foreseen either.
func (c candidates) of(holders []uint32, holder uint32) candidates {
	n, mask := 0, uint64(len(holders)-1)
	for _, x := range c {
		c[n] = x
		if holders[x.hash&mask] == holder {
			n++
		}
	}
	return c[:n]
}

// rarity is ln(images) - ln(n) by the number n of images that hold a sequence; one that none holds is as rare as one image's.
func (c *Corpus) rarity() []float64 {
	all := math.Log(float64(c.images))
	out := make([]float64, c.images+1)
	out[0] = all
	for n := 1; n < len(out); n++ {
		out[n] = all - math.Log(float64(n))
	}
	return out
}

// table numbers keys other than 0 from 1 on, in the order in which they come. Open addressing.
type table struct {
	slots []slot
	size  uint32
}

type slot struct {
	key uint64 // 0 is free
	id  uint32
}

func newTable(size int) table { return table{slots: make([]slot, size)} }

func (t *table) find(key, hash uint64) (id uint32, ok bool) {
	mask := uint64(len(t.slots) - 1)
	for at := hash & mask; t.slots[at].key != 0; at = (at + 1) & mask {
		if t.slots[at].key == key {
			return t.slots[at].id, true
		}
	}
	return 0, false
}

func (t *table) number(key, hash uint64) uint32 {
	mask := uint64(len(t.slots) - 1)
	at := hash & mask
	for ; t.slots[at].key != 0; at = (at + 1) & mask {
		if t.slots[at].key == key {
			return t.slots[at].id
		}
	}
	t.size++
	t.slots[at] = slot{key, t.size}
	if 2*int(t.size) > len(t.slots) {
		t.grow()
	}
	return t.size
}

func (t *table) grow() {
	old := t.slots
	t.slots = make([]slot, 2*len(old))
	mask := uint64(len(t.slots) - 1)
	for _, s := range old {
		if s.key == 0 {
			continue
		}
		at := spread(s.key) & mask
		for t.slots[at].key != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = s
	}
}

// spread is a hash whose high and low bits both depend on the whole key.
func spread(key uint64) uint64 {
	high, low := bits.Mul64(key^0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93)
	return high ^ low
}
