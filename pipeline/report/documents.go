package report

// The sampled documents, laid out: each picture at its sentence.

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"mmc4/internal/storage"
	"mmc4/pipeline"
	"mmc4/schemas"
)

const (
	shownPictures  = 12  // of a document
	shownSentences = 40  // of a document, beside those with a picture
	shownLetters   = 600 // of a sentence
)

type documentView struct {
	ID, URL, When, Capture string
	Images, Sentences      int
	Duplicate              bool
	Lines                  []line
	Hidden                 int // sentences that are not shown
}

// line is a sentence with its pictures.
type line struct {
	Number   int // from 1
	Text     string
	Pictures []picture
	Skipped  int // sentences left out before it
}

type picture struct {
	preview
	Similarity float32
	Alt, URL   string
	Size       string
}

// documents reads the sampled rows with their bytes, in the order of the sample.
func (g *gathering) documents(ctx context.Context) ([]documentView, error) {
	return sampled(ctx, g, "docs", func(d *schemas.Document) documentView { return g.view(ctx, d) })
}

// sampled reads the sampled rows of a table, in the order of the sample.
func sampled[T schemas.Row, V any](ctx context.Context, g *gathering, table string, view func(*T) V) ([]V, error) {
	chosen := g.chosen.values()
	order := map[place]int{}
	for i, p := range chosen {
		order[p] = i
	}
	views := make([]V, len(chosen))
	byFile := slices.Clone(chosen)
	slices.SortFunc(byFile, func(a, b place) int { return cmp.Or(cmp.Compare(a.part, b.part), cmp.Compare(a.row, b.row)) })
	for len(byFile) > 0 {
		n := 1
		for n < len(byFile) && byFile[n].part == byFile[0].part {
			n++
		}
		if err := rowsOf(ctx, g, table, byFile[:n], func(p place, row *T) { views[order[p]] = view(row) }); err != nil {
			return nil, err
		}
		byFile = byFile[n:]
	}
	return views, nil
}

// rowsOf reads some rows of one part.
func rowsOf[T schemas.Row](ctx context.Context, g *gathering, table string, rows []place, found func(place, *T)) error {
	name := pipeline.PartName(table, rows[0].part)
	o, err := g.run.Open(ctx, name)
	if err != nil {
		return err
	}
	defer o.Close()
	r, err := schemas.NewReader[T](o, o.Info().Size)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer r.Close()
	for _, p := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		one := make([]T, 1)
		err := r.SeekToRow(p.row)
		if err == nil {
			var n int
			if n, err = r.Read(one); n == 1 {
				err = nil
			}
		}
		if err != nil {
			return fmt.Errorf("%s row %d: %w", name, p.row, err)
		}
		found(p, &one[0])
	}
	return nil
}

func (g *gathering) view(ctx context.Context, d *schemas.Document) documentView {
	v := documentView{ID: d.DocID, URL: d.URL, When: d.Timestamp.UTC().Format("2006-01-02"), Images: len(d.ImageInfo), Sentences: len(d.TextList),
		Capture: d.Page.Route + ", " + d.Page.Match + ", " + d.Page.WARCDate.UTC().Format("2006-01-02"), Duplicate: d.CouldHaveURLDuplicate == 1}
	pictures := map[int][]picture{}
	for i := range d.ImageInfo {
		m := &d.ImageInfo[i]
		p := picture{preview: preview{Why: fmt.Sprintf("the first %d pictures are shown", shownPictures)}, Similarity: m.MatchedSim, URL: m.RawURL,
			Size: fmt.Sprintf("%d × %d", m.OriginalWidth, m.OriginalHeight)}
		if i < shownPictures {
			p.preview = g.preview(g.bytesOf(ctx, m), documentSide)
		}
		if m.Alt != nil {
			p.Alt = cut(*m.Alt, 200)
		}
		pictures[int(m.MatchedTextIndex)] = append(pictures[int(m.MatchedTextIndex)], p)
	}
	shown, skipped := 0, 0
	for i, text := range d.TextList {
		if pictures[i] == nil && shown >= shownSentences {
			skipped++
			continue
		}
		v.Lines = append(v.Lines, line{i + 1, cut(text, shownLetters), pictures[i], skipped})
		shown++
		skipped = 0
	}
	v.Hidden = skipped
	return v
}

// bytesOf are the stored bytes of a picture, nil where there are none.
func (g *gathering) bytesOf(ctx context.Context, m *schemas.ImageInfo) []byte {
	if g.settings.Images == "files" {
		data, err := storage.ReadFile(ctx, g.run, "files/"+m.ImageName)
		if err != nil {
			return nil
		}
		return data
	}
	return m.Bytes
}

// cut shortens foreign text to n letters.
func cut(s string, n int) string {
	for i := range s {
		if n--; n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}
