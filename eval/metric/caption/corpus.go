package caption

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// maxN is the longest word sequence that is counted.
const maxN = 4

// Corpus is a set of images with all word sequences numbered.
type Corpus struct {
	images []image
	// Sentence s has its words at starts[s] .. starts[s+1]. grams[n-1][i] is the number of the n words that begin at word
	// i of their sentence; places where fewer than n words are left hold nothing.
	starts []int32
	grams  [maxN][]uint32
	counts [maxN]int // how many different sequences of n words there are
	split  map[int][]uint32
}

// image is where an image's sentences are: the hypothesis, then its references.
type image struct{ hyp, end int }

// sequences are the numbers of a sentence's sequences of n+1 words, in order and with repetitions.
func (c *Corpus) sequences(sentence, n int) []uint32 {
	from, to := int(c.starts[sentence]), int(c.starts[sentence+1])-n
	return c.grams[n][from:max(from, to)]
}

func (c *Corpus) length(sentence int) int { return int(c.starts[sentence+1] - c.starts[sentence]) }

// parts are the words of a sentence when it is split at single spaces.
func (c *Corpus) parts(sentence int) []uint32 {
	if p, ok := c.split[sentence]; ok {
		return p
	}
	return c.sequences(sentence, 0)
}

// NewCorpus numbers the words of all items. An image without references cannot be scored and is an error.
func NewCorpus(items []Item) (*Corpus, error) {
	c := &Corpus{images: make([]image, len(items)), split: map[int][]uint32{}}
	var sentences []string
	for i, item := range items {
		if len(item.References) == 0 {
			return nil, fmt.Errorf("caption %d has no references: leave the image out or give it some", i)
		}
		first := len(sentences)
		sentences = append(append(sentences, item.Hypothesis), item.References...)
		c.images[i] = image{first, len(sentences)}
	}
	c.number(sentences)
	// Pairs of words first; three words are two pairs that overlap, four are two that do not.
	c.pair(1, c.grams[0], 1)
	var wg sync.WaitGroup
	for n := 2; n < maxN; n++ {
		wg.Go(func() { c.pair(n, c.grams[1], n-1) })
	}
	wg.Wait()
	return c, nil
}

// number fills grams[0]. Each goroutine numbers the words of its part by itself, and the numbers are made one afterwards.
func (c *Corpus) number(sentences []string) {
	type part struct {
		order   []string // words by their number in this part
		words   []uint32
		lengths []int32
		split   map[int][]uint32
	}
	parts := make([]part, min(runtime.GOMAXPROCS(0), len(sentences)/1024+1))
	bound := func(k int) int { return k * len(sentences) / len(parts) }
	var wg sync.WaitGroup
	for k := range parts {
		wg.Add(1)
		go func() {
			defer wg.Done()
			p := &parts[k]
			p.split = map[int][]uint32{}
			numbers := wordNumbers{short: newTable(0), long: map[string]uint32{}}
			number := func(w string) uint32 {
				id, fresh := numbers.number(w, uint32(len(p.order)))
				if fresh {
					p.order = append(p.order, w)
				}
				return id
			}
			p.words = make([]uint32, 0, 12*(bound(k+1)-bound(k)))
			for s := bound(k); s < bound(k+1); s++ {
				before := len(p.words)
				odd := eachWord(sentences[s], func(w string) { p.words = append(p.words, number(w)) })
				p.lengths = append(p.lengths, int32(len(p.words)-before))
				if odd {
					var split []uint32
					for _, w := range strings.Split(sentences[s], " ") {
						split = append(split, number(w))
					}
					p.split[s] = split
				}
			}
		}()
	}
	wg.Wait()

	total := 0
	for k := range parts {
		total += len(parts[k].words)
	}
	c.starts = make([]int32, 1, len(sentences)+1)
	c.grams[0] = make([]uint32, 0, total)
	all := map[string]uint32{}
	for k := range parts {
		p := &parts[k]
		to := make([]uint32, len(p.order))
		for i, w := range p.order {
			id, ok := all[w]
			if !ok {
				id = uint32(len(all))
				all[w] = id
			}
			to[i] = id
		}
		for _, w := range p.words {
			c.grams[0] = append(c.grams[0], to[w])
		}
		for _, l := range p.lengths {
			c.starts = append(c.starts, c.starts[len(c.starts)-1]+l)
		}
		for s, split := range p.split {
			for i, w := range split {
				split[i] = to[w]
			}
			c.split[s] = split
		}
	}
	c.counts[0] = len(all)
}

// wordNumbers finds the numbers of words. Those of up to seven bytes, nearly all, are found by a number that holds them whole.
type wordNumbers struct {
	short *table
	ids   []uint32 // by number in short
	long  map[string]uint32
}

// number is the word's number, which is next if the word is fresh.
func (n *wordNumbers) number(w string, next uint32) (id uint32, fresh bool) {
	if len(w) > 7 {
		id, known := n.long[w]
		if !known {
			n.long[w] = next
			return next, true
		}
		return id, false
	}
	key := uint64(len(w))
	for i := range len(w) {
		key = key<<8 | uint64(w[i])
	}
	k := n.short.number(key)
	if int(k) == len(n.ids) {
		n.ids = append(n.ids, next)
		return next, true
	}
	return n.ids[k], false
}

// eachWord calls f for every word, split at white space as Python does. It reports whether splitting at single spaces
// gives something else.
func eachWord(s string, f func(w string)) (odd bool) {
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == ' ' {
			if i == start {
				odd = true
			} else {
				f(s[start:i])
			}
			start = i + 1
		} else if c < ' ' || c == 0xc2 || c >= 0xe1 && c <= 0xe3 { // other white space may be here: the careful way
			rest := s[start:]
			for _, w := range words(rest) {
				f(w)
			}
			return true
		}
	}
	if start == len(s) {
		return true // the empty string is one empty part
	}
	f(s[start:])
	return odd
}

// pair numbers sequences of n+1 words, each by the numbers of two shorter ones that cover it, which begin `apart` words
// apart.
func (c *Corpus) pair(n int, shorter []uint32, apart int) {
	out, t := make([]uint32, len(shorter)), newTable(len(shorter))
	var keys []uint64
	for s := 0; s+1 < len(c.starts); s++ {
		from, to := int(c.starts[s]), int(c.starts[s+1])-n
		keys = keys[:0]
		for i := from; i < to; i++ {
			keys = append(keys, uint64(shorter[i])<<32|uint64(shorter[i+apart]))
		}
		t.numbers(keys, out[from:])
	}
	c.grams[n], c.counts[n] = out, len(t.keys)
}

// table numbers keys in the order in which they come. Open addressing; a slot holds a key's number plus one, 0 is free.
type table struct {
	slots []uint32
	keys  []uint64 // by number

	touched uint32 // says nothing; keeps the compiler from dropping the loop that writes it
}

func newTable(expected int) *table {
	size := 1 << 10
	for size < expected {
		size *= 2
	}
	return &table{slots: make([]uint32, size), keys: make([]uint64, 0, size/2)}
}

// numbers numbers several keys. Their slots, which are far apart in memory, are asked for all at once first.
func (t *table) numbers(keys []uint64, out []uint32) {
	mask := uint64(len(t.slots) - 1)
	for _, key := range keys {
		t.touched |= t.slots[spread(key)&mask]
	}
	for i, key := range keys {
		out[i] = t.number(key)
	}
}

func (t *table) number(key uint64) uint32 {
	mask := uint64(len(t.slots) - 1)
	at := spread(key) & mask
	for t.slots[at] != 0 {
		if n := t.slots[at] - 1; t.keys[n] == key {
			return n
		}
		at = (at + 1) & mask
	}
	t.keys = append(t.keys, key)
	t.slots[at] = uint32(len(t.keys))
	if 4*len(t.keys) > 3*len(t.slots) {
		t.grow()
	}
	return uint32(len(t.keys) - 1)
}

func (t *table) grow() {
	t.slots = make([]uint32, 2*len(t.slots))
	mask := uint64(len(t.slots) - 1)
	for n, key := range t.keys {
		at := spread(key) & mask
		for t.slots[at] != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = uint32(n + 1)
	}
}

func spread(key uint64) uint64 {
	key ^= key >> 32
	key *= 0x9E3779B97F4A7C15
	return key ^ key>>32
}

// each runs f on every image, on all processors, with scratch memory of its own for each goroutine.
func each[S any](c *Corpus, scratch func() S, f func(i int, s S)) {
	workers := min(runtime.GOMAXPROCS(0), len(c.images)/64+1)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			s := scratch()
			for i := w * len(c.images) / workers; i < (w+1)*len(c.images)/workers; i++ {
				f(i, s)
			}
		}()
	}
	wg.Wait()
}
