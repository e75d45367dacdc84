package pipeline

// Stage embed: features. Every image that is left goes through the model once, in batches that depend on nothing but the
// images; then the sentences of the documents that have an image. The features are kept in the run.

import (
	"context"
	"encoding/hex"
	"fmt"
)

var (
	embedImages = &phase{stage: "embed", name: "embed.images", unit: "images",
		tasks: func(r *run) int { return r.cfg.Settings.Partitions }, do: doEmbedImages, feeds: func() []from { return []from{{countVerdict.name, "images"}} }}
	embedSentences = &phase{stage: "embed", name: "embed.sentences", unit: "sentences",
		tasks: func(r *run) int { return r.plan.Parts }, do: doEmbedSentences}
)

// A batch is closed when it holds so many pictures, or so many pixels of them. The numbers are part of what a run is:
// features may differ in their last bits with the batch they were computed in.
const (
	batchImages    = 32
	batchPixels    = 12 << 20
	batchSentences = 64
)

const shaBytes = 32

// doEmbedImages encodes the images of one partition of the hashes. Output: "features" (by part; key docRef, place; value
// pair, features).
func doEmbedImages(ctx context.Context, t *task) error {
	t.declare("features", t.plan.Parts)
	m, err := t.merged(ctx, t.index, from{countVerdict.name, "images"})
	if err != nil {
		return err
	}
	b := imageBatch{pictureBatch: pictureBatch{t: t}}
	defer b.give()
	err = groups(m, func([]byte) int { return shaBytes }, func(group []byte, next func() (bool, error)) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		first := true
		for {
			more, err := next()
			if err != nil {
				return err
			}
			if !more {
				return b.flushIfFull(ctx)
			}
			p, err := decodePair(m.value)
			if err != nil {
				return err
			}
			if first {
				if err := b.add(ctx, &p, b.flush); err != nil {
					return err
				}
				first = false
			}
			b.pairs = append(b.pairs, batchPair{len(b.pictures) - 1, append([]byte(nil), m.key[shaBytes:]...), p})
		}
	})
	if err != nil {
		return err
	}
	return b.flush(ctx)
}

// imageBatch gathers pictures and the pairs that wait for their features.
type imageBatch struct {
	pictureBatch
	pairs []batchPair
}

type batchPair struct {
	picture int
	key     []byte
	pair    pair
}

func (b *imageBatch) flushIfFull(ctx context.Context) error {
	if len(b.pictures) < batchImages {
		return nil
	}
	return b.flush(ctx)
}

func (b *imageBatch) flush(ctx context.Context) error {
	if len(b.pictures) == 0 {
		return nil
	}
	defer b.give()
	features, err := b.t.cfg.Embedder.EncodeImages(ctx, b.pictures)
	if err != nil {
		return err
	}
	if len(features) != len(b.pictures) {
		return fmt.Errorf("the model gave %d vectors for %d pictures", len(features), len(b.pictures))
	}
	for _, p := range b.pairs {
		d, _, err := parseDoc(p.key)
		if err != nil {
			return err
		}
		var e enc
		p.pair.encode(&e)
		e.floats(features[p.picture])
		if err := b.t.emit("features", b.t.plan.Parts, b.t.part(d.URL), p.key, e.b); err != nil {
			return err
		}
	}
	b.t.meter.add(int64(len(b.pictures)))
	b.t.count("images.embedded", int64(len(b.pictures)))
	b.pairs = nil
	return nil
}

// doEmbedSentences encodes the sentences of one part's documents that still have an image. Output: "sentences" (one
// partition; key docRef; value a vector for each).
func doEmbedSentences(ctx context.Context, t *task) error {
	t.declare("sentences", 1)
	wanted, err := t.own(ctx, from{countVerdict.name, "documents"})
	if err != nil {
		return err
	}
	text, err := t.merged(ctx, t.index, from{locateDocuments.name, "text"})
	if err != nil {
		return err
	}
	b := sentenceBatch{t: t}
	for {
		more, err := wanted.next()
		if err != nil {
			return err
		}
		if !more {
			return b.flush(ctx)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		found, err := seek(text, wanted.key)
		if err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("the text of a document is gone (%s)", hex.EncodeToString(wanted.key))
		}
		sentences, err := decodeSentences(text.value)
		if err != nil {
			return err
		}
		if err := b.add(ctx, wanted.key, sentences); err != nil {
			return err
		}
	}
}

// sentenceBatch gathers documents until their sentences make a batch.
type sentenceBatch struct {
	t    *task
	keys [][]byte
	lens []int
	text []string
}

func (b *sentenceBatch) add(ctx context.Context, key []byte, sentences []string) error {
	b.keys = append(b.keys, append([]byte(nil), key...))
	b.lens = append(b.lens, len(sentences))
	b.text = append(b.text, sentences...)
	if len(b.text) < batchSentences {
		return nil
	}
	return b.flush(ctx)
}

func (b *sentenceBatch) flush(ctx context.Context) error {
	if len(b.keys) == 0 {
		return nil
	}
	var features [][]float32
	for at := 0; at < len(b.text); at += batchSentences {
		some, err := b.t.cfg.Embedder.EncodeTexts(ctx, b.text[at:min(at+batchSentences, len(b.text))])
		if err != nil {
			return err
		}
		features = append(features, some...)
	}
	if len(features) != len(b.text) {
		return fmt.Errorf("the model gave %d vectors for %d sentences", len(features), len(b.text))
	}
	b.t.meter.add(int64(len(features)))
	b.t.count("sentences.embedded", int64(len(features)))
	at := 0
	for i, key := range b.keys {
		var e enc
		e.u(uint64(b.lens[i]))
		for _, f := range features[at : at+b.lens[i]] {
			e.floats(f)
		}
		at += b.lens[i]
		if err := b.t.emit("sentences", 1, 0, key, e.b); err != nil {
			return err
		}
	}
	b.keys, b.lens, b.text = nil, nil, nil
	return nil
}

func decodeVectors(value []byte) ([][]float32, error) {
	d := dec{b: value}
	out := make([][]float32, d.count())
	for i := range out {
		out[i] = d.floats()
	}
	return out, d.end()
}

// seek moves a stream forward to a key and tells whether it is there. Keys must be asked for in order.
func seek(m *merge, key []byte) (bool, error) {
	for {
		more, err := m.next()
		if !more || err != nil {
			return false, err
		}
		switch c := string(m.key); {
		case c == string(key):
			return true, nil
		case c > string(key):
			m.back()
			return false, nil
		}
	}
}
