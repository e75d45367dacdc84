package pipeline

// Stages embed and match of a run over lists: the cosine of every picture and its caption, then the threshold. The scores
// are kept in the run, so that the threshold can be changed later (--from).

import (
	"context"
	"fmt"

	"mmc4/match"
)

var (
	embedPairs = &phase{stage: "embed", name: "embed.pairs", unit: "pairs",
		tasks: func(r *run) int { return r.plan.Parts }, do: doEmbedPairs, feeds: func() []from { return []from{{inspectImages.name, "pairs"}} }}
	matchPairs = &phase{stage: "match", name: "match.pairs", unit: "pairs",
		tasks: func(r *run) int { return r.plan.Parts }, do: doMatchPairs, feeds: func() []from { return []from{{embedPairs.name, "scored"}} }}
)

// doEmbedPairs scores one part. Output: "scored" (one partition; key pairRef; value pair, similarity).
func doEmbedPairs(ctx context.Context, t *task) error {
	t.declare("scored", 1)
	m, err := t.merged(ctx, t.index, from{inspectImages.name, "pairs"})
	if err != nil {
		return err
	}
	b := pairBatch{pictureBatch: pictureBatch{t: t}}
	defer b.give()
	for {
		more, err := m.next()
		if err != nil {
			return err
		}
		if !more {
			return b.flush(ctx)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := decodePair(m.value)
		if err != nil {
			return err
		}
		if err := b.add(ctx, &p, b.flush); err != nil {
			return err
		}
		b.keys, b.pairs, b.captions = append(b.keys, append([]byte(nil), m.key...)), append(b.pairs, p), append(b.captions, *p.Alt)
	}
}

// pairBatch gathers pairs for the model.
type pairBatch struct {
	pictureBatch
	keys     [][]byte
	pairs    []pair
	captions []string
}

func (b *pairBatch) flush(ctx context.Context) error {
	if len(b.pairs) == 0 {
		return nil
	}
	defer b.give()
	images, err := b.t.cfg.Embedder.EncodeImages(ctx, b.pictures)
	if err != nil {
		return err
	}
	texts, err := b.t.cfg.Embedder.EncodeTexts(ctx, b.captions)
	if err != nil {
		return err
	}
	if len(images) != len(b.pairs) || len(texts) != len(b.pairs) {
		return fmt.Errorf("the model gave %d and %d vectors for %d pairs", len(images), len(texts), len(b.pairs))
	}
	for i := range b.pairs {
		sim, err := match.Similarity(images[i:i+1], texts[i:i+1])
		if err != nil {
			return err
		}
		var e enc
		b.pairs[i].encode(&e)
		e.f32(sim[0][0])
		if err := b.t.emit("scored", 1, 0, b.keys[i], e.b); err != nil {
			return err
		}
	}
	b.t.meter.add(int64(len(b.pairs)))
	b.t.count("pairs.embedded", int64(len(b.pairs)))
	b.keys, b.pairs, b.captions = nil, nil, nil
	return nil
}

func decodeScored(value []byte) (pair, float32, error) {
	d := dec{b: value}
	p := decodePairFrom(&d)
	s := d.f32()
	return p, s, d.end()
}

// doMatchPairs applies the threshold to one part. Outputs: "rows" (one partition; as "scored"), "rejects".
func doMatchPairs(ctx context.Context, t *task) error {
	t.declare("rows", 1)
	m, err := t.own(ctx, from{embedPairs.name, "scored"})
	if err != nil {
		return err
	}
	limits := t.cfg.Settings.PairLimits()
	for {
		more, err := m.next()
		if !more || err != nil {
			return err
		}
		t.meter.add(1)
		p, similarity, err := decodeScored(m.value)
		if err != nil {
			return err
		}
		if rejection := limits.Similar(similarity); rejection != nil {
			ref, err := parsePairRef(m.key)
			if err != nil {
				return err
			}
			if err := t.rejectPair(ref, p.URL, *p.Alt, rejection); err != nil {
				return err
			}
			continue
		}
		if err := t.emit("rows", 1, 0, m.key, m.value); err != nil {
			return err
		}
	}
}
