package imaging

// The weights of Pillow's resampling (its src/libImaging/Resample.c tells the rules): antialiased, in fixed point.

import (
	"math"
	"slices"
	"sync"
)

// Filter is a resampling filter, with Pillow's meaning.
type Filter int

// Pillow's filters.
const (
	Nearest Filter = iota
	Box
	Bilinear
	Hamming
	Bicubic // a = -0.5
	Lanczos // 3 lobes
)

// String is Pillow's name of the filter in lower case.
func (f Filter) String() string {
	return [...]string{"nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"}[f]
}

// precision is the number of fraction bits of a weight: 32 bits less 8 of the pixel and 2 for sums above 1.
const precision = 32 - 8 - 2

// support is the radius within which the kernel is not zero, in pixels of the smaller picture.
func (f Filter) support() float64 {
	return [...]float64{0, 0.5, 1, 1, 2, 3}[f]
}

// The Hamming window's constants, which Pillow has in single precision.
var hamming0, hamming1 = float64(float32(0.54)), float64(float32(0.46))

func (f Filter) kernel(x float64) float64 {
	switch f {
	case Box:
		if x > -0.5 && x <= 0.5 {
			return 1
		}
	case Bilinear:
		if x = math.Abs(x); x < 1 {
			return 1 - x
		}
	case Hamming:
		x = math.Abs(x)
		if x == 0 {
			return 1
		}
		if x < 1 {
			x *= math.Pi
			return math.Sin(x) / x * float64(hamming0+float64(hamming1*math.Cos(x)))
		}
	case Bicubic:
		const a = -0.5
		x = math.Abs(x)
		if x < 1 {
			return float64(float64(float64(float64((a+2)*x)-(a+3))*x)*x) + 1
		}
		if x < 2 {
			return float64(float64(float64(float64(x-5)*x)+8)*x-4) * a
		}
	case Lanczos:
		if x >= -3 && x < 3 {
			return sinc(x) * sinc(x/3)
		}
	}
	return 0
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

// weights tells, for every output position, which inputs make it and how much of each.
type weights struct {
	taps   int     // places for weights of one output
	first  []int32 // first input of an output
	count  []int32 // inputs of an output
	values []int32 // taps weights an output, in fixed point; after count they are 0
}

// weightsOf gives the wanted outputs' weights, which are not to be changed: pictures of one shape share them. Two sines a weight
// take as long as using it some hundred times.
func weightsOf(s stretch, f Filter) *weights {
	key := shape{s, f}
	lately.Lock()
	w := lately.known[key]
	lately.Unlock()
	if w != nil {
		return w
	}
	w = newWeights(s, f)
	if len(w.values) <= maxKnownValues {
		lately.Lock()
		if len(lately.known) >= maxKnown {
			clear(lately.known) // shapes that are met often are soon back
		}
		lately.known[key] = w
		lately.Unlock()
	}
	return w
}

type shape struct {
	stretch
	Filter
}

// lately are the weights of shapes that were met lately; at most 16 MiB.
var lately = struct {
	sync.Mutex
	known map[shape]*weights
}{known: map[shape]*weights{}}

const (
	maxKnown       = 128
	maxKnownValues = 1 << 15
)

// from gives the weights for inputs of which the first few are cut off.
func (w *weights) from(cut int) *weights {
	if cut == 0 {
		return w
	}
	out := *w
	out.first = slices.Clone(w.first)
	for i := range out.first {
		out.first[i] -= int32(cut)
	}
	return &out
}

// newWeights computes the wanted outputs' weights.
func newWeights(s stretch, f Filter) *weights {
	exact := newWeights64(s, f)
	w := &weights{exact.taps, exact.first, make([]int32, s.count), make([]int32, s.count*exact.taps)}
	if s.mirrored {
		slices.Reverse(exact.first)
		slices.Reverse(exact.values)
	}
	for out, row := range exact.values {
		w.count[out] = int32(len(row))
		for i, v := range row {
			half := 0.5
			if v < 0 {
				half = -0.5
			}
			w.values[out*w.taps+i] = int32(half + float64(v*(1<<precision)))
		}
	}
	return w
}

// span tells which inputs are used: first up to, not including, last.
func (w *weights) span() (first, last int) {
	one, other := 0, len(w.first)-1 // mirrored, the last come first
	return int(min(w.first[one], w.first[other])), int(max(w.first[one]+w.count[one], w.first[other]+w.count[other]))
}

// weights64 is weights before the conversion to fixed point.
type weights64 struct {
	taps   int
	first  []int32
	values [][]float64 // at most taps for each output
}

func newWeights64(s stretch, f Filter) *weights64 {
	scale := float64(s.in1-s.in0) / float64(s.size)
	widen := max(scale, 1) // antialiasing: the kernel grows with the scale when shrinking
	support := float64(f.support() * widen)
	inverse := 1 / widen
	w := &weights64{int(math.Ceil(support))*2 + 1, make([]int32, s.count), make([][]float64, s.count)}
	all := make([]float64, s.count*w.taps)
	for i := range s.count {
		center := float64(s.in0) + float64((float64(s.from+i)+0.5)*scale)
		first := max(int(float64(center-support)+0.5), 0)
		count := max(min(int(float64(center+support)+0.5), s.inputs)-first, 0)
		row := all[i*w.taps:][:count]
		sum := 0.0
		for x := range row {
			row[x] = f.kernel(float64(float64(float64(x+first)-center)+0.5) * inverse)
			sum += row[x]
		}
		if sum != 0 {
			for x := range row {
				row[x] /= sum
			}
		}
		w.first[i], w.values[i] = int32(first), row
	}
	return w
}
