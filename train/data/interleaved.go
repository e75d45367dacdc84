package data

// Interleaved sequences of documents: open_flamingo's preprocess_interleaved (data.py of 2.0.1, and of 655f693 for the
// one-to-one assignment), with its defects repaired unless Rules.Compat is set.
//
// Repaired: pictures stand in the order of their markers (upstream leaves them in document order); a picture that cannot be
// used costs itself, not the document; markers written in the text are text; pictures whose markers were cut off are not
// kept; a marker that is the last token is removed; generated sequences use all slots.

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"mmc4/internal/imaging"
	"mmc4/match"
	"mmc4/models/clip"
)

// Assignment says which sentence a picture goes before.
type Assignment string

const (
	ArgMax   Assignment = "argmax"     // each picture to its best sentence (2.0.1)
	OneToOne Assignment = "one_to_one" // the best one-to-one assignment (655f693)
	Stored   Assignment = "stored"     // matched_text_index of the document, the first picture of a sentence wins (0.1.1)
)

// Rules make interleaved sequences; it is a Maker.
type Rules struct {
	Tokens        *Tokens
	Preprocess    clip.Preprocess // Size 0: pictures are decoded and not resized
	Assignment    Assignment
	MinSimilarity float64
	MinImages     int // markers that must be left after truncation
	MaxImages     int
	MaxTokens     int
	MinBytes      int     // of a picture's file
	DropSingle    float64 // chance of dropping a document with one marker
	Compat        bool    // with upstream's defects
}

// candidate is a picture with the sentence it was given.
type candidate struct {
	index, sentence int
	square          *imaging.RGB
}

// Make makes the sequence of a document.
func (r *Rules) Make(ctx context.Context, d *Document, draws Draws) *Sample {
	if d.Generated != "" {
		return r.generated(ctx, d, draws)
	}
	b := &builder{rules: r, ctx: ctx, doc: d, flip: draws.Flip < 0.5}
	kept, drop := b.choose()
	if drop != nil {
		return dropped(d, *drop, b.notes)
	}
	if len(kept) == 0 {
		return dropped(d, Reject{Rule: RuleNoImage}, b.notes)
	}
	if !r.Compat {
		slices.SortStableFunc(kept, func(x, y candidate) int { return x.sentence - y.sentence })
	}
	kept = b.limit(kept)
	sentences := make([]string, len(d.Sentences))
	for i, s := range d.Sentences {
		sentences[i] = r.plain(s)
	}
	for _, c := range kept {
		if c.sentence >= len(sentences) {
			return dropped(d, Reject{Rule: RuleBadMatrix, Detail: fmt.Sprintf("sentence %d of %d", c.sentence, len(sentences))}, b.notes)
		}
		sentences[c.sentence] = EOCText + MediaText + sentences[c.sentence]
	}
	ids := r.Tokens.encode(tidy(strings.Join(sentences, " "))+EOCText+r.Tokens.EOSText, r.MaxTokens)
	return r.finish(d, b, ids, kept, draws)
}

// finish checks a truncated sequence and puts the sample together.
func (r *Rules) finish(d *Document, b *builder, ids []int32, kept []candidate, draws Draws) *Sample {
	media := r.Tokens.Media
	if !r.Compat && len(ids) > 0 && ids[len(ids)-1] == media {
		ids = ids[:len(ids)-1]
	}
	markers := count(ids, media)
	switch {
	case markers < r.MinImages || markers == 0 && !r.Compat:
		return dropped(d, Reject{Rule: RuleTooFew, Value: float64(markers), Limit: float64(r.MinImages)}, b.notes)
	case d.Generated == "" && markers == 1 && draws.Keep <= r.DropSingle:
		return dropped(d, Reject{Rule: RuleCoin, Value: draws.Keep, Limit: r.DropSingle}, b.notes)
	case d.Generated == "" && markers == 1 && len(ids) == r.MaxTokens && ids[len(ids)-1] == media:
		return dropped(d, Reject{Rule: RuleSingleImageLast}, b.notes)
	}
	if !r.Compat && len(kept) > markers {
		kept = kept[:markers]
	}
	s := &Sample{ID: d.ID, IDs: ids, Flipped: b.flip, Notes: b.notes}
	s.Labels = InterleavedLabels(ids, media, r.Tokens.EOC, r.Tokens.Pad)
	for _, c := range kept {
		s.Images = append(s.Images, Picture{Index: c.index, Square: c.square})
	}
	if !r.Compat && s.LossTokens() == 0 {
		return dropped(d, Reject{Rule: RuleNoLoss}, b.notes)
	}
	return s
}

// plain is a sentence in which no special token is written.
func (r *Rules) plain(s string) string {
	if r.Compat || !strings.Contains(s, "<") {
		return s
	}
	return withoutMarkers(s, r.Tokens.EOSText)
}

// withoutMarkers removes what the tokenizer would take for special tokens, also where removing one makes another.
func withoutMarkers(s, eos string) string {
	for {
		before := s
		for _, marker := range []string{MediaText, EOCText, eos} {
			if marker != "" {
				s = strings.ReplaceAll(s, marker, "")
			}
		}
		if s == before {
			return s
		}
	}
}

// tidy removes the first chunk end and the single spaces around markers.
func tidy(text string) string {
	text = strings.Replace(text, EOCText, "", 1)
	text = strings.ReplaceAll(text, " "+EOCText, EOCText)
	text = strings.ReplaceAll(text, MediaText+" ", MediaText)
	return strings.ReplaceAll(text, " "+MediaText, MediaText)
}

// builder loads the pictures of one document.
type builder struct {
	rules *Rules
	ctx   context.Context
	doc   *Document
	flip  bool
	notes []Reject
}

func (b *builder) note(rule string, i int, r Reject) {
	r.ID, r.Rule, r.Image = b.doc.ID, rule, b.doc.Images[i].Name
	b.notes = append(b.notes, r)
}

// choose finds the pictures that may be used and their sentences, in document order. Under Compat a picture that cannot be
// read or decoded drops the document, in the order in which upstream looks at them.
func (b *builder) choose() ([]candidate, *Reject) {
	r, d := b.rules, b.doc
	if r.Assignment == OneToOne {
		return b.chooseOneToOne()
	}
	var kept []candidate
	taken := map[int]bool{}
	for i := range d.Images {
		matrix := r.Assignment == ArgMax
		if matrix && i >= len(d.Similarity) {
			b.note(RuleBadMatrix, i, Reject{Detail: "similarity_matrix has no row for it"})
			continue
		}
		data, drop := b.load(i)
		if drop != nil {
			return nil, drop
		}
		if data == nil && d.Images[i].Square == nil {
			continue
		}
		sentence, similarity, err := b.sentence(i)
		if err != nil {
			if r.Compat {
				return nil, &Reject{Rule: RuleBadMatrix, Image: d.Images[i].Name, Detail: err.Error()}
			}
			b.note(RuleBadMatrix, i, Reject{Detail: err.Error()})
			continue
		}
		if !matrix && taken[sentence] {
			b.note(RuleSurplus, i, Reject{Detail: "an earlier picture has its sentence"})
			continue
		}
		if b.small(i, data) || b.below(i, similarity) {
			continue
		}
		square, drop := b.decode(i, data)
		if drop != nil {
			return nil, drop
		}
		if square != nil {
			kept = append(kept, candidate{i, sentence, square})
			taken[sentence] = true
		}
	}
	return kept, nil
}

// sentence is where picture i belongs, and how well.
func (b *builder) sentence(i int) (int, float64, error) {
	d := b.doc
	if b.rules.Assignment == Stored {
		at := d.Images[i].Matched
		if at < 0 || at >= len(d.Sentences) {
			return 0, 0, fmt.Errorf("matched_text_index is %d, there are %d sentences", at, len(d.Sentences))
		}
		if i < len(d.Similarity) && at < len(d.Similarity[i]) {
			return at, d.Similarity[i][at], nil
		}
		return at, 1, nil
	}
	row := d.Similarity[i]
	if len(row) == 0 || len(row) != len(d.Sentences) && !b.rules.Compat {
		return 0, 0, fmt.Errorf("row %d of similarity_matrix has %d columns for %d sentences", i, len(row), len(d.Sentences))
	}
	best := 0
	for j, v := range row {
		if math.IsNaN(v) {
			best = j
			break
		}
		if v > row[best] {
			best = j
		}
	}
	return best, row[best], nil
}

// chooseOneToOne opens all pictures first and assigns among those that are good.
func (b *builder) chooseOneToOne() ([]candidate, *Reject) {
	r, d := b.rules, b.doc
	var valid []candidate
	for i := range d.Images {
		data, drop := b.load(i)
		if drop != nil {
			return nil, drop
		}
		if data == nil && d.Images[i].Square == nil || b.small(i, data) {
			continue
		}
		square, drop := b.decode(i, data)
		if drop != nil {
			return nil, drop
		}
		if square == nil {
			continue
		}
		if i >= len(d.Similarity) || len(d.Similarity[i]) != len(d.Sentences) && !r.Compat {
			if r.Compat {
				return nil, &Reject{Rule: RuleBadMatrix, Image: d.Images[i].Name, Detail: "similarity_matrix has no row for it"}
			}
			b.note(RuleBadMatrix, i, Reject{Detail: "similarity_matrix has no row of the right length for it"})
			continue
		}
		valid = append(valid, candidate{index: i, square: square})
	}
	if len(valid) == 0 {
		return nil, nil
	}
	columns := len(d.Similarity[valid[0].index])
	cost := make([]float64, 0, len(valid)*columns)
	for _, c := range valid {
		row := d.Similarity[c.index]
		if len(row) != columns || columns == 0 {
			return nil, &Reject{Rule: RuleBadMatrix, Detail: fmt.Sprintf("rows of %d and of %d columns", columns, len(row))}
		}
		for _, v := range row {
			cost = append(cost, -v)
		}
	}
	sentenceOf := make([]int, len(valid))
	var solver match.Solver
	if _, err := solver.Solve(sentenceOf, cost, len(valid), columns); err != nil {
		return nil, &Reject{Rule: RuleBadMatrix, Detail: err.Error()}
	}
	var kept []candidate
	for k, c := range valid {
		if sentenceOf[k] < 0 {
			b.note(RuleSurplus, c.index, Reject{Detail: "more pictures than sentences"})
			continue
		}
		if c.sentence = sentenceOf[k]; !b.below(c.index, d.Similarity[c.index][c.sentence]) {
			kept = append(kept, c)
		}
	}
	return kept, nil
}

// load gives the bytes of picture i; nil when it has none, or cannot be read and others go on without it.
func (b *builder) load(i int) ([]byte, *Reject) {
	image := b.doc.Images[i]
	if image.Load == nil {
		if image.Square == nil && !b.rules.Compat {
			b.note(RuleBadImage, i, Reject{Detail: "missing"})
		}
		return nil, nil
	}
	data, err := image.Load(b.ctx)
	if err == nil {
		return data, nil
	}
	rule := RuleBadImage
	if errors.Is(err, ErrBase64) {
		rule = RuleBadBase64
	}
	if b.rules.Compat {
		return nil, &Reject{Rule: rule, Image: image.Name, Detail: err.Error()}
	}
	b.note(rule, i, Reject{Detail: err.Error()})
	return nil, nil
}

// small is open_flamingo's size rule: floor(bytes/1000) <= 10 is out, which is fewer than 11,000.
func (b *builder) small(i int, data []byte) bool {
	if data == nil || len(data) >= b.rules.MinBytes {
		return false
	}
	b.note(RuleSmall, i, Reject{Value: float64(len(data)), Limit: float64(b.rules.MinBytes)})
	return true
}

func (b *builder) below(i int, similarity float64) bool {
	if !(similarity < b.rules.MinSimilarity) {
		return false
	}
	b.note(RuleSimilarity, i, Reject{Value: similarity, Limit: b.rules.MinSimilarity})
	return true
}

// decode gives picture i in the model's size; nil when it cannot be decoded and others go on without it.
func (b *builder) decode(i int, data []byte) (*imaging.RGB, *Reject) {
	if shared := b.doc.Images[i].Square; shared != nil { // others may see its pixels
		square := &imaging.RGB{Width: shared.Width, Height: shared.Height, Pix: shared.Pix}
		if b.flip {
			square.Pix = slices.Clone(square.Pix)
			mirror(square)
		}
		return square, nil
	}
	square, err := b.pixels(data)
	if err != nil {
		if b.rules.Compat {
			return nil, &Reject{Rule: RuleBadImage, Image: b.doc.Images[i].Name, Detail: err.Error()}
		}
		b.note(RuleBadImage, i, Reject{Detail: err.Error()})
		return nil, nil
	}
	return square, nil
}

// pixels decodes a picture, mirrored where the draw says so.
func (b *builder) pixels(data []byte) (*imaging.RGB, error) {
	if b.rules.Preprocess.Size > 0 {
		return b.rules.Preprocess.Decode(data, imaging.Limits{}, b.flip)
	}
	picture, err := imaging.Decode(data, imaging.Limits{})
	if err != nil {
		return nil, err
	}
	whole := picture.RGB()
	if b.flip {
		mirror(whole)
	}
	return whole, nil
}

// limit keeps the first pictures.
func (b *builder) limit(kept []candidate) []candidate {
	if len(kept) <= b.rules.MaxImages {
		return kept
	}
	for _, c := range kept[b.rules.MaxImages:] {
		b.note(RuleSurplus, c.index, Reject{Value: float64(len(kept)), Limit: float64(b.rules.MaxImages)})
	}
	return kept[:b.rules.MaxImages]
}

// mirror exchanges left and right.
func mirror(m *imaging.RGB) {
	size := 3 * m.Width
	for y := range m.Height {
		row := m.Pix[y*size : (y+1)*size]
		for i, j := 0, size-3; i < j; i, j = i+3, j-3 {
			row[i], row[i+1], row[i+2], row[j], row[j+1], row[j+2] = row[j], row[j+1], row[j+2], row[i], row[i+1], row[i+2]
		}
	}
}
