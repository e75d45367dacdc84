package caption

import "math/bits"

const rougeBeta = 1.2

// subsequences computes ROUGE-L (Lin 2004): the longest common subsequence with a reference, its best precision and its best
// recall over the references combined with weight beta = 1.2. Words are what stands between single spaces, so an empty caption
// is one empty word.
type subsequences struct {
	places []uint64 // by word: the bits of its places in the hypothesis; zero between images
	row    []int
}

// score is ROUGE-L of image i, whose sentences are in l.
func (s *subsequences) score(c *Corpus, i int, l *local) float64 {
	var precision, recall float64
	take := func(common, hyp, ref int) {
		precision = max(precision, float64(common)/float64(hyp))
		recall = max(recall, float64(common)/float64(ref))
	}
	_, odd := c.split[i]
	hyp := l.ids[0][:l.lengths[0]]
	bitwise := !odd && len(hyp) <= 64
	if bitwise {
		s.mark(hyp, l.numbers[0])
	}
	at := l.lengths[0]
	for r, length := range l.lengths[1:] {
		ref := l.ids[0][at : at+length]
		at += length
		if _, odd := c.split[c.references[i]+r]; odd || !bitwise {
			a, b := c.parts(i), c.parts(c.references[i]+r)
			take(s.plain(a, b), len(a), len(b))
		} else {
			take(s.bitwise(ref, len(hyp)), len(hyp), length)
		}
	}
	if bitwise {
		for _, w := range hyp {
			s.places[w] = 0
		}
	}
	if precision == 0 || recall == 0 {
		return 0
	}
	const b2 = rougeBeta * rougeBeta
	return (1 + b2) * precision * recall / (recall + b2*precision)
}

// parts are the words of a sentence when it is split at single spaces.
func (c *Corpus) parts(sentence int) []uint32 {
	if p, ok := c.split[sentence]; ok {
		return p
	}
	return c.sentence(sentence)
}

// mark notes where each word stands in a hypothesis of up to 64 words.
func (s *subsequences) mark(hyp []uint32, words int) {
	if len(s.places) < words {
		s.places = make([]uint64, 2*words)
	}
	for i, w := range hyp {
		if w != 0 { // 0 stands for words that no two places have
			s.places[w] |= 1 << i
		}
	}
}

// bitwise is the length of the longest common subsequence with the marked hypothesis, a row of plain's table at a time: bit i is 0
// where the row grows from column i to the next (Hyyrö 2004).
func (s *subsequences) bitwise(ref []uint32, hyp int) int {
	row := ^uint64(0)
	for _, w := range ref {
		same := row & s.places[w]
		row = (row + same) | (row - same)
	}
	return bits.OnesCount64(^row << (64 - hyp))
}

// plain is the length of the longest common subsequence.
func (s *subsequences) plain(a, b []uint32) int {
	if cap(s.row) < len(b)+1 {
		s.row = make([]int, 2*len(b)+1)
	}
	best := s.row[:len(b)+1]
	clear(best)
	for _, x := range a {
		diagonal := 0
		for j, y := range b {
			up := best[j+1]
			if x == y {
				best[j+1] = diagonal + 1
			} else {
				best[j+1] = max(up, best[j])
			}
			diagonal = up
		}
	}
	return best[len(b)]
}
