package report

// One pass over docs (without bytes) and rejects: what is counted, and which rows are shown.

import (
	"context"
	"fmt"

	"mmc4/internal/storage"
	"mmc4/match"
	"mmc4/pipeline"
	"mmc4/pipeline/audit"
	"mmc4/schemas"
)

const (
	shownDocuments = 50
	shownRejects   = 12 // of a rule
)

// place is a row of a table.
type place struct {
	part int
	row  int64
}

// gathering is the state of the passes.
type gathering struct {
	run      storage.Store
	manifest *pipeline.Manifest
	settings *pipeline.Settings
	parts    int
	room     int // bytes that previews may still take

	images, sentences, widths, heights, aspects, similarities *histogram
	hosts                                                     *audit.Counter
	chosen                                                    *sample[place]
	rejected                                                  map[string]*sample[schemas.Reject]
	rejectCounts                                              map[string]int64
}

func newGathering(run storage.Store, m *pipeline.Manifest, s *pipeline.Settings) *gathering {
	return &gathering{run: run, manifest: m, settings: s, parts: audit.Parts(m), room: MaxBytes * 3 / 5,
		images: counts(20), sentences: doubling(12), widths: even(0, 2000, 20), heights: even(0, 2000, 20), aspects: even(0, 3, 30),
		similarities: even(-0.2, 1, 60), hosts: audit.NewCounter(), chosen: newSample[place](shownDocuments),
		rejected: map[string]*sample[schemas.Reject]{}, rejectCounts: map[string]int64{}}
}

func (g *gathering) tables(ctx context.Context) error {
	for part := range g.parts {
		if g.manifest.OverPairs() {
			if err := g.pairsTable(ctx, part); err != nil {
				return err
			}
		} else if err := g.documentsTable(ctx, part); err != nil {
			return err
		}
		for row, err := range audit.Rows[schemas.Reject](ctx, g.run, pipeline.PartName("rejects", part)) {
			if err != nil {
				return err
			}
			g.reject(row.Value)
		}
	}
	return nil
}

func (g *gathering) documentsTable(ctx context.Context, part int) error {
	for row, err := range audit.Rows[schemas.Document](ctx, g.run, pipeline.PartName("docs", part), schemas.Without("image_info.bytes", "page", "text_list")) {
		if err != nil {
			return err
		}
		g.document(row.Value)
		g.chosen.add(row.Value.DocID, place{part, row.Number})
	}
	return nil
}

func (g *gathering) document(d *schemas.Document) {
	g.images.add(float64(len(d.ImageInfo)), 0)
	for i := range d.ImageInfo {
		m := &d.ImageInfo[i]
		if i == 0 && len(d.SimilarityMatrix) > 0 {
			g.sentences.add(float64(len(d.SimilarityMatrix[0])), 0)
		}
		g.widths.add(float64(m.OriginalWidth), 0)
		g.heights.add(float64(m.OriginalHeight), 0)
		g.aspects.add(float64(m.OriginalWidth)/float64(max(1, m.OriginalHeight)), 0)
		if i < len(d.SimilarityMatrix) {
			_, best := match.Best(d.SimilarityMatrix[i])
			g.similarities.add(float64(best), 0)
		}
		g.hosts.Add(audit.HostOf(m.RawURL))
	}
}

func (g *gathering) reject(r *schemas.Reject) {
	g.rejectCounts[r.Rule]++
	if r.Value != nil && r.Rule == schemas.RuleSimilarity {
		g.similarities.add(*r.Value, 1)
	}
	s := g.rejected[r.Rule]
	if s == nil {
		s = newSample[schemas.Reject](shownRejects)
		g.rejected[r.Rule] = s
	}
	s.add(sampleName(r), *r)
}

// sampleName names a reject for sampling: by its image where it has one, so that one picture is shown once.
func sampleName(r *schemas.Reject) string {
	for _, name := range []*string{r.ImageURL, r.DocID, r.Detail} {
		if name != nil && r.Rule != schemas.RuleBadCandidate {
			return *name
		}
	}
	return fmt.Sprintf("%q %q %q", text(r.DocID), text(r.ImageURL), text(r.Detail))
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func (g *gathering) keptHosts() []share {
	var out []share
	all := g.manifest.Counts["images.kept"] + g.manifest.Counts["pairs.kept"] // a run has one of the two
	for _, h := range g.hosts.Top(12) {
		out = append(out, newShare(h.Name, h.Count, all))
	}
	for i := range out { // the widest fills the column
		out[i].Wide = round2(100 * float64(out[i].Count) / float64(out[0].Count))
	}
	return out
}
