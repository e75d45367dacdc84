package caption

import "math"

// Two numbers that keep the reference program's quotients finite.
const (
	bleuSmall = 1e-9
	bleuTiny  = 1e-15
)

// bleuCounts is what one caption brings to BLEU: the clipped precision of sequences of up to n words (Papineni et al. 2002), for
// n = 1..4, with the length of the closest reference for the brevity penalty. It is counted in score.go.
type bleuCounts struct {
	length, refLength int
	guess, correct    [maxN]int
	each              [maxN]float64 // the caption's own scores
}

// bleuScores are the scores of all captions. The corpus score is made of summed counts and is not the mean.
func bleuScores(all []bleuCounts) (out [maxN]Scores) {
	for n := range out {
		out[n].PerImage = make([]float64, len(all))
	}
	var total bleuCounts
	for i := range all {
		for n, score := range all[i].each {
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

// closest is the length of the reference nearest in length to the hypothesis, the shorter one of two; lengths begin with the
// hypothesis's.
func closest(lengths []int) int {
	length, best := lengths[0], lengths[1]
	for _, l := range lengths[2:] {
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
