package lesson

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"mmc4/internal/imaging"
	"mmc4/internal/storage"
	"mmc4/models/tokenizer"
	"mmc4/train/data"
)

// Documents come back as sequences in which every picture stands before a sentence of its own.
func TestDocuments(t *testing.T) {
	var drawings []drawing
	var text strings.Builder
	for i := range 40 {
		m := imaging.NewRGB(8, 8)
		for k := range m.Pix {
			m.Pix[k] = byte(6 * i)
		}
		d := drawing{Kind: i, picture: m}
		for k := range 3 {
			d.Captions = append(d.Captions, fmt.Sprintf("sentence %d of drawing %d.", k, i))
			text.WriteString(d.Captions[k] + "\n")
		}
		drawings = append(drawings, d)
	}
	dir := t.TempDir()
	ctx := context.Background()
	if err := writeDocuments(ctx, dir, drawings, 30, 1); err != nil {
		t.Fatal(err)
	}
	source, err := data.OpenDocuments(ctx, []string{filepath.Join(dir, "docs", "*.parquet")}, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	vocabulary, err := learnVocabulary(text.String(), 50)
	if err != nil {
		t.Fatal(err)
	}
	bpe, err := tokenizer.NewBPE(vocabulary)
	if err != nil {
		t.Fatal(err)
	}
	tokens, err := data.NewTokens(bpe, endText, "")
	if err != nil {
		t.Fatal(err)
	}
	rules := &data.Rules{Tokens: tokens, Assignment: data.OneToOne, MinImages: 1, MaxImages: most, MaxTokens: 1000}
	docs, err := source.Read(ctx, 0)
	if err != nil || len(docs) != 30 {
		t.Fatalf("%d documents, %v", len(docs), err)
	}
	sizes := map[int]int{}
	for _, d := range docs {
		s := rules.Make(ctx, d, data.Draws{Keep: 1, Flip: 1})
		if s.Dropped != nil || len(s.Notes) > 0 {
			t.Fatalf("%v, %v", s.Dropped, s.Notes)
		}
		var ids []int
		for _, id := range s.IDs {
			ids = append(ids, int(id))
		}
		chunks := strings.Split(tokens.Decode(ids), data.EOCText)
		if last := chunks[len(chunks)-1]; last != endText {
			t.Errorf("a sequence ends with %q", last)
		}
		sizes[len(s.Images)]++
		for i, picture := range s.Images {
			shown := int(picture.Square.Pix[0]) / 6
			if !strings.HasPrefix(chunks[i], data.MediaText+"sentence ") || !strings.HasSuffix(chunks[i], fmt.Sprintf(" drawing %d.", shown)) {
				t.Errorf("picture %d shows drawing %d, its text is %q", i, shown, chunks[i])
			}
		}
	}
	for n := fewest; n <= most; n++ {
		if sizes[n] == 0 {
			t.Errorf("no document has %d drawings: %v", n, sizes)
		}
	}
}
