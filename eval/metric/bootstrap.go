package metric

import (
	"math"
	"runtime"
	"slices"
	"sync"
)

// Interval is where a measure lies with 95 % confidence.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// Resamples is how often examples are drawn.
const Resamples = 1000

// BootstrapAUC draws as many examples as there are with replacement, Resamples times, and returns the 2.5 and 97.5 percentiles of
// their AUC. Draws of one class only do not count. The same seed gives the same interval. The examples are sorted once: a draw is
// how often each of them is there.
func BootstrapAUC(positive []bool, scores []float64, seed uint64) (Interval, error) {
	r, err := rank(positive, scores)
	if err != nil || len(scores) == 0 {
		return interval(nil), err
	}
	values, n := make([]float64, Resamples), len(scores)
	resample(func() func(k int) {
		times := make([]int, n)
		return func(k int) {
			clear(times)
			g := newGenerator(seed, k)
			for range n {
				times[r.place[g.below(uint32(n))]]++
			}
			auc, ok := r.area(times)
			if values[k] = auc; !ok {
				values[k] = math.NaN()
			}
		}
	})
	return interval(values), nil
}

// BootstrapMean draws in the same way; the statistic is the mean of per-example scores.
func BootstrapMean(scores []float64, seed uint64) Interval {
	return BootstrapMeans([][]float64{scores}, seed)[0]
}

// BootstrapMeans is BootstrapMean for the means of several metrics of the same examples.
func BootstrapMeans(metrics [][]float64, seed uint64) []Interval {
	intervals := make([]Interval, len(metrics))
	if len(metrics) == 0 || len(metrics[0]) == 0 {
		for m := range intervals {
			intervals[m] = interval(nil)
		}
		return intervals
	}
	n := len(metrics[0])
	counts, values := make([]*histogram, len(metrics)), make([][]float64, len(metrics))
	var drawn []int // the metrics that are drawn example by example
	for m, scores := range metrics {
		counts[m], values[m] = newHistogram(scores), make([]float64, Resamples)
		if counts[m] == nil {
			drawn = append(drawn, m)
		}
	}
	// Two of them at a time, side by side in memory.
	var pairs [][][2]float64
	for ; len(drawn) > 2*len(pairs); pairs = append(pairs, make([][2]float64, n)) {
	}
	for k, m := range drawn {
		for i, score := range metrics[m] {
			pairs[k/2][i][k%2] = score
		}
	}
	resample(func() func(k int) {
		return func(k int) {
			for m := range metrics {
				if counts[m] != nil {
					values[m][k] = counts[m].drawnMean(newGenerator(seed, k))
				}
			}
			for p, pair := range pairs {
				means := drawnMeans(pair, newGenerator(seed, k))
				for j, m := range drawn[2*p : min(2*p+2, len(drawn))] {
					values[m][k] = means[j]
				}
			}
		}
	})
	for m := range intervals {
		intervals[m] = interval(values[m])
	}
	return intervals
}

// drawnMeans draws as many examples as there are and returns the means of both scores. It adds up in four lanes: one sum would wait
// for itself.
func drawnMeans(scores [][2]float64, g generator) [2]float64 {
	const low = 1<<32 - 1
	n := uint64(len(scores))
	var a, b, c, d [2]float64
	i := 0
	for ; i+4 <= len(scores); i += 4 {
		x, y := g.uint64(), g.uint64() // two draws each, as below has them
		p, q := &scores[(x&low*n)>>32], &scores[(x>>32)*n>>32]
		r, s := &scores[(y&low*n)>>32], &scores[(y>>32)*n>>32]
		a[0], a[1] = a[0]+p[0], a[1]+p[1]
		b[0], b[1] = b[0]+q[0], b[1]+q[1]
		c[0], c[1] = c[0]+r[0], c[1]+r[1]
		d[0], d[1] = d[0]+s[0], d[1]+s[1]
	}
	for ; i < len(scores); i++ {
		p := &scores[g.below(uint32(n))]
		a[0], a[1] = a[0]+p[0], a[1]+p[1]
	}
	return [2]float64{(a[0] + b[0] + c[0] + d[0]) / float64(n), (a[1] + b[1] + c[1] + d[1]) / float64(n)}
}

// histogram is a metric of few different scores, such as VQA accuracy. How often each of them is drawn is multinomial, and
// that is a binomial number for one score after another: a few draws in place of one for every example.
type histogram struct {
	scores []float64
	counts []int
	n      int
}

// fewScores is how many different scores are few.
const fewScores = 16

// newHistogram is nil for more than fewScores different scores.
func newHistogram(all []float64) *histogram {
	h := &histogram{n: len(all)}
	for _, score := range all {
		at := slices.Index(h.scores, score)
		if at < 0 {
			if at = len(h.scores); at == fewScores || score != score {
				return nil
			}
			h.scores, h.counts = append(h.scores, score), append(h.counts, 0)
		}
		h.counts[at]++
	}
	return h
}

func (h *histogram) drawnMean(g generator) float64 {
	var sum float64
	left, examples := h.n, h.n // to draw, and to draw from
	for i, score := range h.scores {
		drawn := g.binomial(left, float64(h.counts[i])/float64(examples))
		sum += float64(drawn) * score
		left -= drawn
		examples -= h.counts[i]
	}
	return sum / float64(h.n)
}

// generator is splitmix64 (Steele, Lea and Flood 2014): its outputs do not wait for each other.
type generator struct {
	state, left uint64
	have        bool
}

// newGenerator is the generator of resample k.
func newGenerator(seed uint64, k int) generator {
	return generator{state: mix(seed) + mix(uint64(k)+1)<<1}
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

func (g *generator) uint64() uint64 {
	g.state += 0x9E3779B97F4A7C15
	return mix(g.state)
}

// below is a number below n, two of every output. It is uneven by less than n / 2^32.
func (g *generator) below(n uint32) uint32 {
	if g.have = !g.have; g.have {
		g.left = g.uint64()
	} else {
		g.left >>= 32
	}
	return uint32(g.left & (1<<32 - 1) * uint64(n) >> 32)
}

// binomial is how many of n draws have what a draw has with probability p, by inversion from the likeliest number outwards.
func (g *generator) binomial(n int, p float64) int {
	if n == 0 || p <= 0 {
		return 0
	}
	if p >= 1 {
		return n
	}
	mode := int(float64(n+1) * p)
	lgamma := func(k int) float64 { v, _ := math.Lgamma(float64(k + 1)); return v }
	up := math.Exp(lgamma(n) - lgamma(mode) - lgamma(n-mode) + float64(mode)*math.Log(p) + float64(n-mode)*math.Log1p(-p))
	u := float64(g.uint64()>>11) / (1 << 53)
	if u -= up; u < 0 {
		return mode
	}
	odds, down := p/(1-p), up
	for high, low := mode, mode; high < n || low > 0; {
		if high < n {
			high++
			up *= odds * float64(n-high+1) / float64(high)
			if u -= up; u < 0 {
				return high
			}
		}
		if low > 0 {
			low--
			down *= float64(low+1) / (odds * float64(n-low))
			if u -= down; u < 0 {
				return low
			}
		}
	}
	return mode // all is used up but for rounding
}

// resample calls a function for every resample, on all processors. Each makes a generator of its own, so that it does not
// matter which goroutine calls.
func resample(worker func() func(k int)) {
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			one := worker()
			for k := w; k < Resamples; k += workers {
				one(k)
			}
		}()
	}
	wg.Wait()
}

func interval(values []float64) Interval {
	values = slices.DeleteFunc(values, math.IsNaN)
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
