package data

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mmc4/internal/storage"
	"mmc4/models/clip"
	"mmc4/models/tokenizer"
)

// Pictures and sentences without a partner are samples where they are asked for, else rejects; every sentence lies in one block.
func TestUnpairedDrawings(t *testing.T) {
	const n, side, plain = samplesOfBlock + 44, 8, 40
	dir, ctx := t.TempDir(), context.Background()
	var rows, lines strings.Builder
	for i := range n {
		if i%10 == 9 {
			rows.WriteString(`{"captions":[]}` + "\n")
		} else {
			fmt.Fprintf(&rows, `{"captions":["a"],"topic":"t%d","thing":"t%d red"}`+"\n", i%3, i%3)
		}
	}
	for i := range plain {
		fmt.Fprintf(&lines, "b %d\n", i)
	}
	for name, text := range map[string][]byte{"images.bin": bytes.Repeat([]byte{7}, n*side*side*3), "examples.jsonl": []byte(rows.String()), "plain.txt": []byte(lines.String())} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	tokens, err := tokenizer.NewCLIP([]byte("#version\na b</w>\n"))
	if err != nil {
		t.Fatal(err)
	}
	for _, unpaired := range []bool{false, true} {
		source, err := OpenDrawings(ctx, dir, side, unpaired, storage.Options{})
		if err != nil {
			t.Fatal(err)
		}
		maker := &Contrast{Tokens: tokens, Context: 6, Preprocess: clip.OpenAIPreprocess(side), Unpaired: unpaired}
		pairs, pictures, bad := 0, 0, 0
		var texts []string
		for block, count := range source.Blocks() {
			docs, err := source.Read(ctx, block)
			if err != nil || len(docs) != count {
				t.Fatalf("block %d has %d records, not %d: %v", block, len(docs), count, err)
			}
			for _, d := range docs {
				if d.Bad != "" {
					bad++
					continue
				}
				switch s := maker.Make(ctx, d, Draws{Pick: 0.99}); {
				case s.Dropped != nil || len(s.Notes) > 0:
					t.Errorf("%v %v", s.Dropped, s.Notes)
				case len(s.Images) == 0 && s.Topic == "":
					texts = append(texts, d.Captions[0])
				case len(s.IDs) == 0 && s.Topic == "":
					pictures++
				case len(s.IDs) == 6 && len(s.Images) == 1 && s.Thing == s.Topic+" red":
					pairs++
				default:
					t.Errorf("%+v", s)
				}
			}
		}
		slices.Sort(texts)
		alone := n / 10
		if want := []int{n - alone, 0, alone, 0}; !unpaired && !slices.Equal([]int{pairs, pictures, bad, len(texts)}, want) {
			t.Errorf("%d pairs, %d pictures, %d bad, %d sentences; not %v", pairs, pictures, bad, len(texts), want)
		}
		if want := []int{n - alone, alone, 0, plain}; unpaired && !slices.Equal([]int{pairs, pictures, bad, len(slices.Compact(texts))}, want) {
			t.Errorf("%d pairs, %d pictures, %d bad, %d sentences; not %v", pairs, pictures, bad, len(texts), want)
		}
	}
}
