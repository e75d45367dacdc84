package pipeline

// Stage pack: the product. One part of docs with its pictures in the stored form, of rejects and of images.

import (
	"context"
	"fmt"

	"mmc4/dedup"
	"mmc4/internal/imaging"
	"mmc4/schemas"
)

var packParts = &phase{stage: "pack", name: "pack", unit: "documents",
	tasks: func(r *run) int { return r.plan.Parts }, do: doPack, feeds: func() []from { return []from{{matchDocuments.name, "rows"}} }}

// doPack writes RUN/docs, RUN/rejects and RUN/images of one part, and RUN/files. The names are those of the product: two
// processes at one task write the same bytes.
func doPack(ctx context.Context, t *task) error {
	rows, err := t.own(ctx, from{matchDocuments.name, "rows"})
	if err != nil {
		return err
	}
	err = writeTable(ctx, t, "docs", rows, func(key, value []byte) (*schemas.Document, error) {
		t.meter.add(1)
		return t.packed(ctx, key, value)
	})
	if err != nil {
		return err
	}
	return t.packRest(ctx)
}

// packRest writes RUN/rejects and RUN/images of one part.
func (t *task) packRest(ctx context.Context) error {
	rejects, err := t.merged(ctx, t.index, t.rejecting()...)
	if err != nil {
		return err
	}
	err = writeTable(ctx, t, "rejects", rejects, func(key, value []byte) (*schemas.Reject, error) {
		r, err := decodeReject(value)
		return &r, err
	})
	if err != nil {
		return err
	}
	images, err := t.merged(ctx, t.index, from{inspectImages.name, "images"})
	if err != nil {
		return err
	}
	return writeTable(ctx, t, "images", images, func(key, value []byte) (*schemas.ImageRow, error) {
		d := dec{b: value}
		row := decodeImageFrom(&d)
		return &row, d.end()
	})
}

// partName is the name of a part of a table.
func partName(table string, part int) string { return fmt.Sprintf("%s/part-%05d.parquet", table, part) }

// writeTable writes one part of a table from a stream of records.
func writeTable[T schemas.Row](ctx context.Context, t *task, table string, m *merge, row func(key, value []byte) (*T, error)) error {
	f, err := t.create(ctx, partName(table, t.index))
	if err != nil {
		return err
	}
	defer f.Abort()
	buffered := newBufferedWriter(f)
	w := schemas.NewWriter[T](buffered)
	for {
		more, err := m.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := row(m.key, m.value)
		if err != nil {
			return err
		}
		if err := w.Write(r); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	a, err := f.commit(ctx, table)
	a.Rows = w.Rows()
	t.entry.Outputs = append(t.entry.Outputs, a)
	return err
}

// packed makes the row of docs of a matched document.
func (t *task) packed(ctx context.Context, key, value []byte) (*schemas.Document, error) {
	d, _, err := parseDoc(key)
	if err != nil {
		return nil, err
	}
	m, err := decodeMatched(value)
	if err != nil {
		return nil, err
	}
	doc := &schemas.Document{DocID: d.id(), URL: d.URL, Timestamp: d.Timestamp, TextList: m.Sentences, SimilarityMatrix: m.Similarity,
		Page: m.Page}
	if m.Duplicate {
		doc.CouldHaveURLDuplicate = 1
	}
	for i := range m.Images {
		image := &m.Images[i]
		stored, err := t.stored(ctx, &image.pair)
		if err != nil {
			return nil, fmt.Errorf("image %s of %s: %w", image.URL, d.URL, err)
		}
		info := schemas.ImageInfo{RawURL: image.URL, MatchedTextIndex: image.Sentence, MatchedSim: m.Similarity[i][image.Sentence],
			Width: stored.width, Height: stored.height, OriginalWidth: image.Width, OriginalHeight: image.Height, MediaType: stored.media,
			SHA256: image.SHA256, PHash: dedup.HashString(image.PHash), NSFW: image.NSFW, Face: image.Face, Attr: image.Attr, Alt: image.Alt,
			ImageName: schemas.ImageName(image.SHA256, stored.media)}
		switch t.cfg.Settings.Images {
		case "bytes":
			info.Bytes = stored.data
		case "files":
			if err := t.writeFile(ctx, "files/"+info.ImageName, stored.data); err != nil {
				return nil, err
			}
		}
		doc.ImageInfo = append(doc.ImageInfo, info)
	}
	return doc, nil
}

// storedForm is a picture as it is kept.
type storedForm struct {
	data          []byte
	media         string
	width, height int32
}

// stored makes the stored form of an image: as it was fetched, or shrunk and encoded again (--resize). Under --images none
// nothing is stored, and the fetched form is the one to speak of.
func (t *task) stored(ctx context.Context, p *pair) (storedForm, error) {
	form := storedForm{media: p.Media, width: p.Width, height: p.Height}
	if t.cfg.Settings.Images == "none" {
		return form, nil
	}
	var err error
	if s := p.Shrunk; s != nil {
		data, err := t.readBody(s.Body)
		return storedForm{data, s.Media, s.Width, s.Height}, err
	}
	if form.data, err = t.readBody(p.Body); err != nil {
		return form, err
	}
	side := t.cfg.Settings.longestSide()
	if keptAsFetched(p, side) {
		return form, nil
	}
	picture, give, err := t.decode(ctx, form.data)
	if err != nil {
		return form, err
	}
	defer give()
	shrunk, err := imaging.ShrinkMMC4(form.data, picture, side)
	if err != nil {
		return form, err
	}
	t.count("images.encoded", 1)
	return storedForm{shrunk.Data, shrunk.Format.MediaType(), int32(shrunk.Width), int32(shrunk.Height)}, nil
}

// keptAsFetched tells whether a picture is stored as it was fetched: under a longest side of 0 always.
func keptAsFetched(p *pair, side int) bool {
	plain := p.Media == imaging.JPEG.MediaType() || p.Media == imaging.PNG.MediaType()
	return side == 0 || plain && int(max(p.Width, p.Height)) <= side
}

// writeFile writes RUN/files/IMAGE_NAME. The name says the bytes: who writes it twice writes the same.
func (t *task) writeFile(ctx context.Context, name string, data []byte) error {
	if t.files[name] {
		return nil
	}
	f, err := t.create(ctx, name)
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write(data); err != nil {
		return err
	}
	a, err := f.commit(ctx, "files")
	if err != nil {
		return err
	}
	if t.files == nil {
		t.files = map[string]bool{}
	}
	t.files[name] = true
	t.entry.Outputs = append(t.entry.Outputs, a)
	return nil
}
