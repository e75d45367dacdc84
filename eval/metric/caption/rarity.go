package caption

// How many images have a word sequence in their references, for all sequences of one to four words.

import (
	"iter"
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
	counters := make([]*counter, 1<<bits)
	candidates := len(c.words)
	for n := 1; n < maxN; n++ {
		one := common{ids: make([]uint32, len(c.words)), shares: make([][]float64, 1<<bits), bits: bits}
		var wg sync.WaitGroup
		for k := range counters {
			wg.Go(func() {
				if counters[k] == nil { // made here, where no other's is near
					counters[k] = &counter{Corpus: c, k: uint64(k), bits: bits}
				}
				share := counters[k]
				share.shorter, share.ids = all[n-1].ids, one.ids
				share.count(candidates >> bits)
				one.shares[k] = make([]float64, len(share.holders))
				for id, n := range share.holders {
					one.shares[k][id] = rarity[n]
				}
			})
		}
		wg.Wait()
		all[n], candidates = one, 0
		for k := range counters {
			candidates += counters[k].times
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

// counter counts a share of the sequences of so many words: those whose hash falls to one goroutine. It keeps its memory from one
// order to the next.
type counter struct {
	*Corpus
	shorter []uint32 // ids of the sequences that are a word shorter
	ids     []uint32 // to fill
	k       uint64
	bits    int

	holders []uint32 // by number in this share: how many images hold the sequence
	times   int      // how often one of them was found

	last   []uint32 // by number: the image that was counted last, plus one
	holder []uint32 // by hash: the only image so far, plus one, or several
	table  table
	found  candidates // in the sentences at hand
}

// several is more than one image.
const several = 1<<32 - 1

// candidate is a sequence that may be common.
type candidate struct {
	key, hash uint64
	at        int // where it begins
}

type candidates []candidate

// count numbers the sequences of this share that several images' references hold, in two passes: a filter, which may let some
// through that only one image holds, keeps most of those out of the table.
func (c *counter) count(expected int) {
	c.holder = room(c.holder, 1<<bits.Len(uint(expected|1023)))
	mask := uint64(len(c.holder) - 1)
	for image := range c.all() {
		holds := uint32(image + 1)
		for _, x := range c.candidates(c.references[image], c.references[image+1]) {
			h := &c.holder[x.hash&mask]
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
	c.table.reset(2 << bits.Len(uint(expected/8|511)))
	c.holders, c.last, c.times = append(c.holders[:0], 0), append(c.last[:0], 0), 0
	for image := range c.all() {
		for _, x := range c.candidates(c.references[image], c.references[image+1]).of(c.holder, several) {
			id := c.table.number(x.key, x.hash)
			if int(id) == len(c.last) {
				c.last, c.holders = append(c.last, 0), append(c.holders, 0)
			}
			if c.last[id] != uint32(image+1) {
				c.last[id] = uint32(image + 1)
				c.holders[id]++
			}
			c.ids[x.at] = id<<c.bits | uint32(c.k)
			c.times++
		}
	}
	// The hypotheses' count for nothing, but they need their numbers.
	for h := range c.all() {
		for _, x := range c.candidates(h, h+1).of(c.holder, several) {
			if id, ok := c.table.find(x.key, x.hash); ok {
				c.ids[x.at] = id<<c.bits | uint32(c.k)
				c.times++
			}
		}
	}
}

// all yields every image. Each goroutine begins elsewhere: side by side they would wait for each other's cache lines.
func (c *counter) all() iter.Seq[int] {
	return func(yield func(int) bool) {
		first := int(c.k) * c.images >> c.bits
		for i := range c.images {
			if !yield((first + i) % c.images) {
				return
			}
		}
	}
}

// candidates are the sequences of some sentences that may be common and are this share's. Which are its own cannot be foreseen, so
// each is written and only the count depends on it.
func (c *counter) candidates(from, to int) candidates {
	if most := c.starts[to] - c.starts[from]; len(c.found) < most {
		c.found = make(candidates, 2*most)
	}
	found, n, others, k := c.found, 0, uint64(1)<<c.bits-1, c.k
	for s := from; s < to; s++ {
		first, end := c.starts[s], c.starts[s+1]
		a := uint32(0)
		for i, b := range c.shorter[first:end] { // a is the one before, which is 0 where the sequence would not fit
			if a != 0 && b != 0 {
				key := uint64(a)<<32 | uint64(b)
				hash := spread(key)
				found[n] = candidate{key, hash, first + i - 1}
				if (hash>>48^k)&others == 0 {
					n++
				}
			}
			a = b
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

// reset empties the table and makes room for half as many keys as it says.
func (t *table) reset(size int) {
	t.size, t.slots = 0, room(t.slots, size)
}

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
	t.slots = room[slot](nil, 2*len(old))
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
