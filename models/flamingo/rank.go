package flamingo

// Classification by log-probability: how likely is each candidate as what follows a prompt?

import (
	"context"
	"errors"
	"fmt"

	"mmc4/kernels"
	"mmc4/models/lm"
)

// Ranking says how candidates are scored.
type Ranking struct {
	// Mean divides a candidate's log-probability by its number of tokens.
	Mean bool
	// Upstream does what open_flamingo's evaluation does: after the prompt no mask is passed, so that padding on the left is
	// seen from a candidate's second token on, and positions count it. Without it Rank equals RankFull.
	Upstream bool
}

// maxLogits bounds the logits that are computed at once, in elements.
const maxLogits = 16 << 20

// Rank gives the log-probability [B][candidates] of every candidate after every prompt. The prompts are read once; the
// candidates go on from there, many at a time. The media are of the same pass, which is reset.
func (m *Model) Rank(ctx context.Context, p *kernels.Pass, prompt lm.Prompt, media *Media, candidates [][]int32, o Ranking) ([][]float64, error) {
	longest, err := checkCandidates(p, prompt, media, candidates)
	if err != nil {
		return nil, err
	}
	kept, err := m.Keep(p, media)
	if err != nil {
		return nil, err
	}
	defer kept.Free()
	rows, length := prompt.Rows, len(prompt.IDs)/prompt.Rows
	cache, err := m.LM.NewCache(p.Device(), rows, length, p.DType)
	if err != nil {
		return nil, err
	}
	defer cache.Free()
	defer p.Wait()

	p.Reset()
	if err := cache.Begin(p, prompt); err != nil {
		return nil, err
	}
	times := kept.times(prompt, m.Config.Media)
	hidden := m.LM.Hidden(p, lm.Input{IDs: prompt.Unread(prompt.IDs), Rows: rows, Mask: prompt.Mask, Counted: !o.Upstream, Cache: cache,
		Before: m.before(p, kept, prompt.Unread(times), rows, 1)})
	last := p.Contiguous(hidden.Slice(1, hidden.Dims[1]-1, hidden.Dims[1])).Reshape(rows, m.Config.LM.Width)
	first, err := p.Float32(p.LogSoftmax(m.LM.Logits(p, last)))
	if err != nil {
		return nil, err
	}
	scores := make([][]float64, rows)
	for row := range scores {
		scores[row] = make([]float64, len(candidates))
		for j, c := range candidates {
			scores[row][j] = float64(first[row*m.Config.LM.Vocab+int(c[0])])
		}
	}
	atOnce := max(1, maxLogits/(rows*max(longest-1, 1)*m.Config.LM.Vocab))
	var rest []int // candidates of more than one token
	for j, c := range candidates {
		if len(c) > 1 {
			rest = append(rest, j)
		}
	}
	r := &ranking{m: m, p: p, prompt: prompt, kept: kept, cache: cache, last: counts(times, rows), o: o}
	for len(rest) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		now := rest[:min(len(rest), atOnce)]
		rest = rest[len(now):]
		if err := r.add(scores, candidates, now); err != nil {
			return nil, err
		}
	}
	if o.Mean {
		for row := range scores {
			for j, c := range candidates {
				scores[row][j] /= float64(len(c))
			}
		}
	}
	return scores, nil
}

// ranking is one call of Rank, after the prompt.
type ranking struct {
	m      *Model
	p      *kernels.Pass
	prompt lm.Prompt
	kept   *Memory
	cache  *lm.Cache
	last   []int32
	o      Ranking
}

// add reads some candidates behind every prompt and adds the log-probabilities of their second and later tokens.
func (r *ranking) add(scores [][]float64, candidates [][]int32, now []int) error {
	rows, n, length, steps := r.prompt.Rows, len(now), len(r.prompt.IDs)/r.prompt.Rows, 0
	for _, j := range now {
		steps = max(steps, len(candidates[j])-1)
	}
	cache, err := r.m.LM.NewCache(r.p.Device(), rows*n, length+steps, r.p.DType)
	if err != nil {
		return err
	}
	defer cache.Free()
	defer r.p.Wait()
	r.p.Reset()
	r.cache.Repeat(r.p, cache, n)
	in := lm.Input{Rows: rows * n, IDs: make([]int32, rows*n*steps), Counted: !r.o.Upstream, Cache: cache}
	times := make([]int32, len(in.IDs))
	for i := range times {
		times[i] = r.last[i/(n*steps)]
	}
	for row := range rows {
		for k, j := range now {
			copy(in.IDs[(row*n+k)*steps:(row*n+k+1)*steps], candidates[j])
		}
	}
	if r.prompt.Mask != nil && !r.o.Upstream {
		in.Mask = make([]byte, rows*n*(length+steps))
		for i := range in.Mask {
			in.Mask[i] = 1
		}
		for i := range rows * n {
			copy(in.Mask[i*(length+steps):], r.prompt.Mask[i/n*length:][:length])
		}
	}
	in.Before = r.m.before(r.p, r.kept, times, rows*n, n)
	logp, err := r.p.Float32(r.p.LogSoftmax(r.m.LM.Logits(r.p, r.m.LM.Hidden(r.p, in))))
	if err != nil {
		return err
	}
	for row := range rows {
		for k, j := range now {
			for t, id := range candidates[j][1:] {
				scores[row][j] += float64(logp[((row*n+k)*steps+t)*r.m.Config.LM.Vocab+int(id)])
			}
		}
	}
	return nil
}

// RankFull is Rank without any cache: a forward pass of prompt and candidate, with the mask, for each. Slow, and what Rank is
// tested against.
func (m *Model) RankFull(ctx context.Context, p *kernels.Pass, prompt lm.Prompt, see func() *Media, candidates [][]int32, o Ranking) ([][]float64, error) {
	scores := make([][]float64, prompt.Rows)
	length := len(prompt.IDs) / max(prompt.Rows, 1)
	for j, c := range candidates {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.Reset()
		media := see()
		if _, err := checkCandidates(p, prompt, media, candidates); err != nil {
			return nil, err
		}
		all := length + len(c)
		in := lm.Input{Rows: prompt.Rows, Counted: !o.Upstream}
		for row := range prompt.Rows {
			in.IDs = append(append(in.IDs, prompt.IDs[row*length:(row+1)*length]...), c...)
			if prompt.Mask != nil {
				in.Mask = append(in.Mask, prompt.Mask[row*length:(row+1)*length]...)
				for range c {
					in.Mask = append(in.Mask, 1)
				}
			}
		}
		logp, err := p.Float32(p.LogSoftmax(m.Logits(p, m.Hidden(p, in, media, nil))))
		if err != nil {
			return nil, err
		}
		for row := range prompt.Rows {
			sum := 0.0
			for t, id := range c {
				sum += float64(logp[(row*all+length-1+t)*m.Config.LM.Vocab+int(id)])
			}
			if o.Mean {
				sum /= float64(len(c))
			}
			if j == 0 {
				scores[row] = make([]float64, len(candidates))
			}
			scores[row][j] = sum
		}
	}
	return scores, nil
}

// checkCandidates gives the length of the longest.
func checkCandidates(p *kernels.Pass, prompt lm.Prompt, media *Media, candidates [][]int32) (longest int, err error) {
	if p.PassOptions.Grad {
		return 0, errors.New("flamingo: ranking: the pass keeps a tape")
	}
	if err := checkPrompt(prompt, media.Rows); err != nil {
		return 0, err
	}
	for j, c := range candidates {
		if len(c) == 0 {
			return 0, fmt.Errorf("flamingo: ranking: candidate %d has no tokens", j)
		}
		longest = max(longest, len(c))
	}
	return longest, nil
}
