package lm

// Beam search as transformers 4.33.3 does it (BeamSearchScorer, early_stopping False).

import (
	"cmp"
	"context"
	"math"
	"slices"
)

// candidate is one way to go on: a token after a beam.
type candidate struct {
	score float64
	beam  int // within the row
	token int32
}

// hypothesis is a finished continuation.
type hypothesis struct {
	score  float64
	tokens []int32
	ended  bool
	end    int32 // what ended it
}

// hypotheses keeps the best finished ones of a row.
type hypotheses struct {
	kept  []hypothesis // in the order they came
	worst float64
	done  bool
}

// add keeps a hypothesis if it is among the best n.
func (h *hypotheses) add(one hypothesis, n int) {
	if len(h.kept) >= n && !(one.score > h.worst) {
		return
	}
	h.kept = append(h.kept, one)
	if len(h.kept) <= n {
		h.worst = min(h.worst, one.score)
		return
	}
	least := 0
	for i, k := range h.kept {
		if k.score < h.kept[least].score {
			least = i
		}
	}
	h.kept = slices.Delete(h.kept, least, least+1)
	h.worst = math.Inf(1)
	for _, k := range h.kept {
		h.worst = min(h.worst, k.score)
	}
}

// best is the one with the highest score; of equal ones the last.
func (h *hypotheses) best() hypothesis {
	b := h.kept[0]
	for _, k := range h.kept[1:] {
		if k.score >= b.score {
			b = k
		}
	}
	return b
}

// score is a sum of log-probabilities over a length.
func (d *decoder) score(sum float64, length int) float64 {
	return sum / math.Pow(float64(length), d.o.LengthPenalty)
}

// beams is beam search.
func (d *decoder) beams(ctx context.Context) ([]Continuation, error) {
	n, rows, vocab := d.o.Beams, d.prompt.Rows, d.m.Config.Vocab
	logits, err := d.begin(n)
	if err != nil {
		return nil, err
	}
	// A beam that is not there yet has the score that transformers gives it.
	const never = -1e9
	sums := make([]float64, rows*n)
	tokens := make([][]int32, rows*n)
	for i := range sums {
		if i%n > 0 {
			sums[i] = never
		}
	}
	found := make([]hypotheses, rows)
	for i := range found {
		found[i].worst = 1e9
	}
	for step := 0; ; step++ {
		logp, err := d.p.Float32(d.p.LogSoftmax(logits))
		if err != nil {
			return nil, err
		}
		shared := len(logp) == rows*vocab // the prompt's: one row for all beams
		next, from := make([]int32, rows*n), make([]int, rows*n)
		open := 0
		for row := range rows {
			h := &found[row]
			if h.done {
				for j := range n {
					next[row*n+j], from[row*n+j], sums[row*n+j] = int32(d.o.Pad), row*n+j, 0
				}
				continue
			}
			of := func(beam int) []float32 {
				i := row*n + beam
				if shared {
					i = row
				}
				return logp[i*vocab : (i+1)*vocab]
			}
			top, err := topCandidates(of, sums[row*n:(row+1)*n], max(2, 2+len(d.o.Ends))*n)
			if err != nil {
				return nil, err
			}
			d.advance(h, row, top, step, next, from, sums, tokens)
			if !h.done {
				open++
			}
		}
		tokens = follow(tokens, next, from)
		if open == 0 || step+1 == d.o.MaxNew {
			break
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d.p.Reset()
		d.cache.Select(d.p, from, d.length)
		logits = d.read(next, rows*n, n, false)
	}
	out := make([]Continuation, rows)
	for row := range out {
		h := &found[row]
		for j := 0; j < n && !h.done; j++ {
			i := row*n + j
			h.add(hypothesis{score: d.score(sums[i], d.length+len(tokens[i])), tokens: tokens[i]}, n)
		}
		b := h.best()
		out[row] = Continuation{Tokens: b.tokens, Ended: b.ended, Score: b.score}
		if b.ended {
			out[row].Tokens = append(slices.Clip(b.tokens), b.end)
		}
	}
	return out, nil
}

// advance sorts a row's candidates into finished hypotheses and the next beams.
func (d *decoder) advance(h *hypotheses, row int, top []candidate, step int, next []int32, from []int, sums []float64, tokens [][]int32) {
	n, beam := d.o.Beams, 0
	for rank, c := range top {
		if d.o.ends(c.token) {
			if rank < n {
				h.add(hypothesis{score: d.score(c.score, d.length+step), tokens: tokens[row*n+c.beam], ended: true, end: c.token}, n)
			}
			continue
		}
		i := row*n + beam
		next[i], from[i], sums[i] = c.token, row*n+c.beam, c.score
		if beam++; beam == n {
			break
		}
	}
	if len(h.kept) >= n {
		h.done = d.o.EarlyStopping || h.worst >= d.score(top[0].score, d.length+step+1)
	}
}

// follow gives every beam the tokens of the one it continues, and its next.
func follow(tokens [][]int32, next []int32, from []int) [][]int32 {
	out := make([][]int32, len(tokens))
	for i, source := range from {
		out[i] = append(slices.Clip(tokens[source]), next[i])
	}
	return out
}

// topCandidates are the k best tokens over all beams of a row, the best first; of equal ones the earlier beam and token.
func topCandidates(logp func(beam int) []float32, sums []float64, k int) ([]candidate, error) {
	top := make([]candidate, 0, k+1)
	worse := func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.beam, b.beam), cmp.Compare(a.token, b.token))
	}
	for beam, sum := range sums {
		for token, lp := range logp(beam) {
			if lp != lp {
				return nil, errNaN
			}
			score := sum + float64(lp)
			if len(top) == k && score <= top[k-1].score {
				continue
			}
			c := candidate{score, beam, int32(token)}
			at, _ := slices.BinarySearchFunc(top, c, worse)
			top = slices.Insert(top, at, c)
			if len(top) > k {
				top = top[:k]
			}
		}
	}
	return top, nil
}
