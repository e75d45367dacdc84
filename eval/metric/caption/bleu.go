package caption

import "math"

// Two numbers that keep the reference program's quotients finite.
const (
	bleuSmall = 1e-9
	bleuTiny  = 1e-15
)

// bleuCounts is what one caption brings to BLEU.
type bleuCounts struct {
	length, refLength int
	guess, correct    [maxN]int
}

// BLEU is the clipped precision of sequences of up to n words (Papineni et al. 2002), for n = 1..4, with the length of
// the closest reference for the brevity penalty. The corpus score is made of summed counts and is not the mean.
func (c *Corpus) BLEU() [maxN]Scores {
	all := make([]bleuCounts, len(c.images))
	type scratch struct{ hyp, ref, best []uint32 }
	fresh := func() *[maxN]scratch {
		s := new([maxN]scratch)
		for n := range maxN {
			s[n] = scratch{make([]uint32, c.counts[n]), make([]uint32, c.counts[n]), make([]uint32, c.counts[n])}
		}
		return s
	}
	each(c, fresh, func(i int, scratch *[maxN]scratch) {
		im, b := c.images[i], &all[i]
		b.length = c.length(im.hyp)
		b.refLength = c.closest(im)
		for n := range maxN {
			s := &scratch[n]
			hyp := c.sequences(im.hyp, n)
			b.guess[n] = len(hyp)
			// Only what the hypothesis has is counted.
			for _, g := range hyp {
				s.hyp[g]++
			}
			for ref := im.hyp + 1; ref < im.end; ref++ {
				grams := c.sequences(ref, n)
				for _, g := range grams {
					if s.hyp[g] > 0 {
						s.ref[g]++
						s.best[g] = max(s.best[g], s.ref[g])
					}
				}
				for _, g := range grams {
					s.ref[g] = 0
				}
			}
			for _, g := range hyp {
				b.correct[n] += int(min(s.hyp[g], s.best[g]))
				s.hyp[g], s.best[g] = 0, 0
			}
		}
	})

	var out [maxN]Scores
	for n := range out {
		out[n].PerImage = make([]float64, len(all))
	}
	var total bleuCounts
	for i := range all {
		for n, score := range all[i].scores() {
			out[n].PerImage[i] = score
		}
		total.length += all[i].length
		total.refLength += all[i].refLength
		for n := range maxN {
			total.guess[n] += all[i].guess[n]
			total.correct[n] += all[i].correct[n]
		}
	}
	for n, score := range total.scores() {
		out[n].Corpus = score
	}
	return out
}

// closest is the length of the reference nearest in length to the hypothesis, the shorter one of two.
func (c *Corpus) closest(im image) int {
	length, best := c.length(im.hyp), c.length(im.hyp+1)
	for ref := im.hyp + 2; ref < im.end; ref++ {
		l := c.length(ref)
		d, e := abs(l-length), abs(best-length)
		if d < e || d == e && l < best {
			best = l
		}
	}
	return best
}

func (b *bleuCounts) scores() [maxN]float64 {
	var out [maxN]float64
	product := 1.0
	for n := range maxN {
		product *= (float64(b.correct[n]) + bleuTiny) / (float64(b.guess[n]) + bleuSmall)
		out[n] = math.Pow(product, 1/float64(n+1))
	}
	if ratio := (float64(b.length) + bleuTiny) / (float64(b.refLength) + bleuSmall); ratio < 1 {
		for n := range out {
			out[n] *= math.Exp(1 - 1/ratio)
		}
	}
	return out
}

func abs(x int) int { return max(x, -x) }
