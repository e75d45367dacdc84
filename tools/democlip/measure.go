package main

// How good a demo CLIP is: made-up documents of held-out drawings, and how the pipeline's threshold falls.

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mmc4/internal/demo"
	"mmc4/internal/imaging"
	"mmc4/kernels/device"
	"mmc4/models/clip"
)

// minSimilarity is the pipeline's default.
const minSimilarity = 0.15

// row is a line of examples.jsonl.
type row struct {
	Topic    string   `json:"topic"`
	Thing    string   `json:"thing"`
	Captions []string `json:"captions"`
}

// readRows gives the lines of examples.jsonl one after the other.
func readRows(folder string, each func(row)) error {
	f, err := os.Open(filepath.Join(folder, "examples.jsonl"))
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		each(r)
	}
	return lines.Err()
}

// readPlain gives the sentences that show nothing.
func readPlain(folder string) ([]string, error) {
	text, err := os.ReadFile(filepath.Join(folder, "plain.txt"))
	return strings.Split(strings.TrimSpace(string(text)), "\n"), err
}

// share is a part of a whole.
type share struct{ part, whole int }

func (s *share) count(is bool) {
	s.whole++
	if is {
		s.part++
	}
}

func (s share) String() string {
	return fmt.Sprintf("%.2f %% of %d", 100*float64(s.part)/float64(max(s.whole, 1)), s.whole)
}

// measure makes a document around every drawing: its sentence, those of four others, in a third of the documents one of the
// same topic among them, and eight that show nothing.
func measure(ctx context.Context, model, folder string) error {
	var rows []row
	if err := readRows(folder, func(r row) { rows = append(rows, r) }); err != nil {
		return err
	}
	plain, err := readPlain(folder)
	if err != nil {
		return err
	}
	pixels, err := os.ReadFile(filepath.Join(folder, "images.bin"))
	if err != nil {
		return err
	}
	const side = demo.ClipSide
	if len(pixels) != len(rows)*side*side*3 {
		return fmt.Errorf("%s: images.bin has %d bytes, not those of %d drawings", folder, len(pixels), len(rows))
	}
	dev, err := device.Open("auto")
	if err != nil {
		return err
	}
	defer dev.Close()
	m, err := clip.Load(ctx, model, dev, clip.Options{})
	if err != nil {
		return err
	}
	defer m.Close()
	var squares []*imaging.RGB
	for i := range rows {
		squares = append(squares, &imaging.RGB{Width: side, Height: side, Pix: pixels[i*side*side*3 : (i+1)*side*side*3]})
	}
	images, err := m.EncodeImages(ctx, squares)
	if err != nil {
		return err
	}
	rng := rand.New(rand.NewPCG(heldSeed, 5))
	byTopic := map[string][]int{}
	var seen []int
	for i, r := range rows {
		if len(r.Captions) > 0 {
			byTopic[r.Topic], seen = append(byTopic[r.Topic], i), append(seen, i)
		}
	}
	var right, matched, surfaces, strays share
	for i, r := range rows {
		things := map[string]bool{r.Thing: true}
		topics := map[string]bool{r.Topic: true}
		var texts []string
		if len(r.Captions) > 0 {
			texts = append(texts, r.Captions[rng.IntN(len(r.Captions))])
			if same := byTopic[r.Topic]; rng.Float64() < 0.35 {
				if o := rows[same[rng.IntN(len(same))]]; !things[o.Thing] {
					texts, things[o.Thing] = append(texts, o.Captions[rng.IntN(len(o.Captions))]), true
				}
			}
		}
		for len(texts) < 5 {
			if o := rows[seen[rng.IntN(len(seen))]]; !things[o.Thing] && !topics[o.Topic] {
				texts, things[o.Thing] = append(texts, o.Captions[rng.IntN(len(o.Captions))]), true
			}
		}
		for range 8 {
			texts = append(texts, plain[rng.IntN(len(plain))])
		}
		features, err := m.EncodeTexts(ctx, texts)
		if err != nil {
			return err
		}
		cosines := make([]float64, len(texts))
		for j, f := range features {
			for k := range f {
				cosines[j] += float64(f[k]) * float64(images[i][k])
			}
		}
		if len(r.Captions) == 0 {
			surfaces.count(slices.Max(cosines) < minSimilarity)
			continue
		}
		best := slices.Index(cosines, slices.Max(cosines))
		right.count(best == 0)
		matched.count(cosines[best] >= minSimilarity)
		strays.count(slices.Max(cosines[2:]) < minSimilarity) // as if its own sentence were not there, nor one of its topic
	}
	fmt.Printf("%s on %d drawings: arg-max right %v; shown drawings at or above %.2f %v; drawings that no sentence shows below %v; surfaces below %v\n",
		model, len(rows), right, minSimilarity, matched, strays, surfaces)
	return nil
}
