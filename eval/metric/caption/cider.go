package caption

import (
	"math"
	"sync"
)

const (
	ciderSigma = 6.0
	ciderScale = 10.0
)

// CIDEr is the consensus of a caption with its references (Vedantam et al. 2015) in the form called CIDEr-D: clipped
// counts and a Gaussian penalty on the difference in length, where the length is the number of word pairs. How rare a
// sequence is, is counted over the references of this corpus, so scores of different corpora do not compare, and a
// corpus of one image scores 0.
func (c *Corpus) CIDEr() Scores {
	var idf [maxN][]float64
	var wg sync.WaitGroup
	for n := range maxN {
		wg.Add(1)
		go func() {
			defer wg.Done()
			idf[n] = c.rarity(n)
		}()
	}
	wg.Wait()
	out := Scores{PerImage: make([]float64, len(c.images))}
	type scratch struct {
		count [maxN][]uint32  // by sequence; all zero between sentences
		hyp   [maxN][]float64 // weight in the hypothesis
	}
	fresh := func() *scratch {
		s := new(scratch)
		for n := range maxN {
			s.count[n], s.hyp[n] = make([]uint32, c.counts[n]), make([]float64, c.counts[n])
		}
		return s
	}
	each(c, fresh, func(i int, s *scratch) {
		im := c.images[i]
		var hypNorm [maxN]float64
		for n := range maxN {
			hyp, norm := s.hyp[n], 0.0
			weigh(c.sequences(im.hyp, n), s.count[n], idf[n], func(g uint32, w float64) {
				hyp[g] = w
				norm += w * w
			})
			hypNorm[n] = math.Sqrt(norm)
		}
		var sum float64
		for ref := im.hyp + 1; ref < im.end; ref++ {
			delta := float64(max(0, c.length(im.hyp)-1) - max(0, c.length(ref)-1))
			penalty := math.Exp(-delta * delta / (2 * ciderSigma * ciderSigma))
			for n := range maxN {
				hyp, dot, norm := s.hyp[n], 0.0, 0.0
				weigh(c.sequences(ref, n), s.count[n], idf[n], func(g uint32, w float64) {
					norm += w * w
					dot += min(hyp[g], w) * w
				})
				if norm = math.Sqrt(norm); norm != 0 && hypNorm[n] != 0 {
					dot /= norm * hypNorm[n]
				}
				sum += dot * penalty
			}
		}
		for n := range maxN {
			for _, g := range c.sequences(im.hyp, n) {
				s.hyp[n][g] = 0
			}
		}
		out.PerImage[i] = sum / maxN / float64(im.end-im.hyp-1) * ciderScale
	})
	out.Corpus = mean(out.PerImage)
	return out
}

// weigh calls f once for every different sequence with its count times its rarity.
func weigh(grams, count []uint32, idf []float64, f func(g uint32, w float64)) {
	for _, g := range grams {
		count[g]++
	}
	for _, g := range grams {
		if n := count[g]; n > 0 {
			count[g] = 0
			f(g, float64(n)*idf[g])
		}
	}
}

// rarity is ln(images) - ln(images whose references hold the sequence), by sequence of n+1 words.
func (c *Corpus) rarity(n int) []float64 {
	type seen struct{ images, last uint32 } // last: the image that was counted last, plus one
	df := make([]seen, c.counts[n])
	for i, im := range c.images {
		words := c.grams[n]
		for ref := im.hyp + 1; ref < im.end; ref++ {
			for at := int(c.starts[ref]); at < int(c.starts[ref+1])-n; at++ {
				if s := &df[words[at]]; s.last != uint32(i+1) {
					s.last = uint32(i + 1)
					s.images++
				}
			}
		}
	}
	all := math.Log(float64(len(c.images)))
	logs := make([]float64, len(c.images)+1)
	for i := 1; i < len(logs); i++ {
		logs[i] = math.Log(float64(i))
	}
	idf := make([]float64, len(df))
	for g, k := range df {
		idf[g] = all - logs[k.images]
	}
	return idf
}

func mean(xs []float64) float64 {
	var sum float64
	for _, x := range xs {
		sum += x
	}
	return sum / float64(len(xs))
}
