package pipeline

// Pictures for the model, some at a time: a stored picture in, its pixels out. What a batch holds depends on nothing but
// the pairs.

import (
	"context"
	"fmt"

	"mmc4/internal/imaging"
)

// pictureBatch gathers decoded pictures. Its memory is taken once, when it begins: a batch that waited for more while it held
// some could wait for ever for others that do the same.
type pictureBatch struct {
	t        *task
	pictures []*imaging.RGB
	decoded  []*imaging.Picture // what they were made of
	pixels   int64
	returned func()
}

// add decodes the picture of a pair; flush empties the batch when it is full.
func (b *pictureBatch) add(ctx context.Context, p *pair, flush func(context.Context) error) error {
	data, err := b.t.readBody(p.Body)
	if err != nil {
		return err
	}
	need := int64(p.Width) * int64(p.Height)
	if len(b.pictures) == batchImages || b.pixels+need > batchPixels {
		if err := flush(ctx); err != nil {
			return err
		}
	}
	if len(b.pictures) == 0 {
		if b.returned, err = b.t.budget.take(ctx, (decodeBytes+3)*max(need, batchPixels)); err != nil {
			return err
		}
	}
	picture, err := imaging.Decode(data, imaging.Limits{MaxPixels: b.t.cfg.Settings.MaxPixels})
	if err != nil {
		return fmt.Errorf("image %s was decoded before and cannot be now: %w", p.URL, err)
	}
	b.pictures, b.decoded = append(b.pictures, picture.RGB()), append(b.decoded, picture)
	b.pixels += need
	return nil
}

// give returns the memory, and the pictures with it.
func (b *pictureBatch) give() {
	if b.returned != nil {
		b.returned()
	}
	for _, picture := range b.decoded {
		picture.Release()
	}
	b.pictures, b.decoded, b.pixels, b.returned = nil, nil, 0, nil
}
