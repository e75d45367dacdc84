package report

// A run over lists: its distributions, and sampled pairs with their pictures.

import (
	"context"
	"fmt"

	"mmc4/pipeline"
	"mmc4/pipeline/audit"
	"mmc4/schemas"
)

type pairView struct {
	preview
	URL, Caption, Size, Similarity string
}

// pairsTable goes through one part of pairs, without bytes.
func (g *gathering) pairsTable(ctx context.Context, part int) error {
	for row, err := range audit.Rows[schemas.Pair](ctx, g.run, pipeline.PartName("pairs", part), schemas.Without("bytes")) {
		if err != nil {
			return err
		}
		p := row.Value
		g.widths.add(float64(p.OriginalWidth), 0)
		g.heights.add(float64(p.OriginalHeight), 0)
		g.aspects.add(float64(p.OriginalWidth)/float64(max(1, p.OriginalHeight)), 0)
		if p.Similarity != nil {
			g.similarities.add(float64(*p.Similarity), 0)
		}
		g.hosts.Add(audit.HostOf(p.URL))
		g.chosen.add(p.PairID, place{part, row.Number})
	}
	return nil
}

func (g *gathering) pairs(ctx context.Context) ([]pairView, error) {
	return sampled(ctx, g, "pairs", func(p *schemas.Pair) pairView {
		v := pairView{URL: cut(p.URL, 300), Caption: cut(p.Caption, 300), Size: fmt.Sprintf("%d × %d", p.OriginalWidth, p.OriginalHeight)}
		if p.Similarity != nil {
			v.Similarity = fmt.Sprintf("%.3f", *p.Similarity)
		}
		v.preview = g.preview(g.bytesOf(ctx, &schemas.ImageInfo{ImageName: p.ImageName, Bytes: p.Bytes}), documentSide)
		return v
	})
}
