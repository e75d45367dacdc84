package caption

import "slices"

// The word sequences of one image, numbered from 0 on: few enough that all that is counted of them stays near the processor.

// local is the sequences of one image's sentences; its memory serves one image after another.
type local struct {
	// ids[n][i] is the sequence of n+1 words that begins at word i of the sentences one after another. It may be 0 for what is
	// not in the hypothesis and only once in its sentence, and is 0 for what does not fit into its sentence. A longer sequence is
	// neither where a shorter one in it is not, so that most need no look.
	ids     [maxN][]uint32
	numbers [maxN]int // how many ids there are, 0 among them
	// orders[s] is how many words the longest sequence has that sentence s shares with the hypothesis, but no more than were asked
	// for. Longer ones are not numbered in it.
	orders  []int
	lengths []int    // of the sentences, the hypothesis first
	words   []uint32 // of the sentences one after another
	known   []known  // by word of the corpus
	marked  []uint32 // words that have an id
	now     uint32   // counts sentences, from 1 on
	set     sparse
}

// known is what is known of a word.
type known struct {
	id   uint32 // in the image at hand
	last uint32 // the sentence that it was in last
}

// read numbers the sequences of image i, of up to `orders` words.
func (l *local) read(c *Corpus, i, orders int) {
	if l.known == nil {
		l.known = room(l.known, c.different+1)
	}
	l.lengths, l.words = append(l.lengths[:0], len(c.sentence(i))), append(l.words[:0], c.sentence(i)...)
	for s := c.references[i]; s < c.references[i+1]; s++ {
		l.lengths, l.words = append(l.lengths, len(c.sentence(s))), append(l.words, c.sentence(s)...)
	}
	for n := range orders {
		if cap(l.ids[n]) < len(l.words) {
			l.ids[n] = make([]uint32, 2*len(l.words))
		}
		l.ids[n] = l.ids[n][:len(l.words)]
	}
	l.readWords()
	for n := 1; n < orders; n++ {
		ids, shorter, at := l.ids[n], l.ids[n-1], 0
		l.set.reset(len(ids))
		l.numbers[n] = 0
		for s, length := range l.lengths {
			if l.orders[s] < n {
				at += length
				continue
			}
			shared := false
			row, hyp := ids[at:at+length], l.numbers[n]
			a := uint32(0)
			for p, b := range shorter[at : at+length] { // a is the one before
				row[p] = 0
				if a != 0 && b != 0 {
					id := l.set.number(uint64(a)<<32 | uint64(b))
					row[p-1] = id
					shared = shared || int(id) < hyp
				}
				a = b
			}
			if at += length; s == 0 {
				l.numbers[n] = l.set.size() // of the hypothesis only, until the end
			}
			if shared || s == 0 {
				l.orders[s]++
			}
		}
		l.numbers[n] = l.set.size()
	}
}

// readWords is the first order.
func (l *local) readWords() {
	ids, at := l.ids[0], 0
	l.marked, l.orders = l.marked[:0], l.orders[:0]
	hyp := uint32(0) // the last id of the hypothesis
	mark := func(w uint32) {
		l.marked = append(l.marked, w)
		l.known[w].id = uint32(len(l.marked))
	}
	for s, length := range l.lengths {
		l.now++
		words := l.words[at : at+length]
		shared := 0
		for p, w := range words {
			k := &l.known[w]
			switch {
			case k.id != 0:
			case s == 0:
				mark(w)
			case k.last == l.now: // the second time in this sentence
				mark(w)
				ids[at+slices.Index(words, w)] = k.id
			}
			k.last = l.now
			ids[at+p] = k.id
			if k.id-1 < hyp { // also false for 0
				shared = 1
			}
		}
		at += length
		if s == 0 {
			shared, hyp = 1, uint32(len(l.marked))
		}
		l.orders = append(l.orders, shared)
	}
	l.numbers[0] = len(l.marked) + 1
	for _, w := range l.marked {
		l.known[w].id = 0
	}
}

// sparse numbers a few keys from 1 on. It is a sparse set (Briggs and Torczon 1993): a slot counts only if the key
// that it names names the slot, so that nothing has to be cleared between images.
type sparse struct {
	slots []uint32
	mask  uint64
	keys  []sparseKey // by number; 0 is none's
}

type sparseKey struct {
	key uint64
	at  uint64 // its slot
}

// reset empties the set and makes room for so many keys.
func (s *sparse) reset(room int) {
	size := 64
	for size < 2*room {
		size *= 2
	}
	if len(s.slots) < size {
		s.slots = make([]uint32, size)
	}
	s.mask = uint64(size - 1)
	s.keys = append(s.keys[:0], sparseKey{at: 1<<64 - 1})
}

func (s *sparse) size() int { return len(s.keys) }

func (s *sparse) number(key uint64) uint32 {
	for at := spread(key) & s.mask; ; at = (at + 1) & s.mask {
		n := s.slots[at]
		if int(n) >= len(s.keys) || s.keys[n].at != at {
			n = uint32(len(s.keys))
			s.slots[at] = n
			s.keys = append(s.keys, sparseKey{key, at})
			return n
		}
		if s.keys[n].key == key {
			return n
		}
	}
}
