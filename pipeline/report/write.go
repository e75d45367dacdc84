package report

// Write and Render: passes over the run, then the page.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html/template"
	"io"
	"sync"

	"mmc4/internal/storage"
	"mmc4/pipeline"
	"mmc4/pipeline/audit"

	_ "embed"
)

// Name is the report's name in a run.
const Name = "report.html"

// MaxBytes is about the most that a report grows to.
const MaxBytes = 15 << 20

//go:embed page.html
var pageText string

//go:embed page.css
var styleText string

var pageTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(template.FuncMap{
		"n": thousands, "pct": percent, "size": bytesWords, "num": number, "css": func() template.CSS { return template.CSS(styleText) },
	}).Parse(pageText))
})

// Write makes RUN/report.html, in place of an older one, and gives the manifest's line for it. m is the run's manifest, or
// what will be: pipeline.Config's Finish.
func Write(ctx context.Context, run storage.Store, m *pipeline.Manifest) (pipeline.Output, error) {
	out := pipeline.Output{Name: Name}
	var page bytes.Buffer
	if err := Render(ctx, run, m, &page); err != nil {
		return out, err
	}
	sum := sha256.Sum256(page.Bytes())
	out.Size, out.SHA256 = int64(page.Len()), hex.EncodeToString(sum[:])
	return out, storage.WriteFile(ctx, run, Name, page.Bytes())
}

// Render writes the report of a run whose tables are complete.
func Render(ctx context.Context, run storage.Store, m *pipeline.Manifest, w io.Writer) error {
	p, err := gather(ctx, run, m)
	if err != nil {
		return err
	}
	if err := pageTemplate().Execute(w, p); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// page is everything that the template shows.
type page struct {
	Manifest  *pipeline.Manifest
	Settings  pipeline.Settings
	Explained *audit.Explanation
	Funnels   []funnel
	Charts    []*chart
	Outcomes  []share
	KeptHosts []share
	Documents []documentView
	Pairs     []pairView // of a run over lists, instead of documents
	Rejects   []rejectGroup
	Facts     []fact
	Config    string
	Sentences int64
	Bytes     int64 // of the tables and pictures
	Files     int
	PerDoc    float64
	Resized   int
}

func gather(ctx context.Context, run storage.Store, m *pipeline.Manifest) (*page, error) {
	explained, err := audit.Explain(ctx, run, m)
	if err != nil {
		return nil, err
	}
	settings, err := m.Settings()
	if err != nil {
		return nil, err
	}
	p := &page{Manifest: m, Settings: settings, Explained: explained, Sentences: m.Counts["sentences.kept"], Resized: settings.LongestSide()}
	for _, o := range m.Outputs {
		if o.Name != Name { // of an older report of the same run
			p.Bytes += o.Size
			p.Files++
		}
	}
	if n := explained.Documents.Kept; n > 0 {
		p.PerDoc = float64(explained.Images.Kept) / float64(n)
	}
	p.Funnels = []funnel{newFunnel("Documents", "read from C4", explained.Documents), newFunnel("Images", "found on their pages", explained.Images)}
	if explained.OverPairs {
		p.Funnels = []funnel{newFunnel("Pairs", "rows of the lists", explained.Images)}
	}
	p.Outcomes = outcomeShares(explained)
	g := newGathering(run, m, &settings)
	if err := g.tables(ctx); err != nil {
		return nil, err
	}
	p.Charts, p.KeptHosts = g.charts(), g.keptHosts()
	if explained.OverPairs {
		p.Pairs, err = g.pairs(ctx)
	} else {
		p.Documents, err = g.documents(ctx)
	}
	if err != nil {
		return nil, err
	}
	if p.Rejects, err = g.rejects(ctx); err != nil {
		return nil, err
	}
	p.Facts, p.Config = facts(m, p.Files), configText(m)
	return p, nil
}
