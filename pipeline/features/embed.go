package features

// The work: goroutines read, decode and resize pictures in the order of the input while the model computes those before.

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"mmc4/internal/imaging"
	"mmc4/internal/storage"
	"mmc4/models/clip"
)

// Config says what is embedded and how.
type Config struct {
	Input string // a folder, a list, or a finished run; paths, s3:// or https://
	Text  bool   // sentences instead of pictures
	Out   string // ends in .parquet or .npy; a path or s3://

	Model *clip.Model
	// Batch is how many pictures the model takes at a time; sentences: four times as many. 0 means 8. It should be the
	// model's own (clip.Options.Batch).
	Batch     int
	Workers   int   // that decode; 0: a CPU each
	MaxPixels int64 // of a picture; 0: imaging's limit
	Storage   storage.Options
	Profile   string // of the device and number type, for the Parquet metadata
}

// Bad is an input that gave no row.
type Bad struct {
	Name string `json:"bad"`
	Why  string `json:"why"`
}

// Summary says how it went.
type Summary struct {
	Input   string  `json:"input"`
	Kind    string  `json:"kind"` // folder, list, run
	Out     string  `json:"out"`
	Names   string  `json:"names,omitempty"` // of npy: what its rows are
	Rows    int64   `json:"rows"`
	Bad     int64   `json:"bad"`
	Dim     int     `json:"dim"`
	Model   string  `json:"model"` // fingerprint
	Seconds float64 `json:"seconds"`
	// PerSecond is rows over Seconds; Busy the share of the time in which the model computed.
	PerSecond float64 `json:"per_second"`
	Busy      float64 `json:"model_busy"`
}

// Report hears of progress: rows so far, and every bad input. Either may be nil.
type Report struct {
	Rows func(rows int64, perSecond float64)
	Bad  func(Bad)
}

// Embed does it. Bad pictures are reported, counted and left out; an input that cannot be read to its end is an error.
func Embed(ctx context.Context, c Config, report Report) (Summary, error) {
	if c.Batch <= 0 {
		c.Batch = 8
	}
	if c.Workers <= 0 {
		c.Workers = runtime.GOMAXPROCS(0)
	}
	s := Summary{Input: c.Input, Out: c.Out, Dim: c.Model.Dim()}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	source, kind, err := open(ctx, c)
	if err != nil {
		return s, err
	}
	s.Kind = kind
	if s.Model, err = c.Model.Fingerprint(); err != nil {
		return s, err
	}
	w, err := create(ctx, c, s.Model)
	if err != nil {
		return s, err
	}
	defer w.abort()
	e := &embedder{Config: c, report: report, out: w, s: &s, start: time.Now()}
	if c.Text {
		err = e.texts(ctx, source)
	} else {
		err = e.pictures(ctx, source)
	}
	if err == nil && s.Rows == 0 && s.Bad == 0 {
		err = fmt.Errorf("%s %w: there is nothing in it (a folder's pictures end in %s; a run has manifest.json when it is complete)", c.Input, ErrUsage, strings.Join(endings, ", "))
	}
	if err == nil {
		s.Names, err = w.close(ctx)
	}
	if err != nil {
		return s, err
	}
	s.Seconds = time.Since(e.start).Seconds()
	s.PerSecond, s.Busy = float64(s.Rows)/s.Seconds, e.busy.Seconds()/s.Seconds
	return s, nil
}

type embedder struct {
	Config
	report Report
	out    writer
	s      *Summary
	start  time.Time
	busy   time.Duration
	tokens *tokens // where pictures' tokens are wanted instead of rows

	batch   []item
	squares []*imaging.RGB
}

// prepared is a picture on its way: square is set, or err, when done is closed.
type prepared struct {
	item
	square *imaging.RGB
	err    error // of this picture
	fatal  error // of the source
	done   chan struct{}
}

// pictures keeps two batches and a picture a worker ahead of the model.
func (e *embedder) pictures(ctx context.Context, source items) error {
	ctx, cancel := context.WithCancel(ctx)
	work := make(chan *prepared)
	order := make(chan *prepared, 2*e.Batch+e.Workers)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() {
		defer close(order)
		defer close(work)
		for it, err := range source {
			p := &prepared{item: it, fatal: err, done: make(chan struct{})}
			if err != nil {
				close(p.done)
			}
			select {
			case order <- p:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
			select {
			case work <- p:
			case <-ctx.Done():
				return
			}
		}
	})
	for range e.Workers {
		running.Go(func() {
			for p := range work {
				p.square, p.err = e.prepare(ctx, p.item)
				p.load = nil // and what bytes it holds
				close(p.done)
			}
		})
	}
	for p := range order {
		select {
		case <-p.done:
		case <-ctx.Done():
			return ctx.Err()
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case p.fatal != nil:
			return p.fatal
		case p.err != nil:
			e.bad(p.item, p.err)
			continue
		}
		e.batch, e.squares = append(e.batch, p.item), append(e.squares, p.square)
		if len(e.batch) == e.Batch {
			if err := e.flush(ctx); err != nil {
				return err
			}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return e.flush(ctx)
}

// prepare makes the model's square of a picture: what EncodeImages would make of it, so that doing it again changes nothing.
func (e *embedder) prepare(ctx context.Context, it item) (*imaging.RGB, error) {
	data, err := it.load(ctx)
	if err != nil {
		return nil, err
	}
	return e.Model.Preprocess.Decode(data, imaging.Limits{MaxPixels: e.MaxPixels}, false)
}

// texts batches sentences.
func (e *embedder) texts(ctx context.Context, source items) error {
	for it, err := range source {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if e.batch = append(e.batch, it); len(e.batch) == 4*e.Batch {
			if err := e.flush(ctx); err != nil {
				return err
			}
		}
	}
	return e.flush(ctx)
}

func (e *embedder) bad(it item, err error) {
	e.s.Bad++
	if e.report.Bad != nil {
		e.report.Bad(Bad{it.name, err.Error()})
	}
}

// flush computes what was gathered and writes its rows.
func (e *embedder) flush(ctx context.Context) error {
	switch {
	case len(e.batch) == 0:
		return nil
	case e.tokens != nil:
		return e.keep(ctx)
	}
	began := time.Now()
	var vectors [][]float32
	var err error
	if e.Text {
		texts := make([]string, len(e.batch))
		for i, it := range e.batch {
			texts[i] = *it.text
		}
		vectors, err = e.Model.EncodeTexts(ctx, texts)
	} else {
		vectors, err = e.Model.EncodeImages(ctx, e.squares)
	}
	e.busy += time.Since(began)
	if err != nil {
		return err
	}
	if len(vectors) != len(e.batch) {
		return fmt.Errorf("the model gave %d features for %d inputs", len(vectors), len(e.batch))
	}
	for i, v := range vectors {
		if err := e.out.write(e.batch[i], v); err != nil {
			return err
		}
	}
	e.s.Rows += int64(len(vectors))
	if e.report.Rows != nil {
		e.report.Rows(e.s.Rows, float64(e.s.Rows)/time.Since(e.start).Seconds())
	}
	e.batch, e.squares = e.batch[:0], e.squares[:0]
	return nil
}
