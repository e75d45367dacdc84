package ccindex

// WARC records by ranges: the captures of one file, sorted and joined into few requests.

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"mmc4/crawl/warc"
)

// ReadOptions bound the ranged reading of one WARC file; zero values mean the defaults.
type ReadOptions struct {
	MaxGap   int64 // ranges that lie no further apart are read as one: 128 KiB
	MaxRange int64 // bytes that are read at once, unless a single record is longer: 16 MiB
	Limits   warc.Limits
}

// MaxRecord is the longest compressed record that is read, in bytes.
const MaxRecord = 1 << 30

// Fetched is a capture with its record. Err says why the record could not be read; the others go on.
type Fetched struct {
	Capture Capture
	Record  *warc.Record // with the capture's Offset and Length; valid until the next step
	Err     error
}

// ReadRecords reads the records of captures of one WARC file in the order of their offsets, with few range requests, one
// after the other. A record must be of the capture's URL.
func ReadRecords(ctx context.Context, r io.ReaderAt, captures []Capture, opt ReadOptions) iter.Seq[Fetched] {
	if opt.MaxGap <= 0 {
		opt.MaxGap = 128 << 10
	}
	if opt.MaxRange <= 0 {
		opt.MaxRange = 16 << 20
	}
	sorted := slices.Clone(captures)
	slices.SortStableFunc(sorted, func(a, b Capture) int { return cmp.Compare(a.Offset, b.Offset) })
	return func(yield func(Fetched) bool) {
		var data []byte
		for len(sorted) > 0 {
			c := sorted[0]
			if c.Offset < 0 || c.Length <= 0 || c.Length > MaxRecord {
				if !yield(Fetched{Capture: c, Err: fmt.Errorf("%s: capture at offset %d has length %d", c.WARCFilename, c.Offset, c.Length)}) {
					return
				}
				sorted = sorted[1:]
				continue
			}
			start, end, n := c.Offset, c.Offset+c.Length, 1
			for ; n < len(sorted); n++ {
				next := sorted[n]
				if next.Length <= 0 || next.Length > MaxRecord || next.Offset-end > opt.MaxGap || max(end, next.Offset+next.Length)-start > opt.MaxRange {
					break
				}
				end = max(end, next.Offset+next.Length)
			}
			err := ctx.Err()
			var got int
			if err == nil {
				data = slices.Grow(data[:0], int(end-start))[:end-start]
				got, err = r.ReadAt(data, start)
				if got == len(data) || errors.Is(err, io.EOF) {
					err = nil
				}
			}
			for _, c := range sorted[:n] {
				f := Fetched{Capture: c}
				from, to := c.Offset-start, c.Offset-start+c.Length
				switch {
				case err != nil:
					f.Err = fmt.Errorf("%s: bytes %d-%d: %w", c.WARCFilename, start, end-1, err)
				case to > int64(got):
					f.Err = fmt.Errorf("%s: the file ends before the record at offset %d, length %d: %w", c.WARCFilename, c.Offset, c.Length, io.ErrUnexpectedEOF)
				default:
					f.Record, f.Err = one(data[from:to], c, opt.Limits)
				}
				if !yield(f) {
					return
				}
			}
			sorted = sorted[n:]
		}
	}
}

// one reads the record that a range holds.
func one(data []byte, c Capture, limits warc.Limits) (*warc.Record, error) {
	r := warc.NewReader(bytes.NewReader(data), c.WARCFilename, limits)
	defer r.Close()
	rec, err := r.Next()
	if err != nil {
		if errors.Is(err, io.EOF) {
			err = warc.ErrNoRecords
		}
		return nil, fmt.Errorf("record at offset %d, length %d: %w", c.Offset, c.Length, err)
	}
	if rec.Short {
		return nil, fmt.Errorf("%s: the record at offset %d is cut at length %d: %w", c.WARCFilename, c.Offset, c.Length, io.ErrUnexpectedEOF)
	}
	if uri := rec.TargetURI(); c.URL != "" && uri != c.URL {
		return nil, fmt.Errorf("%s: the record at offset %d is of %.200s, not of %.200s", c.WARCFilename, c.Offset, uri, c.URL)
	}
	rec.Offset, rec.Length = c.Offset, c.Length
	return rec, nil
}
