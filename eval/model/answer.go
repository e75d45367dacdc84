package model

import (
	"context"
	"errors"
	"fmt"

	"mmc4/eval"
	"mmc4/eval/task"
	"mmc4/models/flamingo"
	"mmc4/models/lm"
)

// maxPrompt is open_flamingo's limit of a prompt's tokens.
const maxPrompt = 2000

// prompt makes a batch of queries of unequal length, padded on the left, and the media they see, on a pass that is reset. What
// queries share is read before.
func (m *Flamingo) prompt(queries []eval.Query) (lm.Prompt, *flamingo.Media, error) {
	rows := make([][]int, len(queries))
	length := 0
	for i, q := range queries {
		rows[i] = m.tokens.Encode(q.Text)
		if len(rows[i]) > maxPrompt {
			if !m.compat {
				return lm.Prompt{}, nil, fmt.Errorf("a prompt has %d tokens, more than %d: show fewer examples", len(rows[i]), maxPrompt)
			}
			rows[i] = rows[i][:maxPrompt]
		}
		length = max(length, len(rows[i]))
	}
	prefixes, err := m.prefixes(queries, rows)
	if err != nil {
		return lm.Prompt{}, nil, err
	}
	p := lm.Prompt{Rows: len(queries), Prefixes: prefixes, IDs: make([]int32, len(queries)*length), Mask: make([]byte, len(queries)*length)}
	for i, row := range rows {
		pad := length - len(row)
		for t := range length {
			at := i*length + t
			if t < pad {
				p.IDs[at] = int32(m.model.Config.Pad)
				continue
			}
			p.IDs[at], p.Mask[at] = int32(row[t-pad]), 1
		}
	}
	m.pass.Reset()
	first := m.model.Unseen(p)
	seen, slots := make([][]string, len(queries)), 0
	for i, q := range queries {
		if seen[i] = q.Images; first != nil {
			seen[i] = q.Images[first[i]:]
		}
		slots = max(slots, len(seen[i]))
	}
	names := make([]string, len(queries)*slots) // the picture in each slot; slots after a row's last are empty
	for i := range seen {
		copy(names[i*slots:], seen[i])
	}
	media := m.media(names, len(queries), slots)
	media.First = first
	return p, media, m.pass.Err()
}

// prefixes are what the queries begin with; nil when nothing is shared.
func (m *Flamingo) prefixes(queries []eval.Query, rows [][]int) ([]*lm.Prefix, error) {
	m.shared.shrink(prefixBytes)
	var out []*lm.Prefix
	for i, q := range queries {
		length, images, key := m.beginning(q, rows[i])
		if length == 0 {
			continue
		}
		x, err := m.prefix(rows[i][:length], images, key)
		if errors.Is(err, flamingo.ErrNotShared) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = make([]*lm.Prefix, len(queries))
		}
		out[i] = x
	}
	return out, nil
}

func (m *Flamingo) media(names []string, rows, slots int) *flamingo.Media {
	c := m.model.Config
	if len(names) == 0 {
		return &flamingo.Media{Rows: rows}
	}
	if !m.model.Perceiver.BySlot() {
		latents := m.tensor(names, c.Perceiver.Latents, c.Vision.Width)
		return &flamingo.Media{Rows: rows, Slots: slots, Latents: latents.Reshape(rows, slots, c.Perceiver.Latents, c.Vision.Width)}
	}
	var filled []string
	slot := make([]int32, len(names))
	for i, name := range names {
		if slot[i] = -1; name != "" {
			slot[i] = int32(len(filled))
			filled = append(filled, name)
		}
	}
	return m.model.Resample(m.pass, m.tensor(filled, c.Tokens(), c.Vision.Width), 1, rows, slot)
}

// Generate continues queries.
func (m *Flamingo) Generate(ctx context.Context, queries []eval.Query, d task.Decoding) ([]string, error) {
	prompt, media, err := m.prompt(queries)
	if err != nil {
		return nil, err
	}
	c := m.model.Config
	out, err := m.model.Generate(ctx, m.pass, prompt, media, flamingo.Decoding{Upstream: m.compat,
		Decoding: lm.Decoding{MaxNew: d.MaxNewTokens, EOS: c.EOC, Pad: c.Pad, Beams: d.Beams, LengthPenalty: d.LengthPenalty}})
	if err != nil {
		return nil, err
	}
	texts := make([]string, len(out))
	for i, one := range out {
		ids := make([]int, len(one.Tokens))
		for t, id := range one.Tokens {
			ids[t] = int(id)
		}
		texts[i] = m.tokens.DecodePlain(ids)
	}
	return texts, nil
}

// Rank scores classes by the mean log-probability of their tokens.
func (m *Flamingo) Rank(ctx context.Context, queries []eval.Query, classes []string) ([][]float64, error) {
	candidates := make([][]int32, len(classes))
	for i, class := range classes {
		for _, id := range m.tokens.EncodePlain(class) {
			candidates[i] = append(candidates[i], int32(id))
		}
		if len(candidates[i]) == 0 {
			return nil, fmt.Errorf("class %q has no tokens", class)
		}
	}
	prompt, media, err := m.prompt(queries)
	if err != nil {
		return nil, err
	}
	return m.model.Rank(ctx, m.pass, prompt, media, candidates, flamingo.Ranking{Mean: true, Upstream: m.compat})
}

var _ eval.Model = (*Flamingo)(nil)
