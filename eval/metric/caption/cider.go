package caption

import "math"

const (
	ciderSigma = 6.0
	ciderScale = 10.0
)

// CIDEr is the consensus of a caption with its references (Vedantam et al. 2015) in the form called CIDEr-D: clipped
// counts and a Gaussian penalty on the difference in length, where the length is the number of word pairs. How rare a
// sequence is, is counted over the references of this corpus, so scores of different corpora do not compare, and a
// corpus of one image scores 0.
func (c *Corpus) CIDEr() Scores {
	idf := c.rarity()
	out := Scores{PerImage: make([]float64, len(c.images))}
	type scratch struct {
		count []uint32  // by sequence; all zero between sentences
		hyp   []float64 // weight in the hypothesis
	}
	fresh := func() *scratch { return &scratch{count: make([]uint32, c.grams), hyp: make([]float64, c.grams)} }
	each(c, fresh, func(i int, s *scratch) {
		im := &c.images[i]
		var hypNorm [maxN]float64
		for n := range maxN {
			weigh(im.hyp.grams[n], s.count, idf, func(g uint32, w float64) {
				s.hyp[g] = w
				hypNorm[n] += w * w
			})
			hypNorm[n] = math.Sqrt(hypNorm[n])
		}
		var sum float64
		for r := range im.refs {
			ref := &im.refs[r]
			delta := float64(len(im.hyp.grams[1]) - len(ref.grams[1]))
			penalty := math.Exp(-delta * delta / (2 * ciderSigma * ciderSigma))
			for n := range maxN {
				var dot, norm float64
				weigh(ref.grams[n], s.count, idf, func(g uint32, w float64) {
					norm += w * w
					dot += min(s.hyp[g], w) * w
				})
				if norm = math.Sqrt(norm); norm != 0 && hypNorm[n] != 0 {
					dot /= norm * hypNorm[n]
				}
				sum += dot * penalty
			}
		}
		for n := range maxN {
			for _, g := range im.hyp.grams[n] {
				s.hyp[g] = 0
			}
		}
		out.PerImage[i] = sum / maxN / float64(len(im.refs)) * ciderScale
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

// rarity is ln(images) - ln(images whose references hold the sequence).
func (c *Corpus) rarity() []float64 {
	df := make([]uint32, c.grams)
	last := make([]uint32, c.grams) // the image that was counted last, plus one
	for i := range c.images {
		for r := range c.images[i].refs {
			for _, grams := range c.images[i].refs[r].grams {
				for _, g := range grams {
					if last[g] != uint32(i+1) {
						last[g] = uint32(i + 1)
						df[g]++
					}
				}
			}
		}
	}
	all := math.Log(float64(len(c.images)))
	logs := make([]float64, len(c.images)+1)
	for i := 1; i < len(logs); i++ {
		logs[i] = math.Log(float64(i))
	}
	idf := make([]float64, c.grams)
	for g, n := range df {
		idf[g] = all - logs[n]
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
