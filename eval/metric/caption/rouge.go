package caption

const rougeBeta = 1.2

// ROUGE is ROUGE-L (Lin 2004): the longest common subsequence with a reference, its best precision and its best recall
// over the references combined with weight beta = 1.2. Words are what stands between single spaces, so an empty caption
// is one empty word.
func (c *Corpus) ROUGE() Scores {
	out := Scores{PerImage: make([]float64, len(c.images))}
	each(c, func() *[]int { return new([]int) }, func(i int, row *[]int) {
		im := c.images[i]
		hyp := c.parts(im.hyp)
		var precision, recall float64
		for r := im.hyp + 1; r < im.end; r++ {
			ref := c.parts(r)
			common := float64(subsequence(hyp, ref, row))
			precision = max(precision, common/float64(len(hyp)))
			recall = max(recall, common/float64(len(ref)))
		}
		if precision != 0 && recall != 0 {
			const b2 = rougeBeta * rougeBeta
			out.PerImage[i] = (1 + b2) * precision * recall / (recall + b2*precision)
		}
	})
	out.Corpus = mean(out.PerImage)
	return out
}

// subsequence is the length of the longest common subsequence; row is scratch memory.
func subsequence(a, b []uint32, row *[]int) int {
	if cap(*row) < len(b)+1 {
		*row = make([]int, 2*len(b)+1)
	}
	best := (*row)[:len(b)+1]
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
