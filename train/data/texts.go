package data

// Plain text for language models: files of text (a document a file, or a line with key "text" of JSON lines) are encoded
// once, joined by the end token and cut into sequences of equal length.

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"mmc4/internal/storage"
)

const sequencesOfBlock = 64

type texts struct {
	blocksOf
	ids    []int32
	length int
}

// OpenTexts reads all files; the ids stay in memory (4 bytes a token). length is the number of tokens of a sequence.
func OpenTexts(ctx context.Context, patterns []string, t *Tokens, length int, o storage.Options) (Source, error) {
	if length < 2 {
		return nil, fmt.Errorf("text: sequences of %d tokens cannot be learnt", length)
	}
	refs, err := glob(ctx, patterns, o)
	if err != nil {
		return nil, err
	}
	s := &texts{length: length}
	add := func(text string) {
		for _, id := range t.EncodePlain(withoutMarkers(text, t.EOSText)) {
			s.ids = append(s.ids, int32(id))
		}
		if t.EOSText != "" {
			s.ids = append(s.ids, t.EOS)
		}
	}
	for _, ref := range refs {
		raw, err := storage.ReadFile(ctx, ref.Store, ref.Name)
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(ref.Name, ".jsonl") {
			add(string(raw))
			continue
		}
		lines := bufio.NewScanner(bytes.NewReader(raw))
		lines.Buffer(nil, len(raw)+1)
		for n := 1; lines.Scan(); n++ {
			var row struct {
				Text *string `json:"text"`
			}
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil || row.Text == nil {
				return nil, fmt.Errorf("%s, line %d: not a JSON object with \"text\"", ref.Location(), n)
			}
			add(*row.Text)
		}
	}
	n := (len(s.ids) - 1) / length
	if n < 1 {
		return nil, fmt.Errorf("text: %d tokens are not enough for one sequence of %d", len(s.ids), length)
	}
	for first := 0; first < n; first += sequencesOfBlock {
		k := min(sequencesOfBlock, n-first)
		s.counts = append(s.counts, k)
		s.names = append(s.names, fmt.Sprintf("sequences %d to %d of the text", first+1, first+k))
	}
	return s, nil
}

// Read gives sequences of length + 1 tokens: the last of one is the first of the next, so that each token is predicted once.
func (s *texts) Read(_ context.Context, block int) ([]*Document, error) {
	out := make([]*Document, s.counts[block])
	for i := range out {
		k := block*sequencesOfBlock + i
		out[i] = &Document{ID: fmt.Sprintf("text:%d", k), Tokens: s.ids[k*s.length : (k+1)*s.length+1]}
	}
	return out, nil
}

// Packed makes samples of documents that are tokens already; it is a Maker.
type Packed struct{}

// Make predicts every token but the first.
func (Packed) Make(_ context.Context, d *Document, _ Draws) *Sample {
	return &Sample{ID: d.ID, IDs: d.Tokens, Labels: append([]int32(nil), d.Tokens...)}
}
