package metric

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
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
// gives the same interval. The statistic is called from several goroutines.
func Bootstrap(n int, seed uint64, statistic func(drawn []int) float64) Interval {
	return bootstrap(n, seed, func() func(g *generator) float64 {
		drawn := make([]int, n)
		return func(g *generator) float64 {
			for i := range drawn {
				drawn[i] = g.below(n)
			}
			return statistic(drawn)
		}
	})
}

// BootstrapMean is Bootstrap for a mean of per-example scores.
func BootstrapMean(scores []float64, seed uint64) Interval {
	n := len(scores)
	return bootstrap(n, seed, func() func(g *generator) float64 {
		return func(g *generator) float64 {
			var sum float64
			for range n {
				sum += scores[g.below(n)]
			}
			return sum / float64(n)
		}
	})
}

// generator draws two numbers of 32 bits from every output of PCG.
type generator struct {
	pcg  *rand.PCG
	left uint64
	have bool
}

// below is a number below n, for n < 2^32. It is uneven by less than n / 2^32.
func (g *generator) below(n int) int {
	if g.have = !g.have; g.have {
		g.left = g.pcg.Uint64()
	} else {
		g.left >>= 32
	}
	return int(g.left & (1<<32 - 1) * uint64(n) >> 32)
}

// bootstrap makes every resample from a generator of its own, so that it does not matter which goroutine makes it.
func bootstrap(n int, seed uint64, sampler func() func(g *generator) float64) Interval {
	if n == 0 {
		return Interval{math.NaN(), math.NaN()}
	}
	all := make([]float64, Resamples)
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			sample := sampler()
			for k := w; k < Resamples; k += workers {
				all[k] = sample(&generator{pcg: rand.NewPCG(seed, uint64(k))})
			}
		}()
	}
	wg.Wait()
	values := slices.DeleteFunc(all, math.IsNaN)
	if len(values) == 0 {
		return Interval{math.NaN(), math.NaN()}
	}
	slices.Sort(values)
	return Interval{percentile(values, 0.025), percentile(values, 0.975)}
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
