package lesson

// The examination: captions of drawings that were never seen, with examples in the prompt.

import (
	"context"
	"math/rand/v2"
	"strings"

	"mmc4/kernels"
	"mmc4/models/clip"
	"mmc4/models/flamingo"
	"mmc4/models/lm"
	"mmc4/train/data"
)

// Score is how the captions of one number of examples did.
type Score struct {
	Shots    int      `json:"shots"`
	Accuracy float64  `json:"accuracy"` // captions that tell the drawing's kind
	Shuffled float64  `json:"shuffled"` // the same with the pictures exchanged
	Chance   float64  `json:"chance"`   // the share of the most frequent kind
	Samples  []string `json:"samples"`
}

const rowsAtATime = 16

// examiner asks a model.
type examiner struct {
	model      *flamingo.Model
	pass       *kernels.Pass
	tokens     *data.Tokens
	preprocess clip.Preprocess
	reader     *reader
	examples   []drawing // for prompts
	held       []drawing
}

// score captions all held-out drawings after some examples.
func (e *examiner) score(ctx context.Context, shots int) (Score, error) {
	s := Score{Shots: shots}
	kinds := map[int]int{}
	for _, d := range e.held {
		kinds[d.Kind]++
	}
	for _, n := range kinds {
		s.Chance = max(s.Chance, float64(n)/float64(len(e.held)))
	}
	own, captions, err := e.accuracy(ctx, shots, 0)
	if err != nil {
		return s, err
	}
	s.Accuracy = own
	for i := range min(3, len(captions)) {
		s.Samples = append(s.Samples, captions[i]+"   <- "+e.held[i].Captions[0])
	}
	s.Shuffled, _, err = e.accuracy(ctx, shots, len(e.held)/2+1)
	return s, err
}

// accuracy captions each drawing while it sees the picture of another one, shift places on.
func (e *examiner) accuracy(ctx context.Context, shots, shift int) (float64, []string, error) {
	var captions []string
	right := 0
	for first := 0; first < len(e.held); first += rowsAtATime {
		n := min(rowsAtATime, len(e.held)-first)
		texts, err := e.caption(ctx, first, n, shots, shift)
		if err != nil {
			return 0, nil, err
		}
		for i, text := range texts {
			if e.reader.kind(text) == e.held[first+i].Kind {
				right++
			}
		}
		captions = append(captions, texts...)
	}
	return float64(right) / float64(max(len(e.held), 1)), captions, nil
}

// caption continues prompts of examples and a last <image>.
func (e *examiner) caption(ctx context.Context, first, n, shots, shift int) ([]string, error) {
	e.pass.Reset()
	var pixels []byte
	var prompts [][]int32
	longest := 0
	for i := first; i < first+n; i++ {
		rng := rand.New(rand.NewPCG(uint64(i), 7))
		var text strings.Builder
		for range shots {
			d := e.examples[rng.IntN(len(e.examples))]
			text.WriteString(data.MediaText + d.Captions[rng.IntN(len(d.Captions))] + data.EOCText)
			pixels = append(pixels, d.picture.Pix...)
		}
		text.WriteString(data.MediaText)
		pixels = append(pixels, e.held[(i+shift)%len(e.held)].picture.Pix...)
		var ids []int32
		for _, id := range e.tokens.Encode(text.String()) {
			ids = append(ids, int32(id))
		}
		prompts, longest = append(prompts, ids), max(longest, len(ids))
	}
	prompt := lm.Prompt{Rows: n}
	slots := make([]int32, n*(shots+1))
	for i := range slots {
		slots[i] = int32(i)
	}
	for _, ids := range prompts {
		for range longest - len(ids) {
			prompt.IDs, prompt.Mask = append(prompt.IDs, e.tokens.Pad), append(prompt.Mask, 0)
		}
		for _, id := range ids {
			prompt.IDs, prompt.Mask = append(prompt.IDs, id), append(prompt.Mask, 1)
		}
	}
	side := e.preprocess.Size
	media := e.model.See(e.pass, e.pass.NormalizePixels(e.pass.FromUint8(pixels, len(slots), side, side, 3), e.preprocess.Mean, e.preprocess.Std), 1, n, slots)
	out, err := e.model.Generate(ctx, e.pass, prompt, media, flamingo.Decoding{Decoding: lm.Decoding{MaxNew: 24, EOS: int(e.tokens.EOC), Pad: int(e.tokens.Pad)}})
	if err != nil {
		return nil, err
	}
	texts := make([]string, n)
	for i, c := range out {
		var ids []int
		for _, id := range c.Tokens {
			ids = append(ids, int(id))
		}
		texts[i] = strings.TrimSpace(strings.ReplaceAll(e.tokens.DecodePlain(ids), "\n", " "))
	}
	return texts, nil
}
