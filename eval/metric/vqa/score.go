package vqa

import (
	"math"
	"strconv"
)

// Answer is one person's answer.
type Answer struct {
	Text string
	Rest string // everything else that the file says of it, in one canonical form; for CompatAccuracy
}

// Normaliser remembers what answers normalise to: people give the same few answers over and over. For one goroutine.
type Normaliser struct{ known map[string]string }

// maxKnown bounds the memory; answers beyond it are normalised each time.
const maxKnown = 1 << 16

// NewNormaliser remembers nothing yet.
func NewNormaliser() *Normaliser { return &Normaliser{map[string]string{}} }

func (n *Normaliser) normalise(s string) string {
	if out, ok := n.known[s]; ok {
		return out
	}
	out := Normalise(s)
	if len(n.known) < maxKnown {
		n.known[s] = out
	}
	return out
}

// Accuracy is the accuracy of a prediction, 0..1: the mean over people g of min(1, others who agree / 3), where others are
// all people but g. No answers score 0.
func (n *Normaliser) Accuracy(prediction string, answers []Answer) float64 {
	predicted := n.normalise(prediction)
	agree := 0
	said := make([]bool, len(answers))
	for i, a := range answers {
		if n.normalise(a.Text) == predicted {
			said[i] = true
			agree++
		}
	}
	return average(len(answers), func(i int) int {
		if said[i] {
			return agree - 1
		}
		return agree
	})
}

// CompatAccuracy is the accuracy by open_flamingo's code: it takes people with equal answers whose records are equal as
// well for one and the same. In files that number their answers the two never differ; VizWiz files do not, and scores
// there come out far too low.
func (n *Normaliser) CompatAccuracy(prediction string, answers []Answer) float64 {
	predicted := n.normalise(prediction)
	normal := make([]Answer, len(answers))
	for i, a := range answers {
		normal[i] = Answer{n.normalise(a.Text), a.Rest}
	}
	return average(len(answers), func(i int) int {
		agree := 0
		for _, other := range normal {
			if other != normal[i] && other.Text == predicted {
				agree++
			}
		}
		return agree
	})
}

func average(people int, agree func(i int) int) float64 {
	if people == 0 {
		return 0
	}
	var sum float64
	for i := range people {
		sum += min(1, float64(agree(i))/3)
	}
	return sum / float64(people)
}

// Percent is 100 times x with two decimals, rounded as Python rounds: the nearest, judged by the exact binary value.
func Percent(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return x
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(100*x, 'f', 2, 64), 64)
	return rounded
}
