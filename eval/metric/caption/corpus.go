package caption

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"

	"mmc4/eval/metric/ptb"
)

// maxN is the longest word sequence that is counted.
const maxN = 4

// Corpus is a set of images whose captions are numbers: the same word, the same number, from 1 on.
type Corpus struct {
	images     int
	references []int // sentences references[i] .. references[i+1] are the references of image i; sentence i is its hypothesis
	starts     []int // words starts[s] .. starts[s+1] are those of sentence s
	words      []uint32
	different  int              // how many different words there are
	split      map[int][]uint32 // by sentence: its parts, where splitting at single spaces gives something else
}

// sentence is the words of a sentence.
func (c *Corpus) sentence(s int) []uint32 { return c.words[c.starts[s]:c.starts[s+1]] }

// NewCorpus is the corpus of items that are tokenised. An image without references cannot be scored and is an error.
func NewCorpus(items []Item) (*Corpus, error) {
	c, total := newCorpus(len(items), func(i int) int { return len(items[i].References) })
	if err := c.check(); err != nil {
		return nil, err
	}
	sentences := make([]string, 0, total)
	for i := range items {
		sentences = append(sentences, items[i].Hypothesis)
	}
	for i := range items {
		sentences = append(sentences, items[i].References...)
	}
	numbered := make([]lines, (total+ptb.Chunk-1)/ptb.Chunk)
	var next atomic.Int32
	var wg sync.WaitGroup
	for range min(len(numbered), runtime.GOMAXPROCS(0)) {
		wg.Go(func() {
			words := newVocabulary()
			for k := int(next.Add(1)) - 1; k < len(numbered); k = int(next.Add(1)) - 1 {
				numbered[k] = newLines(words)
				for _, s := range sentences[k*ptb.Chunk : min((k+1)*ptb.Chunk, total)] {
					numbered[k].add(unsafe.Slice(unsafe.StringData(s), len(s)))
				}
			}
		})
	}
	wg.Wait()
	c.join(numbered)
	return c, nil
}

// Read tokenises and numbers captions: NewCorpus(Tokenise(hypotheses, references)) without the strings in between.
func Read(hypotheses []string, references [][]string) (*Corpus, error) {
	c, total := newCorpus(len(hypotheses), func(i int) int { return len(references[i]) })
	if err := c.check(); err != nil {
		return nil, err
	}
	flat := make([]string, 0, total-len(hypotheses))
	for _, refs := range references {
		flat = append(flat, refs...)
	}
	// Pieces of lines come from several goroutines, each of which finds a vocabulary that is free.
	vocabularies := make(chan *vocabulary, runtime.GOMAXPROCS(0))
	for range cap(vocabularies) {
		vocabularies <- newVocabulary()
	}
	number := func(captions []string) []lines {
		numbered := make([]lines, (len(captions)+ptb.Chunk-1)/ptb.Chunk)
		ptb.Each(captions, func(first int, those [][]byte) {
			words := <-vocabularies
			l := newLines(words)
			for _, line := range those {
				l.add(line)
			}
			numbered[first/ptb.Chunk] = l
			vocabularies <- words
		})
		return numbered
	}
	c.join(append(number(hypotheses), number(flat)...))
	return c, nil
}

func newCorpus(images int, references func(i int) int) (c *Corpus, sentences int) {
	c = &Corpus{images: images, references: make([]int, images+1), split: map[int][]uint32{}}
	sentences = images
	for i := range images {
		c.references[i] = sentences
		sentences += references(i)
	}
	c.references[images] = sentences
	return c, sentences
}

func (c *Corpus) check() error {
	if c.images == 0 {
		return errors.New("no captions to score")
	}
	for i := range c.images {
		if c.references[i] == c.references[i+1] {
			return fmt.Errorf("caption %d has no references: leave the image out or give it some", i)
		}
	}
	return nil
}

// lines are some sentences, numbered by a vocabulary that others may not share.
type lines struct {
	vocabulary *vocabulary
	words      []uint32
	lengths    []int
	split      map[int][]uint32 // by place in lengths
}

func newLines(v *vocabulary) lines {
	return lines{vocabulary: v, words: make([]uint32, 0, 16*ptb.Chunk), lengths: make([]int, 0, ptb.Chunk)}
}

// add numbers the words of a line.
func (l *lines) add(line []byte) {
	before := len(l.words)
	var odd bool
	if simple(line) {
		l.words, odd = l.vocabulary.numbers(line, l.words)
	} else {
		odd = true
		for _, w := range words(string(line)) {
			l.words = append(l.words, l.vocabulary.number(w))
		}
	}
	if odd {
		var parts []uint32
		for _, w := range strings.Split(string(line), " ") {
			parts = append(parts, l.vocabulary.number(w))
		}
		if l.split == nil {
			l.split = map[int][]uint32{}
		}
		l.split[len(l.lengths)] = parts
	}
	l.lengths = append(l.lengths, len(l.words)-before)
}

// join makes one corpus of all lines, with the numbers of the first vocabulary.
func (c *Corpus) join(all []lines) {
	one := all[0].vocabulary
	same := map[*vocabulary][]uint32{one: nil} // what the numbers of another vocabulary are in the first
	total := 0
	for i := range all {
		total += len(all[i].words)
		v := all[i].vocabulary
		if _, known := same[v]; !known {
			to := make([]uint32, len(v.words)+1)
			for n := range v.words {
				w := &v.words[n]
				to[n+1] = one.find(w.head, v.tail(w), w.size)
			}
			same[v] = to
		}
	}
	c.different = len(one.words)
	c.starts = make([]int, 1, c.references[c.images]+1)
	c.words = make([]uint32, 0, total)
	for i := range all {
		l := &all[i]
		first := len(c.starts) - 1
		c.words = append(c.words, l.words...)
		for _, n := range l.lengths {
			c.starts = append(c.starts, c.starts[len(c.starts)-1]+n)
		}
		for s, parts := range l.split {
			c.split[first+s] = parts
		}
		if to := same[l.vocabulary]; to != nil {
			renumber(c.words[len(c.words)-len(l.words):], to)
			for _, parts := range l.split {
				renumber(parts, to)
			}
		}
	}
}

func renumber(words, to []uint32) {
	for i, w := range words {
		words[i] = to[w]
	}
}
