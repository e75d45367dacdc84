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
	r, err := rank(positive, scores)
	if err != nil {
		return 0, false, err
	}
	auc, ok = r.area(slices.Repeat([]int{1}, len(scores)))
	return auc, ok, nil
}

// ranking is examples in the order of their scores.
type ranking struct {
	place    []int  // of an example in the order
	positive []bool // by place
	last     []bool // by place: the next one scores higher
}

func rank(positive []bool, scores []float64) (*ranking, error) {
	if len(positive) != len(scores) {
		return nil, fmt.Errorf("%d labels but %d scores", len(positive), len(scores))
	}
	n := len(scores)
	order := make([]int, n)
	for i, s := range scores {
		if math.IsNaN(s) {
			return nil, fmt.Errorf("score %d is not a number", i)
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(scores[a], scores[b]) })
	r := &ranking{place: make([]int, n), positive: make([]bool, n), last: make([]bool, n)}
	for k, i := range order {
		r.place[i], r.positive[k] = k, positive[i]
		r.last[k] = k+1 == n || scores[order[k+1]] != scores[i]
	}
	return r, nil
}

// area is the AUC when the example at a place is there so many times.
func (r *ranking) area(times []int) (auc float64, ok bool) {
	// wins counts pairs (negative below positive) twice, ties once: whole numbers, so that nothing is rounded.
	var wins, positives, negatives int
	var p, n int // of the examples with the score at hand
	for k, count := range times {
		if r.positive[k] {
			p += count
		} else {
			n += count
		}
		if r.last[k] {
			wins += p * (2*negatives + n)
			positives, negatives = positives+p, negatives+n
			p, n = 0, 0
		}
	}
	if positives == 0 || negatives == 0 {
		return 0, false
	}
	return float64(wins) / 2 / (float64(positives) * float64(negatives)), true
}
