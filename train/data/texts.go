package data

// Plain text for language models: files of text (a document a file, or a line with key "text" of JSON lines) are encoded
// once, joined by the end token and cut into sequences of equal length.

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"mmc4/internal/jsonscan"
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
		var scanner jsonscan.Scanner
		lines := bufio.NewScanner(bytes.NewReader(raw))
		lines.Buffer(nil, len(raw)+1)
		for n := 1; lines.Scan(); n++ {
			if len(bytes.TrimSpace(lines.Bytes())) == 0 {
				continue
			}
			text, err := textOf(&scanner, lines.Bytes())
			if err != nil {
				return nil, fmt.Errorf("%s, line %d: %w", ref.Location(), n, err)
			}
			add(text)
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

// textOf reads an object with a text.
func textOf(s *jsonscan.Scanner, line []byte) (text string, err error) {
	s.Reset(line)
	found := false
	if s.Want('{') {
		for s.Enter('{'); s.More('}'); {
			if string(s.Key()) != "text" {
				s.Skip()
			} else if found = s.Want('"'); found {
				text, _ = s.String()
			}
		}
	}
	if err = s.End(); err == nil && !found {
		err = errors.New("no \"text\"")
	}
	return text, err
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
