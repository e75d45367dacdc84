package pipeline

// Stage inspect: bytes to pictures. Every image is decoded once, measured and hashed; the outcome becomes its row of
// images; and to every use of it the rules on outcome and size are applied.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"mmc4/crawl/fetch"
	"mmc4/dedup"
	"mmc4/internal/imaging"
	"mmc4/internal/storage"
	"mmc4/schemas"
)

var inspectImages = &phase{stage: "inspect", name: "inspect", unit: "images",
	tasks: func(r *run) int { return r.cfg.Settings.Partitions }, do: doInspect, feeds: func() []from { return []from{{fetchImages.name, "segments"}} }}

// doInspect handles the URLs of one fetching task. Outputs: "pairs" (by part; key docRef, place; value pair), "images" (by
// the part of the URL; key URL; value images row), "rejects"; of a run over lists also "shrunk".
func doInspect(ctx context.Context, t *task) error {
	fetched := t.journal.get(fetchImages.name, t.index)
	results := newSorter(1, t.scratch)
	defer results.drop()
	seen, err := t.unusedURLs(ctx)
	if err != nil {
		return err
	}
	t.shrinker = t.newShrinker()
	defer t.shrinker.abort()
	for _, a := range fetched.Outputs {
		if a.Output != "segments" {
			continue
		}
		if err := t.inspectSegment(ctx, a, seen, results); err != nil {
			return err
		}
	}
	if err := t.shrinker.commit(ctx); err != nil {
		return err
	}
	sorted, err := newScratch(t.scratch, 1, results.finish)
	if err != nil {
		return err
	}
	defer sorted.close()
	uses, err := t.merged(ctx, t.index, using()...)
	if err != nil {
		return err
	}
	byURL := sorted.partition(0)
	return groups(uses, urlKeyLen, func(group []byte, next func() (bool, error)) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := byURL.next()
		if err != nil {
			return err
		}
		if !more || string(byURL.key) != string(group) {
			return fmt.Errorf("the fetched images and the uses of images do not belong together (at %q)", group)
		}
		p, outcome, err := decodeInspected(byURL.value)
		if err != nil {
			return err
		}
		if p.URL, _, err = parseURLKey(group); err != nil {
			return err
		}
		for {
			more, err := next()
			if !more || err != nil {
				return err
			}
			used := t.usedImage
			if len(t.cfg.Pairs) > 0 {
				used = t.usedPair
			}
			if err := used(uses.key[len(group):], uses.value, p, outcome); err != nil {
				return err
			}
		}
	})
}

// unusedURLs are those of the segments that no document uses.
func (t *task) unusedURLs(ctx context.Context) (map[urlID]bool, error) {
	unused := map[urlID]bool{}
	m, err := t.own(ctx, from{fetchImages.name, "unused"})
	if err != nil {
		return nil, err
	}
	for {
		more, err := m.next()
		if !more || err != nil {
			return unused, err
		}
		if len(m.key) == len(urlID{}) {
			unused[urlID(m.key)] = true
		}
	}
}

// usedImage applies outcome and size rules to one use of an image.
func (t *task) usedImage(key, value []byte, p pair, outcome string) error {
	d, rest, err := parseDoc(key)
	if err != nil {
		return err
	}
	place, err := parsePlace(rest)
	if err != nil {
		return err
	}
	limits := t.cfg.Settings.limits()
	rejection := limits.Fetched(outcome)
	if rejection == nil {
		rejection = limits.Size(int(p.Width), int(p.Height))
	}
	if rejection != nil {
		return t.rejectImage(d, d.id(), place, p.URL, rejection)
	}
	v := dec{b: value}
	p.Attr, p.Alt = v.str(), maybe(&v, v.str)
	if err := v.end(); err != nil {
		return err
	}
	var e enc
	p.encode(&e)
	return t.emit("pairs", t.plan.Parts, t.part(d.URL), key, e.b)
}

// inspectSegment decodes the images of a segment.
func (t *task) inspectSegment(ctx context.Context, a artifact, seen map[urlID]bool, results *sorter) error {
	o, err := t.openWork(ctx, a)
	if err != nil {
		return err
	}
	defer o.Close()
	s := &shard{r: o, name: t.store.Location(a.Name), spans: a.Spans}
	for r := s.partition(0); ; {
		if err := ctx.Err(); err != nil {
			return err
		}
		more, err := r.next()
		if !more || err != nil {
			return err
		}
		row, b, err := decodeFetched(r.value)
		if err != nil {
			return err
		}
		if id := keyOf(row.ImageURL); seen[id] {
			continue
		} else {
			seen[id] = true
		}
		p := pair{Body: b}
		if row.Outcome == schemas.OutcomeOK {
			data, err := s.blob(b.Offset, b.Length)
			if err != nil {
				return err
			}
			if err := t.inspectImage(ctx, data, &row, &p); err != nil {
				return err
			}
		}
		t.meter.add(1)
		t.count("images."+row.Outcome, 1)
		var e enc
		encodeImage(&e, &row)
		if err := t.emit("images", t.plan.Parts, t.part(row.ImageURL), keyText(nil, row.ImageURL), e.b); err != nil {
			return err
		}
		var v enc
		v.str(row.Outcome)
		p.encode(&v)
		results.add(0, urlKey(nil, row.ImageURL), v.b)
		if results.size() > t.budget.sorters(t.cfg.Workers)/2 {
			if err := results.spill(); err != nil {
				return err
			}
		}
	}
}

func decodeInspected(value []byte) (pair, string, error) {
	d := dec{b: value}
	outcome := d.str()
	p := decodePairFrom(&d)
	return p, outcome, d.end()
}

// inspectImage decodes an image and fills in its row and what every pair with it has in common.
func (t *task) inspectImage(ctx context.Context, data []byte, row *schemas.ImageRow, p *pair) error {
	sum := sha256.Sum256(data)
	p.SHA256 = hex.EncodeToString(sum[:])
	row.SHA256, row.Size = &p.SHA256, some(int64(len(data)))
	picture, give, err := t.decode(ctx, data)
	if err != nil {
		if outcome := decodeOutcome(err); outcome != "" {
			row.Outcome, row.Detail = outcome, some(err.Error())
			return nil
		}
		return err
	}
	defer give()
	if p.PHash, err = dedup.PHash(picture); err != nil {
		return err
	}
	p.Width, p.Height, p.Media, p.Alpha = int32(picture.Width), int32(picture.Height), picture.Format.MediaType(), picture.HasAlpha()
	row.Width, row.Height, row.MediaType, row.PHash = &p.Width, &p.Height, &p.Media, some(dedup.HashString(p.PHash))
	return t.shrinker.add(ctx, data, picture, p)
}

// decode decodes a picture within the memory budget; give ends the picture and returns the memory.
func (t *task) decode(ctx context.Context, data []byte) (picture *imaging.Picture, give func(), err error) {
	limits := imaging.Limits{MaxPixels: t.cfg.Settings.MaxPixels}
	pixels := int64(0)
	if c, err := imaging.Probe(data); err == nil {
		pixels = min(int64(c.Width)*int64(c.Height), limits.MaxPixels)
	}
	taken, err := t.budget.take(ctx, int64(len(data))+decodeBytes*pixels)
	if err != nil {
		return nil, nil, err
	}
	picture, err = imaging.Decode(data, limits)
	if err != nil {
		taken()
		return nil, nil, err
	}
	return picture, func() {
		picture.Release()
		taken()
	}, nil
}

// decodeBytes is about what decoding takes for a pixel: the decoder's own picture, and one as RGB.
const decodeBytes = 8

// decodeOutcome is the contract's word for a decoder's error, "" for an error that is not the picture's fault.
func decodeOutcome(err error) string {
	for _, o := range []struct {
		err     error
		outcome fetch.Outcome
	}{{imaging.ErrNotImage, fetch.NotImage}, {imaging.ErrTruncated, fetch.Truncated}, {imaging.ErrTooManyPixels, fetch.TooManyPixels},
		{imaging.ErrDamaged, fetch.DecodeError}} {
		if errors.Is(err, o.err) {
			return string(o.outcome)
		}
	}
	return ""
}

// readBody reads an image's bytes from where fetching left them.
func (t *task) readBody(b body) ([]byte, error) {
	o, ok := t.bodies[b.Shard]
	if !ok {
		opened, err := t.store.Open(t.ctx, b.Shard)
		if errors.Is(err, storage.ErrNotExist) {
			return nil, fmt.Errorf("%w %s: it is gone, though it holds a picture that was fetched", errDamagedShard, t.store.Location(b.Shard))
		}
		if err != nil {
			return nil, err
		}
		if len(t.bodies) >= openBodies { // any one goes; the order of reading is random anyway
			for name, old := range t.bodies {
				old.Close()
				delete(t.bodies, name)
				break
			}
		}
		if t.bodies == nil {
			t.bodies = map[string]storage.Object{}
		}
		t.bodies[b.Shard] = opened
		o = opened
	}
	return (&shard{r: o, name: t.store.Location(b.Shard)}).blob(b.Offset, b.Length)
}

// openBodies is the number of segments a task holds open to read bodies by their place.
const openBodies = 64
