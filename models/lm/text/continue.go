package text

// Decoding one prompt: greedy, sampling or beams. Reads text, writes text piece by piece.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"mmc4/models/lm"
)

// ErrUsage is in the chain of errors of what was asked for, as opposed to the model's.
var ErrUsage = errors.New("cannot be asked for")

// Choice says how to go on. Without Temperature, TopK and TopP the likeliest token is taken; any of them draws.
type Choice struct {
	MaxNew      int
	Beams       int     // above 1: beam search
	Temperature float64 // 0: 1 when TopK or TopP draw
	TopK        int     // 0: all
	TopP        float64 // 0: all
	Seed        uint64
}

// Result is what came after a prompt.
type Result struct {
	Text         string  `json:"text"`
	PromptTokens int     `json:"prompt_tokens"`
	Tokens       int     `json:"tokens"`          // new ones, the end of text included
	Ended        bool    `json:"ended"`           // by the model, not by MaxNew or the end of its positions
	Score        float64 `json:"score,omitempty"` // of beam search: log-probability over length
	Seconds      float64 `json:"seconds"`         // of all
	First        float64 `json:"first_token_seconds,omitempty"`
}

// check refuses what contradicts itself.
func (c Choice) check() error {
	switch {
	case c.MaxNew <= 0:
		return fmt.Errorf("%d new tokens %w: at least 1", c.MaxNew, ErrUsage)
	case c.Beams < 0 || c.TopK < 0:
		return fmt.Errorf("%d beams, the top %d: %w", c.Beams, c.TopK, ErrUsage)
	case !(c.Temperature >= 0) || !(c.TopP >= 0 && c.TopP <= 1):
		return fmt.Errorf("temperature %v, top-p %v %w: the first is 0 or more, the second 0 to 1", c.Temperature, c.TopP, ErrUsage)
	case c.Beams > 1 && c.draws():
		return fmt.Errorf("beams with temperature, top-k or top-p %w: beam search does not draw", ErrUsage)
	}
	return nil
}

func (c Choice) draws() bool { return c.Temperature > 0 || c.TopK > 0 || c.TopP > 0 }

// Continue continues a prompt. emit gets the text as it comes, in pieces that are whole characters (with beams all at the
// end); it may be nil. Its error stops the decoding and is returned.
func (m *Model) Continue(ctx context.Context, prompt string, c Choice, emit func(piece string) error) (Result, error) {
	if err := c.check(); err != nil {
		return Result{}, err
	}
	if emit == nil {
		emit = func(string) error { return nil }
	}
	ids := m.Tokens.Encode(prompt)
	if len(ids) == 0 {
		if m.Config.BOS < 0 {
			return Result{}, fmt.Errorf("an empty prompt %w: this model has no token that begins a text", ErrUsage)
		}
		ids = []int{m.Config.BOS}
	}
	d := lm.Decoding{MaxNew: c.MaxNew, EOS: m.Config.EOS, Ends: m.Config.Ends, Beams: c.Beams, LengthPenalty: 1}
	if c.draws() {
		d.Sample = &lm.Sampling{Temperature: c.Temperature, TopK: c.TopK, TopP: c.TopP, Seed: c.Seed}
	}
	if m.Config.Positions != lm.NoPositions {
		room := m.Config.MaxPositions - len(ids)
		if room < 1 {
			return Result{}, fmt.Errorf("a prompt of %d tokens %w: the model reads %d, and writes within them too", len(ids), ErrUsage, m.Config.MaxPositions)
		}
		d.MaxNew = min(d.MaxNew, room)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	start := time.Now()
	r := Result{PromptTokens: len(ids)}
	s := newStream(m.Tokens, ids, append([]int{m.Config.EOS}, m.Config.Ends...))
	put := func(token int) {
		if r.First == 0 {
			r.First = time.Since(start).Seconds()
		}
		if piece := s.add(token); piece != "" {
			r.Text += piece
			if err := emit(piece); err != nil {
				cancel(err)
			}
		}
	}
	shown := 0
	d.Chosen = func(_ int, token int32) {
		put(int(token))
		shown++
	}
	out, err := m.net.Generate(ctx, m.pass, lm.Prompt{IDs: narrow(ids), Rows: 1}, d)
	if cause := context.Cause(ctx); cause != nil {
		return r, cause
	}
	if err != nil {
		return r, err
	}
	for _, id := range out[0].Tokens[shown:] {
		put(int(id))
	}
	if rest := s.rest(); rest != "" {
		r.Text += rest
		if err := emit(rest); err != nil {
			cancel(err)
		}
	}
	r.Tokens, r.Ended, r.Score, r.Seconds = len(out[0].Tokens), out[0].Ended, out[0].Score, time.Since(start).Seconds()
	return r, context.Cause(ctx)
}

func narrow(ids []int) []int32 {
	out := make([]int32, len(ids))
	for i, id := range ids {
		out[i] = int32(id)
	}
	return out
}
