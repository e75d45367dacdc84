package tokenizer

// Learning which pairs a BPE merges (Sennrich, Haddow and Birch, 2016).

import (
	"cmp"
	"slices"
)

// Word is what merges stay within: its symbols, and how often it comes.
type Word struct {
	Symbols []string
	Count   int
}

// LearnMerges joins the most frequent pair of neighbours, n times at most and as long as one comes `least` times; of equally
// frequent ones that which sorts first. It gives the pairs in the order in which they were joined, and leaves words joined.
func LearnMerges(words []Word, n, least int) (merges [][2]string) {
	for range n {
		counts := map[[2]string]int{}
		for _, w := range words {
			for i := 1; i < len(w.Symbols); i++ {
				counts[[2]string{w.Symbols[i-1], w.Symbols[i]}] += w.Count
			}
		}
		var best [2]string
		most := 0
		for pair, n := range counts {
			if n > most || n == most && slices.CompareFunc(pair[:], best[:], cmp.Compare[string]) < 0 {
				best, most = pair, n
			}
		}
		if most < max(least, 1) {
			break
		}
		merges = append(merges, best)
		for k, w := range words {
			joined := w.Symbols[:0]
			for i := 0; i < len(w.Symbols); i++ {
				if i+1 < len(w.Symbols) && w.Symbols[i] == best[0] && w.Symbols[i+1] == best[1] {
					joined = append(joined, best[0]+best[1])
					i++
				} else {
					joined = append(joined, w.Symbols[i])
				}
			}
			words[k].Symbols = joined
		}
	}
	return merges
}
