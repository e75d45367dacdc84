package metric

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"mmc4/internal/imaging"
)

func TestAUC(t *testing.T) {
	for _, c := range []struct {
		positive []bool
		scores   []float64
		want     float64
		ok       bool
	}{
		{[]bool{false, true}, []float64{0, 1}, 1, true},
		{[]bool{false, true}, []float64{1, 0}, 0, true},
		{[]bool{false, true}, []float64{1, 1}, 0.5, true},
		{[]bool{true, true}, []float64{1, 0}, 0, false},
		{nil, nil, 0, false},
		{[]bool{false, true, false, true}, []float64{1, 1, 2, 3}, 0.625, true},
	} {
		got, ok, err := AUC(c.positive, c.scores)
		if err != nil || ok != c.ok || got != c.want {
			t.Errorf("AUC(%v, %v) = %v, %v, %v", c.positive, c.scores, got, ok, err)
		}
	}
	if _, _, err := AUC([]bool{true}, []float64{math.NaN()}); err == nil {
		t.Error("NaN was ranked")
	}
}

// The naive form: every pair.
func TestAUCPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	for range 50 {
		n := 2 + r.IntN(40)
		positive, scores := make([]bool, n), make([]float64, n)
		for i := range n {
			positive[i], scores[i] = r.IntN(2) == 0, float64(r.IntN(6))
		}
		var wins, pairs float64
		for i := range n {
			for j := range n {
				if positive[i] && !positive[j] {
					pairs++
					if scores[i] > scores[j] {
						wins++
					} else if scores[i] == scores[j] {
						wins += 0.5
					}
				}
			}
		}
		got, ok, _ := AUC(positive, scores)
		if ok != (pairs > 0) || ok && math.Abs(got-wins/pairs) > 1e-15 {
			t.Fatalf("got %v, want %v", got, wins/pairs)
		}
	}
}

func TestBootstrap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	scores := make([]float64, 400)
	for i := range scores {
		scores[i] = r.NormFloat64()
	}
	got := BootstrapMean(scores, 1)
	if got != BootstrapMean(scores, 1) {
		t.Error("the same seed gave another interval")
	}
	mean, deviation := MeanDeviation(scores)
	half := 1.96 * deviation / 20 // the normal interval of 400 examples
	if math.Abs(got.Low-(mean-half)) > half/4 || math.Abs(got.High-(mean+half)) > half/4 {
		t.Errorf("got %v, the normal interval is %v..%v", got, mean-half, mean+half)
	}
}

// TestBootstrapAUC compares with drawing examples and asking for their AUC.
func TestBootstrapAUC(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	positive, scores := make([]bool, 50), make([]float64, 50)
	for i := range scores {
		positive[i], scores[i] = r.IntN(12) == 0, float64(r.IntN(9))
	}
	var plain []float64
	for k := range Resamples {
		g := newGenerator(5, k)
		p, s := make([]bool, len(scores)), make([]float64, len(scores))
		for i := range s {
			drawn := g.below(uint32(len(scores)))
			p[i], s[i] = positive[drawn], scores[drawn]
		}
		if auc, ok, _ := AUC(p, s); ok {
			plain = append(plain, auc)
		}
	}
	if got, err := BootstrapAUC(positive, scores, 5); err != nil || got != interval(plain) || len(plain) == Resamples {
		t.Errorf("got %v, %v; want that of %d draws, %v", got, err, len(plain), interval(plain))
	}
}

// TestBootstrapOfFewScores compares the draws of a metric of few scores with the normal interval, and several metrics at
// once with each alone.
func TestBootstrapOfFewScores(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	few, many := make([]float64, 3000), make([]float64, 3000)
	for i := range few {
		few[i], many[i] = float64(min(3, r.IntN(6)))/3, r.Float64()
	}
	got := BootstrapMeans([][]float64{few, many}, 7)
	for i, scores := range [][]float64{few, many} {
		if got[i] != BootstrapMean(scores, 7) {
			t.Errorf("metric %d has another interval alone", i)
		}
		mean, deviation := MeanDeviation(scores)
		half := 1.96 * deviation / math.Sqrt(3000)
		if math.Abs(got[i].Low-(mean-half)) > half/5 || math.Abs(got[i].High-(mean+half)) > half/5 {
			t.Errorf("metric %d: got %v, the normal interval is %v..%v", i, got[i], mean-half, mean+half)
		}
	}
	if got := BootstrapMean([]float64{2, 2, 2}, 1); got != (Interval{2, 2}) {
		t.Errorf("equal scores: %v", got)
	}
	if got := BootstrapMean(nil, 1); !math.IsNaN(got.Low) {
		t.Errorf("no scores: %v", got)
	}
}

func TestBinomial(t *testing.T) {
	for _, c := range []struct {
		n int
		p float64
	}{{1, 0.5}, {10, 0.01}, {1000, 0.3}, {30000, 0.999}} {
		g := newGenerator(3, c.n)
		var sum, squares float64
		const rounds = 20000
		for range rounds {
			x := float64(g.binomial(c.n, c.p))
			sum, squares = sum+x, squares+x*x
		}
		mean, variance := sum/rounds, squares/rounds-sum/rounds*(sum/rounds)
		want := float64(c.n) * c.p * (1 - c.p)
		if math.Abs(mean-float64(c.n)*c.p) > 5*math.Sqrt(want/rounds) || math.Abs(variance/want-1) > 0.1 {
			t.Errorf("binomial(%d, %g) has mean %g and variance %g", c.n, c.p, mean, variance)
		}
	}
}

type fakeCLIP struct{}

func (fakeCLIP) EncodeImages(_ context.Context, images []*imaging.RGB) ([][]float32, error) {
	return [][]float32{{1, 0}, {1, 0}}, nil
}

func (fakeCLIP) EncodeTexts(_ context.Context, texts []string) ([][]float32, error) {
	return [][]float32{{0.6, 0.8}, {-1, 0}}, nil
}

func TestCLIPScore(t *testing.T) {
	got, err := CLIPScore(context.Background(), fakeCLIP{}, make([]*imaging.RGB, 2), []string{"a", "b"})
	if err != nil || math.Abs(got[0]-1.5) > 1e-6 || got[1] != 0 {
		t.Errorf("got %v, %v", got, err)
	}
}
