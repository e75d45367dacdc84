package pipeline

// Stage fetch: every distinct image URL of a host partition to its outcome and its bytes. What the network said is kept
// in segments (segment.go) as it comes, and never asked again.

import (
	"cmp"
	"context"
	"fmt"

	"mmc4/crawl/fetch"
	"mmc4/schemas"
)

var fetchImages = &phase{stage: "fetch", name: "fetch", unit: "URLs",
	tasks: func(r *run) int { return r.cfg.Settings.Partitions }, do: doFetch, waits: true, feeds: using}

// doFetch asks for the URLs of one partition. Outputs: "segments", and where an
// earlier run's were taken over that hold more "unused" (the URLs that this run does not want; key urlID).
func doFetch(ctx context.Context, t *task) error {
	recorded, segments, err := t.oldSegments(ctx)
	if err != nil {
		return err
	}
	t.entry.Outputs = append(t.entry.Outputs, segments...)
	m, err := t.merged(ctx, t.index, using()...)
	if err != nil {
		return err
	}
	missing := missingURLs{t: t, uses: m, recorded: recorded}
	if t.cfg.Offline {
		n := 0
		for range missing.all {
			n++
		}
		if err = missing.failed; err == nil && n > 0 {
			err = fmt.Errorf("%d of its image URLs have no outcome yet, and --offline forbids to ask for them; run again without it", n)
		}
	} else {
		err = t.ask(ctx, &missing)
	}
	if err != nil {
		return err
	}
	return t.emitUnused(recorded)
}

// missingURLs are the URLs of a partition that have no outcome yet. What is left of recorded in the end nobody uses.
type missingURLs struct {
	t        *task
	uses     *merge
	recorded map[urlID]bool
	failed   error // of reading them
}

func (m *missingURLs) all(yield func(string) bool) {
	err := groups(m.uses, urlKeyLen, func(group []byte, next func() (bool, error)) error {
		url, _, err := parseURLKey(group)
		if err != nil {
			return err
		}
		if id := keyOf(url); m.recorded[id] {
			delete(m.recorded, id)
			m.t.meter.add(1)
			return nil
		}
		if !yield(url) {
			return errStopped
		}
		return nil
	})
	if err != errStopped {
		m.failed = err
	}
}

// ask fetches the URLs into new segments.
func (t *task) ask(ctx context.Context, missing *missingURLs) error {
	fetcher, err := t.once.fetcher.get(func() (*fetch.Fetcher, error) {
		o := t.cfg.fetchOptions(t.budget.fetcher())
		o.SpillDir = t.scratch
		return fetch.New(o)
	})
	if err != nil {
		return usage("%v", err)
	}
	out := segmentWriter{t: t}
	defer out.abort()
	fetching, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	err = fetcher.Run(fetching, missing.all, func(r fetch.Result) {
		if err := out.add(ctx, &r); err != nil {
			stop(err)
			return
		}
		t.meter.add(1)
	})
	if cause := context.Cause(fetching); err != nil && cause != nil {
		err = cause
	}
	// What came is kept even when the build is interrupted.
	kept := out.commit(context.WithoutCancel(ctx))
	return cmp.Or(err, kept, missing.failed, ctx.Err())
}

// emitUnused names what is recorded and no document uses.
func (t *task) emitUnused(left map[urlID]bool) error {
	for id := range left {
		if err := t.emit("unused", 1, 0, id[:], nil); err != nil {
			return err
		}
	}
	return nil
}

// rowOf is the images row of a result, before anything was decoded.
func rowOf(r *fetch.Result) schemas.ImageRow {
	at := r.FetchedAt.UTC()
	row := schemas.ImageRow{ImageURL: r.URL, Outcome: string(r.Outcome), HTTPStatus: some(int32(r.HTTPStatus)), Attempts: int32(r.Attempts),
		FinalURL: some(r.FinalURL), MediaType: some(r.MediaType), Size: some(r.Size), ETag: some(r.ETag), LastModified: some(r.LastModified),
		Detail: some(r.Detail)}
	if !at.IsZero() {
		row.FetchedAt = &at
	}
	return row
}
