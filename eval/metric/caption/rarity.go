package caption

// How many images have a word sequence in their references, for all sequences of one to four words.

import (
	"math"
	"math/bits"
	"runtime"
	"slices"
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
	together := func(do func(k int)) {
		var wg sync.WaitGroup
		for k := range counters {
			wg.Go(func() { do(k) })
		}
		wg.Wait()
	}
	together(func(k int) { // made there, where no other's is near
		counters[k] = newCounter(c, k, bits)
	})
	candidates := len(c.words)
	for n := 1; n < maxN; n++ {
		one := common{ids: make([]uint32, len(c.words)), shares: make([][]float64, 1<<bits), bits: bits}
		together(func(k int) { counters[k].deal(all[n-1].ids) })
		together(func(k int) {
			share := counters[k]
			share.count(counters, one.ids, candidates>>bits)
			one.shares[k] = make([]float64, len(share.table.held))
			for id, h := range share.table.held {
				one.shares[k][id] = rarity[h.images]
			}
		})
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
	k, bits     int
	first, last int // images first .. last-1 are those whose sequences it deals out to all counters

	shorter      []uint32   // ids of the sequences that are a word shorter
	inReferences [][]uint32 // by share: where in its images' references the sequences begin that may be common
	inHypotheses [][]uint32 // the same of the hypotheses

	holder []uint32 // by hash: the only image so far, plus one, or several
	table  table
	times  int // how often one of the table's was found
}

func newCounter(c *Corpus, k, bits int) *counter {
	one := &counter{Corpus: c, k: k, bits: bits, first: k * c.images >> bits, last: (k + 1) * c.images >> bits}
	for range 1 << bits { // each has room for all: what is not written takes no memory
		one.inReferences = append(one.inReferences, make([]uint32, 0, c.starts[c.references[one.last]]-c.starts[c.references[one.first]]))
		one.inHypotheses = append(one.inHypotheses, make([]uint32, 0, c.starts[one.last]-c.starts[one.first]))
	}
	return one
}

// several is more than one image.
const several = 1<<32 - 1

// sequence is the one that begins at a place, and its hash.
func (c *counter) sequence(at uint32) (key, hash uint64) {
	key = uint64(c.shorter[at])<<32 | uint64(c.shorter[at+1])
	return key, spread(key)
}

// deal finds the sequences of this counter's images that may be common.
func (c *counter) deal(shorter []uint32) {
	c.shorter = shorter
	c.dealTo(c.inReferences, c.references[c.first], c.references[c.last])
	c.dealTo(c.inHypotheses, c.first, c.last)
}

// dealTo does it for sentences from .. to-1.
func (c *counter) dealTo(shares [][]uint32, from, to int) {
	for k := range shares {
		shares[k] = shares[k][:0]
	}
	shorter, others := c.shorter, uint64(len(shares)-1)
	for s := from; s < to; s++ {
		for at := c.starts[s]; at+1 < c.starts[s+1]; at++ {
			if shorter[at] != 0 && shorter[at+1] != 0 { // it is where the sequence would not fit
				_, hash := c.sequence(uint32(at))
				k := hash >> 48 & others
				shares[k] = append(shares[k], uint32(at))
			}
		}
	}
}

// count numbers the sequences of this share that several images' references hold, in two passes: a filter, which may let some
// through that only one image holds, keeps most of those out of the table. Each counter begins with what it dealt itself: side
// by side they would wait for each other's cache lines.
func (c *counter) count(dealers []*counter, ids []uint32, expected int) {
	dealers = slices.Concat(dealers[c.k:], dealers[:c.k])
	c.holder = room(c.holder, 1<<bits.Len(uint(expected|1023)))
	mask := uint64(len(c.holder) - 1)
	for _, d := range dealers {
		image := imageOf{c.Corpus, uint32(d.first), 0}
		for _, at := range d.inReferences[c.k] {
			_, hash := c.sequence(at)
			h, holds := &c.holder[hash&mask], image.plusOne(at)
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
	c.times = 0
	for _, d := range dealers {
		image := imageOf{c.Corpus, uint32(d.first), 0}
		for _, at := range c.severals(d.inReferences[c.k]) {
			id := c.table.number(c.sequence(at))
			if h, holds := &c.table.held[id], image.plusOne(at); h.last != holds {
				h.last = holds
				h.images++
			}
			ids[at] = id<<c.bits | uint32(c.k)
			c.times++
		}
	}
	// The hypotheses' count for nothing, but they need their numbers.
	for _, d := range dealers {
		for _, at := range c.severals(d.inHypotheses[c.k]) {
			if id, ok := c.table.find(c.sequence(at)); ok {
				ids[at] = id<<c.bits | uint32(c.k)
				c.times++
			}
		}
	}
}

// imageOf tells in which image's references places are that come in order.
type imageOf struct {
	*Corpus
	holds uint32 // the image, plus one
	end   uint32 // of its references
}

func (i *imageOf) plusOne(at uint32) uint32 {
	for at >= i.end {
		i.holds++
		i.end = uint32(i.starts[i.references[i.holds]])
	}
	return i.holds
}

// severals are the places of those that several images may hold, in the same memory. Which they are cannot be foreseen, so each is
// written and only the count depends on it.
func (c *counter) severals(places []uint32) []uint32 {
	n, mask := 0, uint64(len(c.holder)-1)
	for _, at := range places {
		_, hash := c.sequence(at)
		places[n] = at
		if c.holder[hash&mask] == several {
			n++
		}
	}
	return places[:n]
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

// table numbers keys from 1 on, in the order in which they come. Open addressing.
type table struct {
	slots []uint32 // by hash: a number, 0 is free
	held  []held   // by number
}

// held is a sequence and the images that hold it.
type held struct {
	key    uint64
	images uint32
	last   uint32 // the image that was counted last, plus one
}

// reset empties the table and makes room for half as many keys as it says.
func (t *table) reset(size int) {
	t.slots = room(t.slots, size)
	if t.held == nil {
		t.held = make([]held, 0, size/2+1)
	}
	t.held = append(t.held[:0], held{})
}

func (t *table) find(key, hash uint64) (id uint32, ok bool) {
	mask := uint64(len(t.slots) - 1)
	for at := hash & mask; t.slots[at] != 0; at = (at + 1) & mask {
		if id = t.slots[at]; t.held[id].key == key {
			return id, true
		}
	}
	return 0, false
}

func (t *table) number(key, hash uint64) uint32 {
	mask := uint64(len(t.slots) - 1)
	at := hash & mask
	for ; t.slots[at] != 0; at = (at + 1) & mask {
		if id := t.slots[at]; t.held[id].key == key {
			return id
		}
	}
	id := uint32(len(t.held))
	t.held = append(t.held, held{key: key})
	t.slots[at] = id
	if 2*int(id) > len(t.slots) {
		t.grow()
	}
	return id
}

func (t *table) grow() {
	t.slots = room[uint32](nil, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for id := 1; id < len(t.held); id++ {
		at := spread(t.held[id].key) & mask
		for t.slots[at] != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = uint32(id)
	}
}

// spread is a hash whose high and low bits both depend on the whole key.
func spread(key uint64) uint64 {
	high, low := bits.Mul64(key^0x9E3779B97F4A7C15, 0xD6E8FEB86659FD93)
	return high ^ low
}
