package lm

// The choice of a row's next token: the best, or a draw. Reads logits, writes ids.

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"mmc4/kernels"
)

var errNaN = errors.New("generate: the logits are NaN: the weights are damaged, or a number overflowed")

type sampler struct {
	o    *Sampling
	rngs []*rand.Rand // of each row
}

func newSampler(o *Sampling, rows int) *sampler {
	s := &sampler{o: o}
	if o != nil {
		for row := range rows {
			s.rngs = append(s.rngs, rand.New(rand.NewPCG(o.Seed, uint64(row))))
		}
	}
	return s
}

// next chooses a token for every row of logits [rows,V].
func (s *sampler) next(p *kernels.Pass, logits kernels.Tensor) ([]int32, error) {
	if s.o == nil {
		return p.Int32(p.ArgMax(logits))
	}
	values, err := p.Float32(logits)
	if err != nil {
		return nil, err
	}
	vocab := logits.Dim(-1)
	ids := make([]int32, len(s.rngs))
	for row, rng := range s.rngs {
		if ids[row], err = s.o.draw(values[row*vocab:(row+1)*vocab], rng.Float64()); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

type choice struct {
	id     int32
	weight float64
}

// draw takes a token by a number in [0,1): temperature, then the top k, then the fewest tokens that hold the share p.
func (o Sampling) draw(logits []float32, at float64) (int32, error) {
	temperature := o.Temperature
	if temperature <= 0 {
		temperature = 1
	}
	choices := make([]choice, len(logits))
	for i, v := range logits {
		if v != v {
			return 0, errNaN
		}
		choices[i] = choice{int32(i), float64(v) / temperature}
	}
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(b.weight, a.weight) })
	if o.TopK > 0 && o.TopK < len(choices) {
		choices = choices[:o.TopK]
	}
	top, total := choices[0].weight, 0.0
	for i := range choices {
		choices[i].weight = math.Exp(choices[i].weight - top)
		total += choices[i].weight
	}
	if o.TopP > 0 && o.TopP < 1 {
		held := 0.0
		for i, c := range choices {
			if held += c.weight; held >= o.TopP*total {
				choices, total = choices[:i+1], held
				break
			}
		}
	}
	rest := at * total
	for _, c := range choices {
		if rest -= c.weight; rest < 0 {
			return c.id, nil
		}
	}
	return choices[len(choices)-1].id, nil
}
