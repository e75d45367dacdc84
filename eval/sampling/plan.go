package sampling

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// ZeroShotTexts is how many demonstrations are shown, as text only, when there are to be none: open_flamingo follows
// Flamingo in telling the model the form of an answer that way.
const ZeroShotTexts = 2

// Effective is the number of demonstrations that a prompt holds.
func Effective(shots int) int {
	if shots == 0 {
		return ZeroShotTexts
	}
	return shots
}

// Options say how examples are chosen.
type Options struct {
	Shots   int    // 0: ZeroShotTexts, without their pictures
	Seed    uint64 // of the trial
	Samples int    // test examples, < 1 for all
	Pool    int    // how many training examples demonstrations come from, < 1 for all
	Fixed   bool   // all test examples are shown the same demonstrations
}

// ErrTooFew means that more demonstrations are to be shown than there are training examples.
var ErrTooFew = errors.New("there are fewer training examples to draw from")

// Plan is which test examples are run, in this order, and the training examples each of them is shown.
type Plan struct {
	Test           []int
	Demonstrations [][]int
}

// Independent draws the demonstrations of an example from the seed and the example's id alone: the same for any batch
// size, number of processes, order and number of samples (fixed ones: from the seed). Test examples stay in the order of their file.
func Independent(ids []string, training int, o Options) (Plan, error) {
	var p Plan
	for i := range ids {
		p.Test = append(p.Test, i)
	}
	if o.Samples > 0 && o.Samples < len(ids) {
		r := generator(o.Seed, "test")
		p.Test = append([]int(nil), r.Perm(len(ids))[:o.Samples]...)
		slices.Sort(p.Test)
	}
	pool := make([]int, training)
	for i := range pool {
		pool[i] = i
	}
	if o.Pool > 0 && o.Pool < training {
		pool = generator(o.Seed, "pool").Perm(training)[:o.Pool]
	}
	if o.Shots > len(pool) {
		return p, fmt.Errorf("%w: %d", ErrTooFew, len(pool))
	}
	k := min(Effective(o.Shots), len(pool))
	for _, i := range p.Test {
		purpose := "demonstrations of " + ids[i]
		if o.Fixed {
			purpose = "demonstrations"
		}
		r := generator(o.Seed, purpose)
		chosen := make([]int, 0, k)
		for len(chosen) < k {
			if one := pool[r.IntN(len(pool))]; !slices.Contains(chosen, one) {
				chosen = append(chosen, one)
			}
		}
		p.Demonstrations = append(p.Demonstrations, chosen)
	}
	return p, nil
}

// Order is the n-th order of k demonstrations, as places: the first (n 0) is the one they were drawn in. It depends on the seed and the
// example's id alone, or on the seed alone (id "").
func Order(seed uint64, id string, n, k int) []int {
	if n == 0 {
		order := make([]int, k)
		for i := range order {
			order[i] = i
		}
		return order
	}
	return generator(seed, fmt.Sprintf("order %d of %s", n, id)).Perm(k)
}

func generator(seed uint64, purpose string) *rand.Rand {
	h := sha256.Sum256(append(binary.LittleEndian.AppendUint64(nil, seed), purpose...))
	return rand.New(rand.NewPCG(binary.LittleEndian.Uint64(h[:]), binary.LittleEndian.Uint64(h[8:])))
}

// defaultPool is open_flamingo's query_set_size.
const defaultPool = 2048

// Upstream chooses as open_flamingo 2.0.1 does with one process: numpy draws the test examples and then the pool,
// PyTorch's sampler shuffles the test examples with seed 0, and Python draws the demonstrations of one example after the
// other. With random false (RICES) no pool is drawn and no demonstrations are chosen.
func Upstream(tests, training int, o Options, random bool) (Plan, error) {
	var p Plan
	n := NewNumpy(uint32(o.Seed))
	samples := o.Samples
	if samples < 1 {
		samples = tests
	}
	subset, err := n.Choice(tests, samples)
	if err != nil {
		return p, err
	}
	for _, i := range TorchPermutation(samples, 0) {
		p.Test = append(p.Test, subset[i])
	}
	if !random {
		return p, nil
	}
	size := o.Pool
	if size < 1 {
		size = defaultPool
	}
	pool, err := n.Choice(training, size)
	if err != nil {
		return p, err
	}
	python := NewPython(o.Seed)
	for range p.Test {
		chosen, err := python.Sample(len(pool), Effective(o.Shots))
		if err != nil {
			return p, err
		}
		for k, i := range chosen {
			chosen[k] = pool[i]
		}
		p.Demonstrations = append(p.Demonstrations, chosen)
	}
	return p, nil
}

// Nearest are the k training examples most like a query by the dot product of their unit features, the most similar one
// last (RICES, Yang et al. 2022).
func Nearest(query []float32, training [][]float32, k int) []int {
	type candidate struct {
		index      int
		similarity float32
	}
	all := make([]candidate, len(training))
	for i, t := range training {
		var dot float32
		for d, x := range t {
			dot += x * query[d]
		}
		all[i] = candidate{i, dot}
	}
	slices.SortStableFunc(all, func(a, b candidate) int { return cmp.Compare(b.similarity, a.similarity) })
	k = min(k, len(all))
	out := make([]int, k)
	for i := range out {
		out[i] = all[k-1-i].index
	}
	return out
}
