package sampling

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

func names(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprint("q", i)
	}
	return out
}

func TestIndependent(t *testing.T) {
	draw := func(n, training int, o Options) Plan {
		p, err := Independent(names(n), training, o)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	all := draw(100, 50, Options{Shots: 4, Seed: 3})
	some := draw(100, 50, Options{Shots: 4, Seed: 3, Samples: 10})
	if len(all.Test) != 100 || len(some.Test) != 10 || !slices.IsSorted(some.Test) {
		t.Fatalf("%d and %d test examples", len(all.Test), len(some.Test))
	}
	for k, i := range some.Test {
		if !slices.Equal(some.Demonstrations[k], all.Demonstrations[i]) {
			t.Errorf("the demonstrations of example %d depend on the others", i)
		}
	}
	other := draw(100, 50, Options{Shots: 4, Seed: 4})
	same := 0
	for i := range other.Demonstrations {
		d := slices.Clone(other.Demonstrations[i])
		slices.Sort(d)
		if len(slices.Compact(d)) != 4 {
			t.Errorf("example %d has a demonstration twice", i)
		}
		if slices.Equal(other.Demonstrations[i], all.Demonstrations[i]) {
			same++
		}
	}
	if same > 5 {
		t.Errorf("another seed gave the same demonstrations for %d examples", same)
	}
	if _, err := Independent(names(3), 3, Options{Shots: 4}); !errors.Is(err, ErrTooFew) {
		t.Errorf("4 demonstrations of 3 examples: %v", err)
	}
	if got := draw(3, 9, Options{}); len(got.Demonstrations[0]) != ZeroShotTexts {
		t.Errorf("no shots show %d texts", len(got.Demonstrations[0]))
	}
}

func TestUpstream(t *testing.T) {
	p, err := Upstream(100, 4000, Options{Shots: 4, Seed: 42, Samples: 20}, true)
	if err != nil || len(p.Test) != 20 || len(p.Demonstrations) != 20 {
		t.Fatal(err)
	}
	if _, err := Upstream(10, 100, Options{Shots: 4, Seed: 42}, true); err == nil {
		t.Error("a pool of 2048 was drawn from 100 examples")
	}
	p, err = Upstream(10, 100, Options{Shots: 4, Seed: 42}, false)
	if err != nil || p.Demonstrations != nil {
		t.Errorf("RICES drew demonstrations: %v, %v", p.Demonstrations, err)
	}
}

func TestNearest(t *testing.T) {
	got := Nearest([]float32{1, 0}, [][]float32{{0, 1}, {1, 0}, {0.8, 0.6}, {0.6, 0.8}}, 3)
	if !slices.Equal(got, []int{3, 2, 1}) {
		t.Errorf("got %v, want the most similar last", got)
	}
}

// Orders are permutations that depend on seed, id and number only.
func TestOrder(t *testing.T) {
	if got := Order(7, "a", 0, 4); !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("the first order is %v", got)
	}
	seen := map[string]bool{}
	for n := range 6 {
		got := Order(7, "a", n, 8)
		if again := Order(7, "a", n, 8); !slices.Equal(got, again) {
			t.Errorf("order %d is %v and %v", n, got, again)
		}
		seen[fmt.Sprint(got)] = true
		slices.Sort(got)
		if !slices.Equal(got, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
			t.Errorf("order %d is no permutation", n)
		}
	}
	if len(seen) != 6 || slices.Equal(Order(7, "a", 1, 8), Order(7, "b", 1, 8)) || slices.Equal(Order(7, "a", 1, 8), Order(8, "a", 1, 8)) {
		t.Errorf("orders repeat: %v", seen)
	}
}
