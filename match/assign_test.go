package match

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestAssign(t *testing.T) {
	for _, c := range []struct {
		what string
		sim  [][]float32
		want []int
	}{
		{"no image", nil, []int{}},
		// The sample in MMC4's README: arg-max would give sentence 1 to both images.
		{"README", [][]float32{{0.24363446, 0.31758785, 0.27694184}, {0.22331068, 0.32349196, 0.26118797}}, []int{2, 1}},
		{"one sentence", [][]float32{{0.1}, {0.3}, {0.2}}, []int{0, 0, 0}},
		{"a leftover goes to its arg-max", [][]float32{{0.9, 0.1}, {0.8, 0.2}, {0.3, 0.7}}, []int{0, 0, 1}},
		{"the first of equals", [][]float32{{0.9, 0.1}, {0.5, 0.5}, {0.1, 0.9}}, []int{0, 0, 1}},
	} {
		got, err := Assign(c.sim)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", c.what, got, err, c.want)
		}
	}
}

func TestAssignRefusesBadMatrices(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, sim := range [][][]float32{{{}}, {{}, {}}, {{1, 2}, {1}}, {{1, 2}, nil}, {{1, nan}}, {{inf, 1}}, {{-inf, 1}}} {
		if got, err := Assign(sim); err == nil {
			t.Errorf("%v: %v", sim, got)
		}
	}
}

func TestAssignKeepsItsInput(t *testing.T) {
	rng := rand.New(rand.NewPCG(17, 18))
	for range 50 {
		sim := similarityRows(rng, 1+rng.IntN(12), 1+rng.IntN(12))
		before := make([][]float32, len(sim))
		for i := range sim {
			before[i] = slices.Clone(sim[i])
		}
		got, err := Assign(sim)
		if err != nil {
			t.Fatal(err)
		}
		taken := make([]int, len(sim[0]))
		for i, j := range got {
			taken[j]++
			if !slices.Equal(sim[i], before[i]) {
				t.Fatal("the matrix was changed")
			}
		}
		if len(sim) <= len(taken) && slices.Max(taken) > 1 {
			t.Fatalf("a sentence was given twice: %v", got)
		}
		if len(sim) >= len(taken) && slices.Min(taken) == 0 {
			t.Fatalf("a sentence was left out: %v", got)
		}
	}
}

func TestSimilarity(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 20))
	vectors := func(n, d int) [][]float32 {
		rows := make([][]float32, n)
		for i := range rows {
			for range d {
				rows[i] = append(rows[i], float32(rng.NormFloat64()))
			}
		}
		return rows
	}
	for _, d := range []int{1, 3, 4, 7, 512} {
		images, sentences := vectors(5, d), vectors(3, d)
		got, err := Similarity(images, sentences)
		if err != nil {
			t.Fatal(err)
		}
		for i := range images {
			for j := range sentences {
				var want float64
				for k := range d {
					want += float64(images[i][k]) * float64(sentences[j][k])
				}
				if math.Abs(float64(got[i][j])-want) > 1e-6*(1+math.Abs(want)) {
					t.Errorf("%d features: [%d][%d] = %v, want %v", d, i, j, got[i][j], want)
				}
			}
		}
	}
	if _, err := Similarity([][]float32{{1, 2}}, [][]float32{{1}}); err == nil {
		t.Error("features of two models were compared")
	}
	if got, err := Similarity(nil, vectors(2, 3)); err != nil || len(got) != 0 {
		t.Error(got, err)
	}
}

func TestBest(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		row  []float32
		want int
	}{{nil, -1}, {[]float32{nan}, -1}, {[]float32{nan, -2, nan}, 1}, {[]float32{1, 3, 3, 2}, 1}, {[]float32{-1}, 0}} {
		got, value := Best(c.row)
		if got != c.want || got >= 0 && value != c.row[got] || got < 0 && value == value {
			t.Errorf("%v: %d, %v", c.row, got, value)
		}
	}
}
