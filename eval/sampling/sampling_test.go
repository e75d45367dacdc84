package sampling

import (
	"fmt"
	"slices"
	"testing"
)

// Drawn by numpy, Python 3.11 and PyTorch 2.5.1.
func TestLibraries(t *testing.T) {
	same := func(what string, got, want []int) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", what, got, want)
		}
	}
	n := NewNumpy(42)
	same("numpy permutation", n.Permutation(10), []int{8, 1, 5, 0, 7, 2, 9, 4, 3, 6})
	got, _ := n.Choice(1000, 5)
	same("numpy choice", got, []int{629, 788, 684, 516, 529})
	got, _ = n.Choice(70000, 4)
	same("numpy large choice", got, []int{5970, 2399, 42867, 20537})

	p := NewPython(42)
	for _, c := range []struct {
		n, k int
		want []int
	}{
		{20, 4, []int{3, 0, 8, 7}},
		{2048, 8, []int{914, 571, 419, 356, 1728, 130, 122, 383}},
		{2048, 32, []int{895, 952, 108, 814, 1718, 902, 1839, 1139, 26, 653, 1731, 1393, 1138, 636, 881, 1378, 418, 379, 1556, 396, 1470, 1408, 1083, 177, 1881, 511, 1550, 322, 1200, 1481, 787, 284}},
		{100, 16, []int{5, 84, 29, 98, 37, 10, 12, 48, 35, 58, 81, 46, 20, 47, 45, 26}},
	} {
		got, _ := p.Sample(c.n, c.k)
		same(fmt.Sprintf("python sample of %d", c.n), got, c.want)
	}
	l := []int{0, 1, 2, 3, 4, 5}
	p.Shuffle(len(l), func(i, j int) { l[i], l[j] = l[j], l[i] })
	same("python shuffle", l, []int{1, 3, 4, 0, 2, 5})
	got, _ = NewPython(1<<40+5).Sample(2048, 4)
	same("python large seed", got, []int{1100, 112, 190, 677})
	same("torch", TorchPermutation(10, 0), []int{4, 1, 7, 5, 3, 9, 0, 8, 6, 2})
	same("torch 1000", TorchPermutation(1000, 0)[:12], []int{44, 37, 675, 775, 947, 209, 719, 500, 561, 264, 261, 825})

	if _, err := n.Choice(3, 4); err == nil {
		t.Error("chose 4 of 3")
	}
	if _, err := p.Sample(3, 4); err == nil {
		t.Error("sampled 4 of 3")
	}
}
