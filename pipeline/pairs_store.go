package pipeline

// Shrunk pictures of a run over lists. Nearly every picture of a list is kept, so its stored form is made while it is
// decoded anyway, in stage inspect, and pack has only to copy it. (Documents keep a few of many: there pack decodes.)

import (
	"bufio"
	"context"

	"mmc4/dedup"
	"mmc4/internal/imaging"
)

// shrunkForm is a stored form that inspect made.
type shrunkForm struct {
	Media         string
	Width, Height int32
	Body          body
}

func (s shrunkForm) encode(e *enc) {
	e.str(s.Media)
	e.i(int64(s.Width))
	e.i(int64(s.Height))
	s.Body.encode(e)
}

func decodeShrunk(d *dec) shrunkForm {
	return shrunkForm{d.str(), int32(d.i()), int32(d.i()), decodeBody(d)}
}

// shrinker writes the output "shrunk" of a task of inspect: blobs without records. A nil one does nothing.
type shrinker struct {
	t      *task
	side   int
	limits *dedup.Profile
	file   *file
	out    *bufio.Writer
	w      *shardWriter
}

// newShrinker is nil where the run shrinks nothing here.
func (t *task) newShrinker() *shrinker {
	s := &t.cfg.Settings
	if len(t.cfg.Pairs) == 0 || s.Images == "none" || s.longestSide() == 0 {
		return nil
	}
	return &shrinker{t: t, side: s.longestSide(), limits: s.PairLimits()}
}

// add makes the stored form of a picture that is not kept as it was fetched, and notes it in p.
func (s *shrinker) add(ctx context.Context, data []byte, picture *imaging.Picture, p *pair) error {
	if s == nil || keptAsFetched(p, s.side) || s.limits.Size(int(p.Width), int(p.Height)) != nil {
		return nil
	}
	small, err := imaging.ShrinkMMC4(data, picture, s.side)
	if err != nil {
		return err
	}
	if s.w == nil {
		if s.file, err = s.t.create(ctx, s.t.workName("shrunk")); err != nil {
			return err
		}
		s.out = newBufferedWriter(s.file)
		if s.w, err = newShardWriter(s.out, 1); err != nil {
			return err
		}
	}
	form := shrunkForm{small.Format.MediaType(), int32(small.Width), int32(small.Height), body{Shard: s.file.name, Length: int64(len(small.Data))}}
	if form.Body.Offset, err = s.w.blob(small.Data); err != nil {
		return err
	}
	s.t.count("images.encoded", 1)
	p.Shrunk = &form
	return nil
}

func (s *shrinker) commit(ctx context.Context) error {
	if s == nil || s.w == nil {
		return nil
	}
	if err := s.w.close(); err != nil {
		return err
	}
	if err := s.out.Flush(); err != nil {
		return err
	}
	a, err := s.file.commit(ctx, "shrunk")
	s.t.entry.Outputs = append(s.t.entry.Outputs, a)
	return err
}

func (s *shrinker) abort() {
	if s != nil && s.file != nil {
		s.file.Abort()
	}
}
