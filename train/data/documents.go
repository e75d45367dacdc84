package data

// Rows of a run's docs/*.parquet and pairs/*.parquet: a block is a row group, read by range requests.

import (
	"context"
	"errors"
	"fmt"
	"path"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

// shards is a Source over Parquet files of rows T.
type shards[T any] struct {
	blocksOf
	spans   []span
	columns schemas.Projection
	// document makes a record of a row; files is the folder of pictures that are not in the table.
	document func(row *T, files string) *Document
}

type span struct {
	ref   storage.Ref
	first int64
	rows  int
}

// docColumns are those that training reads.
var docColumns = schemas.Columns("doc_id", "text_list", "image_info", "similarity_matrix")

// OpenDocuments reads the footers of docs shards, Parquet or Arrow by the first one's ending. A file of another schema is an
// error that names it and every difference.
func OpenDocuments(ctx context.Context, patterns []string, o storage.Options) (Source, error) {
	refs, err := glob(ctx, patterns, o)
	if err != nil {
		return nil, err
	}
	if ending := path.Ext(refs[0].Name); ending == ".arrow" || ending == ".feather" {
		return openArrow(ctx, refs, o)
	}
	return openShards(ctx, refs, docColumns, func(row *schemas.Document, files string) *Document { return ofDocument(row, files, o) })
}

// OpenPairs is OpenDocuments for pairs shards: a picture and its caption a row.
func OpenPairs(ctx context.Context, patterns []string, o storage.Options) (Source, error) {
	refs, err := glob(ctx, patterns, o)
	if err != nil {
		return nil, err
	}
	return openShards(ctx, refs, schemas.Columns("pair_id", "caption", "image_name", "bytes"), func(row *schemas.Pair, files string) *Document {
		return &Document{ID: row.PairID, Captions: []string{row.Caption}, Images: []Image{stored(row.ImageName, -1, row.Bytes, files, o)}}
	})
}

func openShards[T any](ctx context.Context, refs []storage.Ref, columns schemas.Projection, document func(*T, string) *Document) (Source, error) {
	s := &shards[T]{columns: columns, document: document}
	groups, err := eachFile(refs, func(ref storage.Ref) ([]int64, error) { return rowGroups[T](ctx, ref, columns) })
	if err != nil {
		return nil, err
	}
	for k, ref := range refs {
		var first int64
		for i, n := range groups[k] {
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
func rowGroups[T any](ctx context.Context, ref storage.Ref, columns schemas.Projection) ([]int64, error) {
	object, err := ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	reader, err := schemas.NewReader[T](object, object.Info().Size, columns)
	var other *schemas.SchemaError
	switch {
	case errors.As(err, &other):
		return nil, fmt.Errorf("%w\nThe format reads the tables of `mmc4 build` (docs/output.md); name another format, or other paths", err)
	case errors.Is(err, schemas.ErrDamaged):
		return nil, fmt.Errorf("%w\nPut the file back (`mmc4 verify` tells what a run lacks, `mmc4 build` makes it anew), or leave it out of paths", err)
	case err != nil:
		return nil, err
	}
	defer reader.Close()
	return reader.GroupRows()
}

func (s *shards[T]) Read(ctx context.Context, block int) ([]*Document, error) {
	at := s.spans[block]
	object, err := at.ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	reader, err := schemas.NewReader[T](object, object.Info().Size, s.columns)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.names[block], err)
	}
	defer reader.Close()
	if err := reader.SeekToRow(at.first); err != nil {
		return nil, fmt.Errorf("%s: %w", s.names[block], err)
	}
	rows := make([]T, at.rows)
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

// stored is a picture in the table, or in the folder of files.
func stored(name string, matched int, bytes []byte, files string, o storage.Options) Image {
	image := Image{Name: name, Matched: matched, Load: fileOf(files, name, o)}
	if bytes != nil {
		image.Load = fromBytes(bytes)
	}
	return image
}

func ofDocument(row *schemas.Document, files string, o storage.Options) *Document {
	d := &Document{ID: row.DocID, Sentences: row.TextList}
	for i := range row.ImageInfo {
		info := &row.ImageInfo[i]
		d.Images = append(d.Images, stored(info.ImageName, int(info.MatchedTextIndex), info.Bytes, files, o))
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
