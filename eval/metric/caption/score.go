package caption

// All scores of an image are computed while its captions are at hand; images are shared out to all processors.

import (
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Want says which scores to compute.
type Want struct{ CIDEr, BLEU, ROUGE bool }

// Result is the scores that were wanted.
type Result struct {
	CIDEr, ROUGE Scores
	BLEU         [maxN]Scores
}

// Score computes several scores at once.
func (c *Corpus) Score(want Want) *Result {
	s := scoring{Corpus: c, want: want}
	if want.CIDEr {
		s.result.CIDEr.PerImage = make([]float64, c.images)
		s.common = c.countImages()
	}
	if want.BLEU {
		s.bleu = make([]bleuCounts, c.images)
	}
	if want.ROUGE {
		s.result.ROUGE.PerImage = make([]float64, c.images)
	}
	const chunk = 64
	var next atomic.Int32
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), c.images/chunk+1) {
		wg.Go(func() {
			one := imageScorer{scoring: &s}
			for {
				first := chunk * (int(next.Add(1)) - 1)
				if first >= c.images {
					return
				}
				for i := first; i < min(first+chunk, c.images); i++ {
					one.score(i)
				}
			}
		})
	}
	wg.Wait()
	if want.CIDEr {
		s.result.CIDEr.Corpus = mean(s.result.CIDEr.PerImage)
	}
	if want.BLEU {
		s.result.BLEU = bleuScores(s.bleu)
	}
	if want.ROUGE {
		s.result.ROUGE.Corpus = mean(s.result.ROUGE.PerImage)
	}
	return &s.result
}

// CIDEr is Score for CIDEr alone.
func (c *Corpus) CIDEr() Scores { return c.Score(Want{CIDEr: true}).CIDEr }

// BLEU is Score for BLEU-1..4 alone.
func (c *Corpus) BLEU() [maxN]Scores { return c.Score(Want{BLEU: true}).BLEU }

// ROUGE is Score for ROUGE-L alone.
func (c *Corpus) ROUGE() Scores { return c.Score(Want{ROUGE: true}).ROUGE }

// scoring is what goroutines share.
type scoring struct {
	*Corpus
	result Result
	want   Want
	common [maxN]common
	bleu   []bleuCounts
}

// imageScorer is a goroutine's memory.
type imageScorer struct {
	*scoring
	local   local
	count   []uint32  // by sequence: how often in the hypothesis, or in the reference at hand; zero in between
	most    []uint32  // by sequence: how often in the reference that has it most often
	hyp     []float64 // by sequence: its weight in the hypothesis
	idf     []float64 // by place in a sentence
	penalty []float64 // by reference: CIDEr's for the difference in length
	rouge   subsequences
}

func (s *imageScorer) score(i int) {
	orders := 1
	if s.want.CIDEr || s.want.BLEU {
		orders = maxN
	}
	s.local.read(s.Corpus, i, orders)
	if s.want.CIDEr {
		s.penalties()
	}
	var cider float64
	for n := range orders {
		cider += s.sequences(i, n)
	}
	if s.want.CIDEr {
		s.result.CIDEr.PerImage[i] = cider / maxN / float64(len(s.penalty)) * ciderScale
	}
	if s.want.BLEU {
		b := &s.bleu[i]
		b.length, b.refLength = s.local.lengths[0], closest(s.local.lengths)
		b.each = b.scores()
	}
	if s.want.ROUGE {
		s.result.ROUGE.PerImage[i] = s.rouge.score(s.Corpus, i, &s.local)
	}
}

// sequences counts the sequences of n+1 words of image i. It fills BLEU's counts, and returns the sum over the references of
// CIDEr's similarity.
//
// A sequence counts where it stands first in its sentence, and again with count 0; number 0, which is many sequences that have
// nothing to do with each other, counts 1 everywhere and has no weight in the hypothesis. So the loops need not tell them apart.
func (s *imageScorer) sequences(i, n int) (cider float64) {
	ids, lengths := s.local.ids[n], s.local.lengths
	s.count, s.most, s.hyp = room(s.count, s.local.numbers[n]), room(s.most, s.local.numbers[n]), room(s.hyp, s.local.numbers[n])
	count, most, weight := s.count, s.most, s.hyp
	idf := room(s.idf, slices.Max(lengths)) // by place in the sentence
	s.idf = idf
	s.rarities(n, i, idf)
	// What the hypothesis has.
	hyp := ids[:max(0, lengths[0]-n)]
	for _, g := range hyp {
		count[g]++
	}
	count[0] = 1
	var norm float64
	for p, g := range hyp {
		w := float64(count[g]) * idf[p]
		weight[g] += w
		norm += w * w
		count[g], count[0] = 0, 1
	}
	weight[0] = 0
	hypNorm := math.Sqrt(norm)
	// What each reference has.
	at := lengths[0]
	for r, length := range lengths[1:] {
		ref := ids[at : at+max(0, length-n)]
		at += length
		if s.local.orders[r+1] <= n {
			continue // it shares nothing with the hypothesis
		}
		s.rarities(n, s.references[i]+r, idf)
		for _, g := range ref {
			count[g]++
		}
		count[0] = 1
		var dot, norm float64
		for p, g := range ref {
			k := count[g]
			count[g], count[0] = 0, 1
			most[g] = max(most[g], k)
			w, h := float64(k)*idf[p], weight[g]
			norm += w * w
			if w < h {
				h = w
			}
			dot += h * w
		}
		if s.want.CIDEr {
			if norm = math.Sqrt(norm); norm != 0 && hypNorm != 0 {
				dot /= norm * hypNorm
			}
			cider += dot * s.penalty[r]
		}
	}
	if s.want.BLEU {
		most[0] = 0
		b := &s.bleu[i]
		b.guess[n] = len(hyp)
		for _, g := range hyp {
			if most[g] > 0 { // each place of a reference serves one of the hypothesis
				most[g]--
				b.correct[n]++
			}
		}
	}
	return cider
}

// rarities are those of the sequences of n+1 words of a sentence, by place.
func (s *imageScorer) rarities(n, sentence int, idf []float64) {
	if s.want.CIDEr {
		c := &s.common[n]
		for p, id := range c.ids[s.starts[sentence]:s.starts[sentence+1]] {
			idf[p] = c.rarity(id)
		}
	}
}

// room is memory for n numbers, zeroed.
func room[T uint32 | float64 | known](s []T, n int) []T {
	if cap(s) < n {
		s = make([]T, n)
	}
	s = s[:n]
	clear(s) // also when new: a page that is read before it is written faults twice and halts the other processors
	return s
}

func mean(xs []float64) float64 {
	var sum float64
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}
