package metric

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Interval is where a measure lies with 95 % confidence.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Resamples is how often Bootstrap draws.
const Resamples = 1000

// Bootstrap draws n examples with replacement, Resamples times, and returns the 2.5 and 97.5 percentiles of a statistic of
// the drawn indices. Draws where the statistic is not a number (an AUC of one class) do not count. The same seed
// gives the same interval.
func Bootstrap(n int, seed uint64, statistic func(drawn []int) float64) Interval {
	r := rand.New(rand.NewPCG(seed, 0x6d6d6334))
	drawn := make([]int, n)
	values := make([]float64, 0, Resamples)
	for range Resamples {
		for i := range drawn {
			drawn[i] = r.IntN(n)
		}
		if v := statistic(drawn); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return Interval{math.NaN(), math.NaN()}
	}
	slices.Sort(values)
	return Interval{percentile(values, 0.025), percentile(values, 0.975)}
}

// BootstrapMean is Bootstrap for a mean of per-example scores.
func BootstrapMean(scores []float64, seed uint64) Interval {
	return Bootstrap(len(scores), seed, func(drawn []int) float64 {
		var sum float64
		for _, i := range drawn {
			sum += scores[i]
		}
		return sum / float64(len(drawn))
	})
}

// percentile interpolates between the neighbours in sorted values.
func percentile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// MeanDeviation is the mean and standard deviation of trials; the deviation is that of the whole population, as numpy's std.
func MeanDeviation(xs []float64) (mean, deviation float64) {
	for _, x := range xs {
		mean += x
	}
	mean /= float64(len(xs))
	for _, x := range xs {
		deviation += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(deviation / float64(len(xs)))
}
