package audit

// Tables of a run, row by row.

import (
	"context"
	"fmt"
	"iter"

	"mmc4/internal/storage"
	"mmc4/pipeline"
	"mmc4/schemas"
)

// The tables of a run, as folders.
const (
	docsTable    = "docs"
	rejectsTable = "rejects"
	imagesTable  = "images"
	pairsTable   = "pairs" // of a run over lists, instead of docs
)

// Rows yields the rows of one file with their numbers, from 0. An error ends it and names the file.
func Rows[T schemas.Row](ctx context.Context, run storage.Store, name string, p ...schemas.Projection) iter.Seq2[Row[T], error] {
	return func(yield func(Row[T], error) bool) {
		fail := func(err error) { yield(Row[T]{}, fmt.Errorf("%s: %w", name, err)) }
		o, err := run.Open(ctx, name)
		if err != nil {
			fail(err)
			return
		}
		defer o.Close()
		r, err := schemas.NewReader[T](o, o.Info().Size, p...)
		if err != nil {
			fail(err)
			return
		}
		defer r.Close()
		n := int64(0)
		for row, err := range r.All() {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				fail(err)
				return
			}
			if !yield(Row[T]{n, row}, nil) {
				return
			}
			n++
		}
	}
}

// Row is a row and its number in the file. Value is overwritten as reading goes on; what it points at is not.
type Row[T schemas.Row] struct {
	Number int64
	Value  *T
}

// cursor looks one row ahead.
type cursor[T schemas.Row] struct {
	next  func() (Row[T], error, bool)
	close func()
	row   Row[T]
	more  bool
	err   error
}

func openCursor[T schemas.Row](ctx context.Context, run storage.Store, name string) *cursor[T] {
	c := &cursor[T]{}
	c.next, c.close = iter.Pull2(Rows[T](ctx, run, name))
	c.advance()
	return c
}

func (c *cursor[T]) advance() {
	var err error
	c.row, err, c.more = c.next()
	if err != nil {
		c.err, c.more = err, false
	}
}

// Parts is the number of files of each table, by the manifest.
func Parts(m *pipeline.Manifest) int {
	names := map[string]bool{}
	for _, o := range m.Outputs {
		names[o.Name] = true
	}
	n, table := 0, docsTable
	if m.OverPairs() {
		table = pairsTable
	}
	for names[pipeline.PartName(table, n)] {
		n++
	}
	return n
}
