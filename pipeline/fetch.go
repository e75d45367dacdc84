package pipeline

// Stage fetch: every distinct image URL of a host partition to its outcome and its bytes. What the network said is kept
// in segments (segment.go) as it comes, and never asked again.

import (
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
	var failed error
	missing := 0
	urls := func(yield func(string) bool) {
		failed = groups(m, urlKeyLen, func(group []byte, next func() (bool, error)) error {
			url, _, err := parseURLKey(group)
			if err != nil {
				return err
			}
			if id := keyOf(url); recorded[id] {
				delete(recorded, id)
				t.meter.add(1)
				return nil
			}
			missing++
			if !t.cfg.Offline && !yield(url) {
				return errStopped
			}
			return nil
		})
		if failed == errStopped {
			failed = nil
		}
	}
	if t.cfg.Offline {
		urls(nil)
		if failed == nil && missing > 0 {
			failed = fmt.Errorf("%d of its image URLs have no outcome yet, and --offline forbids to ask for them; run again without it", missing)
		}
		if failed == nil {
			failed = t.emitUnused(recorded)
		}
		return failed
	}
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
	err = fetcher.Run(fetching, urls, func(r fetch.Result) {
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
	if kept := out.commit(context.WithoutCancel(ctx)); err == nil {
		err = kept
	}
	if err == nil {
		err = failed
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = t.emitUnused(recorded)
	}
	return err
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
