package pipeline

// Stage match: to every document its images at its sentences. Three sorted streams of one part come together: where the
// document was found, its text, and the features. What is left of a document becomes a row of docs, still without bytes.

import (
	"context"
	"fmt"

	"mmc4/dedup"
	"mmc4/match"
	"mmc4/schemas"
)

var matchDocuments = &phase{stage: "match", name: "match", unit: "documents",
	tasks: func(r *run) int { return r.plan.Parts }, do: doMatch, feeds: locating}

// featured is a pair with its features.
type featured struct {
	pair
	place    uint32
	features []float32
}

// doMatch matches one part. Outputs: "rows" (one partition; key docRef; value matched), "rejects".
func doMatch(ctx context.Context, t *task) error {
	t.declare("rows", 1)
	found, err := t.merged(ctx, t.index, locating()...)
	if err != nil {
		return err
	}
	text, err := t.merged(ctx, t.index, from{locateDocuments.name, "text"})
	if err != nil {
		return err
	}
	images, err := t.merged(ctx, t.index, from{embedImages.name, "features"})
	if err != nil {
		return err
	}
	sentences, err := t.own(ctx, from{embedSentences.name, "sentences"})
	if err != nil {
		return err
	}
	matcher, err := t.newMatcher(ctx)
	if err != nil {
		return err
	}
	for {
		more, err := found.next()
		if !more || err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		t.meter.add(1)
		d, _, err := parseDoc(found.key)
		if err != nil {
			return err
		}
		left, err := imagesOf(images, found.key)
		if err != nil {
			return err
		}
		row := matched{}
		if row.located, err = decodeLocated(found.value); err != nil {
			return err
		}
		if len(left) > 0 {
			if err := lookUp(text, found.key, func(v []byte) error { row.Sentences, err = decodeSentences(v); return err }); err != nil {
				return err
			}
			var vectors [][]float32
			if err := lookUp(sentences, found.key, func(v []byte) error { vectors, err = decodeVectors(v); return err }); err != nil {
				return err
			}
			if err := matcher.match(d, left, vectors, &row); err != nil {
				return err
			}
		}
		if len(row.Images) == 0 {
			id := d.id()
			if err := t.reject(d, afterImages, &schemas.Reject{Rule: schemas.RuleNoImage, DocID: &id, URL: &d.URL}); err != nil {
				return err
			}
			continue
		}
		t.count("documents.kept", 1)
		t.count("images.kept", int64(len(row.Images)))
		t.count("sentences.kept", int64(len(row.Sentences)))
		var e enc
		row.encode(&e)
		if err := t.emit("rows", 1, 0, found.key, e.b); err != nil {
			return err
		}
	}
}

func lookUp(m *merge, key []byte, read func(value []byte) error) error {
	ok, err := seek(m, key)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("%w: a document's text or features are missing", errDamagedShard)
	}
	return read(m.value)
}

// imagesOf reads the features of a document's images, in their order on the page.
func imagesOf(m *merge, doc []byte) ([]featured, error) {
	var out []featured
	for {
		more, err := m.next()
		if !more || err != nil {
			return out, err
		}
		switch n := docKeyLen(m.key); {
		case n < 0:
			return nil, fmt.Errorf("%w: a key has another form", errDamagedShard)
		case string(m.key[:n]) == string(doc):
			d := dec{b: m.value}
			f := featured{pair: decodePairFrom(&d), features: d.floats()}
			if err := d.end(); err != nil {
				return nil, err
			}
			if f.place, err = parsePlace(m.key[n:]); err != nil {
				return nil, err
			}
			out = append(out, f)
		case string(m.key[:n]) > string(doc):
			m.back()
			return out, nil
		}
	}
}

// matcher applies the rules on features and assigns sentences.
type matcher struct {
	t      *task
	limits *dedup.Profile
	nsfw   *dedup.Head // nil: off
	faces  *dedup.Head
	solver match.Solver
}

func (t *task) newMatcher(ctx context.Context) (*matcher, error) {
	m := &matcher{t: t, limits: t.cfg.Settings.limits()}
	var err error
	if m.nsfw, err = t.head(ctx, &t.once.nsfw, t.cfg.NSFW); err != nil {
		return nil, err
	}
	m.faces, err = t.head(ctx, &t.once.faces, t.cfg.Faces)
	return m, err
}

func (t *task) head(ctx context.Context, once *lazy[*dedup.Head], path string) (*dedup.Head, error) {
	if path == "" {
		return nil, nil
	}
	return once.get(func() (*dedup.Head, error) { return dedup.LoadHead(ctx, path) })
}

// match fills in a document's row: the images that no rule leaves out, each with its sentence.
func (m *matcher) match(d docRef, images []featured, sentences [][]float32, row *matched) error {
	id := d.id()
	features := make([][]float32, len(images))
	for i := range images {
		features[i] = images[i].features
	}
	scores := func(h *dedup.Head) ([]float32, error) {
		if h == nil {
			return nil, nil
		}
		return h.Scores(features)
	}
	nsfw, err := scores(m.nsfw)
	if err != nil {
		return fmt.Errorf("--nsfw: %w", err)
	}
	faces, err := scores(m.faces)
	if err != nil {
		return fmt.Errorf("--faces: %w", err)
	}
	sim, err := match.Similarity(features, sentences)
	if err != nil {
		return err
	}
	for i := range images {
		image := matchedImage{pair: images[i].pair}
		var rejection *dedup.Rejection
		if nsfw != nil {
			image.NSFW, rejection = &nsfw[i], m.limits.NSFWScore(nsfw[i])
		}
		if faces != nil && rejection == nil {
			image.Face, rejection = &faces[i], m.limits.FaceScore(faces[i])
		}
		if rejection == nil {
			_, best := match.Best(sim[i])
			rejection = m.limits.Similar(best)
		}
		if rejection != nil {
			if err := m.t.rejectImage(d, id, images[i].place, image.URL, rejection); err != nil {
				return err
			}
			continue
		}
		row.Images = append(row.Images, image)
		row.Similarity = append(row.Similarity, sim[i])
	}
	at, err := m.solver.Assign(nil, row.Similarity)
	if err != nil {
		return fmt.Errorf("document %s: %w", d.URL, err)
	}
	for i := range row.Images {
		row.Images[i].Sentence = int32(at[i])
	}
	return nil
}

// matched is a document with what is kept of its images.
type matched struct {
	located
	Sentences  []string
	Images     []matchedImage
	Similarity [][]float32
}

type matchedImage struct {
	pair
	NSFW, Face *float32
	Sentence   int32
}

func (m *matched) encode(e *enc) {
	m.located.encode(e)
	e.u(uint64(len(m.Sentences)))
	for _, s := range m.Sentences {
		e.str(s)
	}
	e.u(uint64(len(m.Images)))
	for i := range m.Images {
		image := &m.Images[i]
		image.pair.encode(e)
		optional(e, image.NSFW, e.f32)
		optional(e, image.Face, e.f32)
		e.i(int64(image.Sentence))
		e.floats(m.Similarity[i])
	}
}

func decodeMatched(value []byte) (m matched, err error) {
	d := dec{b: value}
	m.located = decodeLocatedFrom(&d)
	m.Sentences = make([]string, d.count())
	for i := range m.Sentences {
		m.Sentences[i] = d.str()
	}
	for range d.count() {
		m.Images = append(m.Images, matchedImage{decodePairFrom(&d), maybe(&d, d.f32), maybe(&d, d.f32), int32(d.i())})
		m.Similarity = append(m.Similarity, d.floats())
	}
	return m, d.end()
}
