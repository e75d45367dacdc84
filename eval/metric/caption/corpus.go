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
	grams  int // how many different word sequences of up to maxN words there are
}

type image struct {
	hyp  sentence
	refs []sentence
}

// sentence holds the numbers of its word sequences: grams[n-1] those of n words, in order and with repetitions.
type sentence struct {
	grams [maxN][]uint32
	split []uint32 // the words when split at single spaces, for ROUGE
}

func (s *sentence) length() int { return len(s.grams[0]) }

// NewCorpus numbers the words of all items. An image without references cannot be scored and is an error.
func NewCorpus(items []Item) (*Corpus, error) {
	c := &Corpus{images: make([]image, len(items))}
	n := newNumbers()
	for i, item := range items {
		if len(item.References) == 0 {
			return nil, fmt.Errorf("caption %d has no references: leave the image out or give it some", i)
		}
		c.images[i].hyp = n.sentence(item.Hypothesis)
		c.images[i].refs = make([]sentence, len(item.References))
		for k, r := range item.References {
			c.images[i].refs[k] = n.sentence(r)
		}
	}
	c.grams = int(n.next)
	return c, nil
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

// numbers gives every word and every sequence of words a number. A sequence is known by the number of the sequence
// without its last word, and that word.
type numbers struct {
	words map[string]uint32
	next  uint32
	keys  []uint64 // open addressing; a key is (prefix+1)<<32 | word
	ids   []uint32
	used  int
}

func newNumbers() *numbers {
	return &numbers{words: map[string]uint32{}, keys: make([]uint64, 1<<12), ids: make([]uint32, 1<<12)}
}

func (n *numbers) word(w string) uint32 {
	id, ok := n.words[w]
	if !ok {
		id = n.next
		n.next++
		n.words[w] = id
	}
	return id
}

func (n *numbers) sequence(prefix, word uint32) uint32 {
	key := uint64(prefix+1)<<32 | uint64(word)
	for {
		mask := uint64(len(n.keys) - 1)
		at := (key * 0x9E3779B97F4A7C15) >> 20 & mask
		for n.keys[at] != 0 {
			if n.keys[at] == key {
				return n.ids[at]
			}
			at = (at + 1) & mask
		}
		if n.used*2 < len(n.keys) {
			n.keys[at], n.ids[at] = key, n.next
			n.used++
			n.next++
			return n.next - 1
		}
		n.grow()
	}
}

func (n *numbers) grow() {
	keys, ids := n.keys, n.ids
	n.keys, n.ids = make([]uint64, 4*len(keys)), make([]uint32, 4*len(ids))
	mask := uint64(len(n.keys) - 1)
	for i, key := range keys {
		if key == 0 {
			continue
		}
		at := (key * 0x9E3779B97F4A7C15) >> 20 & mask
		for n.keys[at] != 0 {
			at = (at + 1) & mask
		}
		n.keys[at], n.ids[at] = key, ids[i]
	}
}

func (n *numbers) sentence(s string) sentence {
	ws := words(s)
	all := make([]uint32, 0, maxN*len(ws)+1)
	var out sentence
	for _, w := range ws {
		all = append(all, n.word(w))
	}
	out.grams[0] = all[:len(ws):len(ws)]
	for k := 1; k < maxN; k++ {
		prefix := out.grams[k-1]
		start := len(all)
		for i := k; i < len(ws); i++ {
			all = append(all, n.sequence(prefix[i-k], out.grams[0][i]))
		}
		out.grams[k] = all[start:len(all):len(all)]
	}
	out.split = out.grams[0]
	if parts := strings.Split(s, " "); len(parts) != len(ws) || len(parts) == 1 && len(ws) == 1 && parts[0] != ws[0] {
		out.split = make([]uint32, len(parts))
		for i, p := range parts {
			out.split[i] = n.word(p)
		}
	}
	return out
}
