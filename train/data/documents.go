package data

// Documents of a run's docs/*.parquet: a block is a row group, read by range requests.

import (
	"context"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

// documents is a Source over docs shards.
type documents struct {
	blocksOf
	spans   []span
	options storage.Options
}

type span struct {
	ref   storage.Ref
	first int64
	rows  int
}

// docColumns are those that training reads.
var docColumns = schemas.Columns("doc_id", "text_list", "image_info", "similarity_matrix")

// OpenDocuments reads the footers of docs shards. A file of another schema is an error that names it and every difference.
func OpenDocuments(ctx context.Context, patterns []string, o storage.Options) (Source, error) {
	refs, err := glob(ctx, patterns, o)
	if err != nil {
		return nil, err
	}
	s := &documents{options: o}
	for _, ref := range refs {
		groups, err := rowGroups(ctx, ref)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ref.Location(), err)
		}
		var first int64
		for i, n := range groups {
			if n > 0 {
				s.spans = append(s.spans, span{ref, first, int(n)})
				s.counts = append(s.counts, int(n))
				s.names = append(s.names, fmt.Sprintf("%s, row group %d", ref.Location(), i))
			}
			first += n
		}
	}
	return s, nil
}

// rowGroups checks a shard's schema and gives the rows of its groups.
func rowGroups(ctx context.Context, ref storage.Ref) (rows []int64, err error) {
	object, err := ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	size := object.Info().Size
	reader, err := schemas.NewReader[schemas.Document](object, size, docColumns) // checks the footer, hostile bytes included
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged footer: %v", p)
		}
	}()
	file, err := parquet.OpenFile(object, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	for _, g := range file.RowGroups() {
		rows = append(rows, g.NumRows())
	}
	return rows, nil
}

func (s *documents) Read(ctx context.Context, block int) ([]*Document, error) {
	at := s.spans[block]
	object, err := at.ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	reader, err := schemas.NewReader[schemas.Document](object, object.Info().Size, docColumns)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.names[block], err)
	}
	defer reader.Close()
	if err := reader.SeekToRow(at.first); err != nil {
		return nil, fmt.Errorf("%s: %w", s.names[block], err)
	}
	rows := make([]schemas.Document, at.rows)
	for n := 0; n < len(rows); {
		k, err := reader.Read(rows[n:])
		n += k
		if n < len(rows) && (err != nil || k == 0) {
			return nil, fmt.Errorf("%s: row %d of %d: %w", s.names[block], n, len(rows), orShort(err))
		}
	}
	files := parent(parent(at.ref.Location())) + "/files"
	out := make([]*Document, len(rows))
	for i := range rows {
		out[i] = s.document(&rows[i], files)
	}
	return out, nil
}

func orShort(err error) error {
	if err == nil {
		return fmt.Errorf("the file has fewer rows than its footer says")
	}
	return err
}

func (s *documents) document(row *schemas.Document, files string) *Document {
	d := &Document{ID: row.DocID, Sentences: row.TextList}
	for i := range row.ImageInfo {
		info := &row.ImageInfo[i]
		image := Image{Name: info.ImageName, Matched: int(info.MatchedTextIndex)}
		if info.Bytes != nil {
			image.Load = fromBytes(info.Bytes)
		} else {
			image.Load = fileOf(files, info.ImageName, s.options)
		}
		d.Images = append(d.Images, image)
	}
	for _, values := range row.SimilarityMatrix {
		wide := make([]float64, len(values))
		for i, v := range values {
			wide[i] = float64(v)
		}
		d.Similarity = append(d.Similarity, wide)
	}
	return d
}
