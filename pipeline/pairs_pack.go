package pipeline

// Stage pack of a run over lists: RUN/pairs and RUN/webdataset, with RUN/rejects and RUN/images as in every run.

import (
	"bufio"
	"context"
	"fmt"

	"mmc4/dedup"
	"mmc4/schemas"
)

var packPairs = &phase{stage: "pack", name: "pack.pairs", unit: "pairs",
	tasks: func(r *run) int { return r.plan.Parts }, do: doPackPairs, feeds: func() []from { return []from{{matchPairs.name, "rows"}, {inspectImages.name, "pairs"}} }}

// doPackPairs writes the files of one part.
func doPackPairs(ctx context.Context, t *task) error {
	rows, err := t.pairRows(ctx)
	if err != nil {
		return err
	}
	tar, err := t.newPairTar(ctx)
	if err != nil {
		return err
	}
	defer tar.abort()
	err = writeTable(ctx, t, "pairs", rows, func(key, value []byte) (*schemas.Pair, error) {
		t.meter.add(1)
		row, data, err := t.packedPair(ctx, key, value)
		if err != nil {
			return nil, err
		}
		t.count("pairs.kept", 1)
		if t.cfg.Settings.Images == "files" {
			if err := t.writeFile(ctx, "files/"+row.ImageName, data); err != nil {
				return nil, err
			}
		}
		if err := tar.write(row, data); err != nil {
			return nil, err
		}
		if t.cfg.Settings.PairsInBytes() {
			row.Bytes = data
		}
		return row, nil
	})
	if err != nil {
		return err
	}
	if err := tar.commit(ctx, t); err != nil {
		return err
	}
	return t.packRest(ctx)
}

// pairRows are the pairs of the part that no rule left out.
func (t *task) pairRows(ctx context.Context) (*merge, error) {
	if t.cfg.Settings.Pairs.Score {
		return t.own(ctx, from{matchPairs.name, "rows"})
	}
	return t.merged(ctx, t.index, from{inspectImages.name, "pairs"})
}

// packedPair makes the row of a pair, without bytes, and its picture in the stored form (nil under --images none).
func (t *task) packedPair(ctx context.Context, key, value []byte) (*schemas.Pair, []byte, error) {
	ref, err := parsePairRef(key)
	if err != nil {
		return nil, nil, err
	}
	var p pair
	var similarity *float32
	if t.cfg.Settings.Pairs.Score {
		var s float32
		p, s, err = decodeScored(value)
		similarity = &s
	} else {
		p, err = decodePair(value)
	}
	if err != nil {
		return nil, nil, err
	}
	stored, err := t.stored(ctx, &p)
	if err != nil {
		return nil, nil, fmt.Errorf("image %s: %w", p.URL, err)
	}
	row := &schemas.Pair{PairID: schemas.PairID(p.URL, *p.Alt, ref.List, int64(ref.Row)), URL: p.URL, Caption: *p.Alt,
		ImageName: schemas.ImageName(p.SHA256, stored.media), Width: stored.width, Height: stored.height, OriginalWidth: p.Width,
		OriginalHeight: p.Height, MediaType: stored.media, SHA256: p.SHA256, PHash: dedup.HashString(p.PHash), Similarity: similarity,
		ListFile: t.listName(ref), ListRow: int64(ref.Row)}
	return row, stored.data, nil
}

// pairTar is the part as a tar; nil where the run makes none.
type pairTar struct {
	file *file
	out  *bufio.Writer
	w    *schemas.WebDatasetWriter
}

func (t *task) newPairTar(ctx context.Context) (*pairTar, error) {
	if !t.cfg.Settings.PairsInTars() {
		return nil, nil
	}
	f, err := t.create(ctx, WebDatasetName(t.index))
	if err != nil {
		return nil, err
	}
	out := newBufferedWriter(f)
	return &pairTar{f, out, schemas.NewWebDatasetWriter(out)}, nil
}

func (p *pairTar) write(row *schemas.Pair, data []byte) error {
	if p == nil {
		return nil
	}
	return p.w.Write(row, data)
}

func (p *pairTar) commit(ctx context.Context, t *task) error {
	if p == nil {
		return nil
	}
	if err := p.w.Close(); err != nil {
		return err
	}
	if err := p.out.Flush(); err != nil {
		return err
	}
	a, err := p.file.commit(ctx, "webdataset")
	a.Rows = p.w.Rows()
	t.entry.Outputs = append(t.entry.Outputs, a)
	return err
}

func (p *pairTar) abort() {
	if p != nil {
		p.file.Abort()
	}
}
