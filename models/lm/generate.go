package lm

// Decoding: greedy, sampling and beams over prompts that are padded on the left. A prompt is read once, whatever the number
// of beams; every further step reads one token a row.

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mmc4/kernels"
)

// Prompt is what is to be continued.
type Prompt struct {
	IDs  []int32 // [B,T], padded on the left
	Rows int     // B
	Mask []byte  // [B,T], 0: padding; nil: none
	// Prefixes are what rows are known to begin with, nil for a row without one; nil: none. See Prefix.
	Prefixes []*Prefix
	// Before gives the hook of one step (see Input.Before). nil: none.
	Before func(p *kernels.Pass, step Step) func(layer int, x_BTC kernels.Tensor) kernels.Tensor
	// Watches says that Before's hooks depend on the ids of every step. Else those of all steps after the first are one.
	Watches bool
}

// Step is what one step reads: Rows rows, of which Group follow each other for every row of the prompt (its beams).
type Step struct {
	IDs         []int32 // [Rows,T]
	Rows, Group int
	First       bool // the prompt itself, what is known of it left out
}

// Decoding says how to continue.
type Decoding struct {
	MaxNew int
	EOS    int   // ends a row; -1: none
	Ends   []int // further ids that end a row
	Pad    int   // fed to rows that have ended
	// Beams above 1 is beam search as transformers does it: 2 x Beams candidates a step (with n ends 1+n if that is more), finished hypotheses scored
	// by sum of log-probabilities / length^LengthPenalty, where the length counts the padded prompt and not the EOS.
	Beams         int
	LengthPenalty float64
	EarlyStopping bool // a row is done as soon as it has Beams finished hypotheses
	Sample        *Sampling
	// Chosen is told every token of a row as soon as it is known; nil: nobody. Beams choose at the end: they tell nothing.
	Chosen func(row int, token int32)
}

// ends reports whether a token ends a row.
func (o *Decoding) ends(token int32) bool {
	return int(token) == o.EOS || slices.Contains(o.Ends, int(token))
}

// Sampling draws tokens instead of taking the best.
type Sampling struct {
	Temperature float64 // 0 means 1
	TopK        int     // 0: all
	TopP        float64 // 0: all
	Seed        uint64  // the same seed, the same tokens, whatever the other rows
}

// Continuation is what came after one row of the prompt.
type Continuation struct {
	Tokens []int32 // with what ended it
	Ended  bool    // by EOS or another of the ends
	Score  float64 // of beam search, else 0
}

// Generate continues the prompts. The pass must keep no tape; it is reset.
func (m *Model) Generate(ctx context.Context, p *kernels.Pass, prompt Prompt, o Decoding) ([]Continuation, error) {
	o.Beams = max(o.Beams, 1)
	switch {
	case p.PassOptions.Grad:
		return nil, errors.New("generate: the pass keeps a tape")
	case o.MaxNew <= 0:
		return nil, fmt.Errorf("generate: %d new tokens were asked for", o.MaxNew)
	case o.Beams > 1 && o.Sample != nil:
		return nil, errors.New("generate: beams and sampling exclude each other")
	case prompt.Rows <= 0 || len(prompt.IDs) == 0 || len(prompt.IDs)%prompt.Rows != 0:
		return nil, fmt.Errorf("generate: %d ids do not make %d rows", len(prompt.IDs), prompt.Rows)
	case o.Pad < 0 || o.Pad >= m.Config.Vocab:
		o.Pad = max(o.EOS, 0)
	}
	d := &decoder{m: m, p: p, prompt: prompt, o: o, length: len(prompt.IDs) / prompt.Rows}
	defer d.free()
	if o.Beams > 1 {
		return d.beams(ctx)
	}
	return d.rows(ctx)
}

// decoder is one call of Generate.
type decoder struct {
	m      *Model
	p      *kernels.Pass
	prompt Prompt
	o      Decoding
	length int // of the prompt
	cache  *Cache
	spare  *Cache // the prompt's, until it is repeated
	repeat *repeat
}

func (d *decoder) free() {
	d.p.Wait()
	if d.repeat != nil {
		d.repeat.recording.Free()
	}
	for _, c := range []*Cache{d.cache, d.spare} {
		if c != nil {
			c.Free()
		}
	}
}

// read runs the model on new tokens of every row and gives what predicts the next one: fp32 [rows,V].
func (d *decoder) read(ids []int32, rows, group int, first bool) kernels.Tensor {
	in := Input{IDs: ids, Rows: rows, Mask: d.mask(rows, group, len(ids)/rows), Counted: true, Cache: d.cache}
	if d.prompt.Before != nil {
		in.Before = d.prompt.Before(d.p, Step{IDs: ids, Rows: rows, Group: group, First: first})
	}
	hidden := d.m.Hidden(d.p, in)
	last := d.p.Contiguous(hidden.Slice(1, hidden.Dims[1]-1, hidden.Dims[1]))
	return d.m.Logits(d.p, last.Reshape(rows, d.m.Config.Width))
}

// mask is the prompt's, with all that came after shown.
func (d *decoder) mask(rows, group, t int) []byte {
	return d.maskFor(rows, group, d.cache.Len()+t)
}

// maskFor is the mask over so many keys.
func (d *decoder) maskFor(rows, group, all int) []byte {
	if d.prompt.Mask == nil {
		return nil
	}
	mask := make([]byte, rows*all)
	for i := range mask {
		mask[i] = 1
	}
	for row := range rows {
		copy(mask[row*all:], d.prompt.Mask[row/group*d.length:][:d.length])
	}
	return mask
}

// begin reads the prompt into a cache of beams rows each and gives the logits [B,V].
func (d *decoder) begin(beams int) (kernels.Tensor, error) {
	capacity := d.length + d.o.MaxNew
	var err error
	if beams > 1 {
		capacity = d.length
	}
	d.p.Reset()
	if d.cache, err = d.m.NewCache(d.p.Device(), d.prompt.Rows, capacity, d.p.DType); err != nil {
		return kernels.Tensor{}, err
	}
	if err := d.cache.Begin(d.p, d.prompt); err != nil {
		return kernels.Tensor{}, err
	}
	logits := d.read(d.prompt.Unread(d.prompt.IDs), d.prompt.Rows, 1, true)
	if beams > 1 {
		d.spare = d.cache
		if d.cache, err = d.m.NewCache(d.p.Device(), d.prompt.Rows*beams, d.length+d.o.MaxNew, d.p.DType); err != nil {
			return kernels.Tensor{}, err
		}
		d.spare.Repeat(d.p, d.cache, beams)
	}
	return logits, d.p.Err()
}

// rows is greedy decoding and sampling.
func (d *decoder) rows(ctx context.Context) ([]Continuation, error) {
	logits, err := d.begin(1)
	if err != nil {
		return nil, err
	}
	out := make([]Continuation, d.prompt.Rows)
	draw := newSampler(d.o.Sample, d.prompt.Rows)
	next, err := draw.next(d.p, logits)
	for step := 1; ; step++ {
		if err != nil {
			return nil, err
		}
		open := 0
		for i := range out {
			if out[i].Ended {
				next[i] = int32(d.o.Pad)
				continue
			}
			out[i].Tokens = append(out[i].Tokens, next[i])
			if d.o.Chosen != nil {
				d.o.Chosen(i, next[i])
			}
			if d.o.ends(next[i]) {
				out[i].Ended = true
			} else {
				open++
			}
		}
		if open == 0 || step == d.o.MaxNew {
			return out, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if d.prompt.Watches {
			d.p.Reset()
			next, err = draw.next(d.p, d.read(next, d.prompt.Rows, 1, false))
		} else {
			next, err = d.again(draw, next, d.o.MaxNew-step)
		}
	}
}
