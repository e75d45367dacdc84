package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// AUC is the area under the ROC curve: how often a positive example scores higher than a negative one, ties counting one
// half. It is undefined (ok is false) when one of the two classes is absent; a score that is no number is an error.
func AUC(positive []bool, scores []float64) (auc float64, ok bool, err error) {
	if len(positive) != len(scores) {
		return 0, false, fmt.Errorf("%d labels but %d scores", len(positive), len(scores))
	}
	order := make([]int, len(scores))
	for i, s := range scores {
		if math.IsNaN(s) {
			return 0, false, fmt.Errorf("score %d is not a number", i)
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	// wins counts pairs (negative below positive) twice, ties once: whole numbers, so that nothing is rounded.
	var wins, positives, negatives int
	for i := 0; i < len(order); {
		var p, n int
		j := i
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			if positive[order[j]] {
				p++
			} else {
				n++
			}
		}
		wins += p * (2*negatives + n)
		positives, negatives = positives+p, negatives+n
		i = j
	}
	if positives == 0 || negatives == 0 {
		return 0, false, nil
	}
	return float64(wins) / 2 / (float64(positives) * float64(negatives)), true, nil
}
