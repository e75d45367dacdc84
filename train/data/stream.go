package data

// A stream of samples: one goroutine reads windows of blocks ahead, workers make samples, Next hands them out in the order
// of the records, whatever the number of workers.

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"mmc4/internal/storage"
	"mmc4/schemas"
)

// StreamOptions say how a stream works. None of them but Order changes what it gives.
type StreamOptions struct {
	Order
	Workers  int // goroutines that make samples; 0: 1
	Prefetch int // records in work or ready; 0: 32
	// Outage is how long reading is tried again when a store does not answer; 0: 5 minutes.
	Outage time.Duration
	// Reject is told of everything that is left out, in order; it may be nil.
	Reject func(Reject)
}

// Stream gives samples for ever, epoch after epoch. It is for one goroutine.
type Stream struct {
	source  Source
	maker   Maker
	options StreamOptions
	cancel  context.CancelFunc
	jobs    chan *job
	from    Position // where it began
	at      Position
	counts  map[string]int64 // of rejects, by rule
	dropped int64            // documents in a row without a sample,
	since   int              // and the epoch of the first of them
	counted bool             // all blocks are counted
}

type job struct {
	doc    *Document
	draws  Draws
	next   Position // after it
	sample *Sample
	err    error
	done   chan struct{}
}

// NewStream begins at a position. The context bounds the stream's life; Close ends it too.
func NewStream(ctx context.Context, source Source, maker Maker, o StreamOptions, from Position) (*Stream, error) {
	s := &Stream{source: source, maker: maker, options: o, from: from, at: from, counts: map[string]int64{}, since: from.Epoch}
	records := Records(source)
	if records == 0 {
		return nil, errNoRecord
	}
	s.counted = records != Uncounted
	if from.Record < 0 || s.counted && from.Record > records && !o.Resample || from.Epoch < 0 || from.Window < 0 || from.First < 0 || from.First > from.Record {
		return nil, notIn(from, records)
	}
	if s.options.Prefetch <= 0 {
		s.options.Prefetch = 32
	}
	if s.options.Outage == 0 {
		s.options.Outage = 5 * time.Minute
	}
	ctx, s.cancel = context.WithCancel(ctx)
	s.jobs = make(chan *job, s.options.Prefetch)
	work := make(chan *job, s.options.Prefetch)
	go s.feed(ctx, work)
	for range max(o.Workers, 1) {
		go func() {
			for j := range work {
				j.sample = s.make(ctx, j)
				close(j.done)
			}
		}()
	}
	return s, nil
}

// ErrNoSequence is the error of a stream whose every record was left out.
var ErrNoSequence = errors.New("no document gives a sequence")

var errNoRecord = errors.New("the data have no record")

func notIn(p Position, records int64) error {
	return fmt.Errorf("position %d of epoch %d is not in data of %d records: the checkpoint belongs to other data", p.Record, p.Epoch, max(records, 0))
}

// make is the maker's answer; what a record provokes is that record's loss alone.
func (s *Stream) make(ctx context.Context, j *job) (sample *Sample) {
	defer func() {
		if p := recover(); p != nil {
			sample = dropped(j.doc, Reject{Rule: RuleBadRecord, Detail: fmt.Sprint(p)}, nil)
		}
	}()
	if j.doc.Bad != "" {
		return dropped(j.doc, Reject{Rule: RuleBadRecord, Detail: j.doc.Bad}, nil)
	}
	return s.maker.Make(ctx, j.doc, j.draws)
}

// loaded is a window that was read.
type loaded struct {
	epoch int
	window
	docs []*Document
	err  error
}

// feed reads windows one ahead and makes jobs of their records.
func (s *Stream) feed(ctx context.Context, work chan<- *job) {
	defer close(work)
	defer close(s.jobs)
	windows := make(chan loaded)
	go s.load(ctx, windows)
	send := func(j *job) bool {
		select {
		case s.jobs <- j:
		case <-ctx.Done():
			return false
		}
		if j.err != nil {
			return false
		}
		select {
		case work <- j:
			return true
		case <-ctx.Done():
			return false
		}
	}
	for w := range windows {
		if w.err != nil {
			j := &job{err: w.err, done: make(chan struct{})}
			close(j.done)
			send(j)
			return
		}
		skip := 0
		if w.epoch == s.from.Epoch && s.from.Record > w.first {
			skip = int(s.from.Record - w.first)
		}
		for k, i := range w.order {
			if k < skip {
				continue
			}
			at := w.first + int64(k)
			j := &job{doc: w.docs[i], draws: drawsOf(s.options.Seed, w.epoch, at), next: Position{Epoch: w.epoch, Record: at + 1}, done: make(chan struct{})}
			if !s.counted {
				j.next.Window, j.next.First = w.number, w.first
			}
			w.docs[i] = nil
			if !send(j) {
				return
			}
		}
	}
}

// load reads windows from the stream's beginning on.
func (s *Stream) load(ctx context.Context, out chan<- loaded) {
	defer close(out)
	counts := s.source.Blocks()
	from := s.from
	send := func(l loaded) bool {
		select {
		case out <- l:
			return l.err == nil
		case <-ctx.Done():
			return false
		}
	}
	for epoch := from.Epoch; ; epoch++ {
		windows := s.options.windows(len(counts), epoch)
		var first, before int64 // the window's first record, and those before it that are not wanted any more
		if epoch == from.Epoch {
			windows, first, before = windows[min(from.Window, len(windows)):], from.First, from.Record
		}
		for _, w := range windows {
			w.first = first
			if n := sizeOf(w, counts); n != Uncounted && first+n <= before {
				first += n
				continue
			}
			l := loaded{epoch: epoch, window: w}
			for _, b := range w.blocks {
				docs, err := s.read(ctx, b)
				if err != nil {
					l.err = err
					break
				}
				l.docs = append(l.docs, docs...)
			}
			l.order = s.options.arrange(epoch, w, len(l.docs))
			first += int64(len(l.docs))
			if !send(l) {
				return
			}
		}
		switch {
		case first == 0:
			send(loaded{err: errNoRecord})
			return
		case first < before && !s.options.Resample:
			send(loaded{err: notIn(from, first)})
			return
		}
	}
}

// sizeOf is the number of a window's records, as far as it is known.
func sizeOf(w window, counts []int) int64 {
	var n int64
	for _, b := range w.blocks {
		if counts[b] == Uncounted {
			return Uncounted
		}
		n += int64(counts[b])
	}
	return n
}

// read reads a block; a damaged one costs its records, a store that is away is asked again for a while.
func (s *Stream) read(ctx context.Context, block int) ([]*Document, error) {
	wait, deadline := time.Second, time.Now().Add(s.options.Outage)
	for {
		docs, err := s.source.Read(ctx, block)
		switch {
		case err == nil:
			return docs, nil
		case errors.Is(err, schemas.ErrDamaged):
			docs = make([]*Document, max(s.source.Blocks()[block], 1)) // a block that was not counted is one record
			for i := range docs {
				docs[i] = &Document{ID: fmt.Sprintf("%s, record %d", s.source.Name(block), i), Bad: err.Error()}
			}
			return docs, nil
		case !storage.Transient(err) || time.Now().Add(wait).After(deadline) || ctx.Err() != nil:
			return nil, fmt.Errorf("reading %s: %w", s.source.Name(block), err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		wait = min(2*wait, 30*time.Second)
	}
}

// Next gives the next sample. It fails when a block cannot be read, and when a whole epoch gives no sample.
func (s *Stream) Next(ctx context.Context) (*Sample, error) {
	for {
		var j *job
		var ok bool
		select {
		case j, ok = <-s.jobs:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if !ok {
			return nil, context.Canceled
		}
		select {
		case <-j.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if j.err != nil {
			return nil, j.err
		}
		s.at = j.next
		for _, r := range j.sample.Notes {
			s.reject(r)
		}
		if j.sample.Dropped == nil {
			s.dropped, s.since = 0, j.next.Epoch
			return j.sample, nil
		}
		s.reject(*j.sample.Dropped)
		if s.dropped++; s.dropped > 64 && j.next.Epoch > s.since+2 { // two whole epochs at least
			return nil, fmt.Errorf("%w: %s", ErrNoSequence, s.Summary())
		}
	}
}

func (s *Stream) reject(r Reject) {
	s.counts[r.Rule]++
	if s.options.Reject != nil {
		s.options.Reject(r)
	}
}

// Position is the place after the sample that Next gave last.
func (s *Stream) Position() Position { return s.at }

// Rejects counts what was left out since the stream began, by rule.
func (s *Stream) Rejects() map[string]int64 { return s.counts }

// Summary is Rejects in words.
func (s *Stream) Summary() string {
	var parts []string
	for rule, n := range s.counts {
		parts = append(parts, fmt.Sprintf("%s %d", rule, n))
	}
	sort.Strings(parts)
	return strings.Join(parts, ", ")
}

// Close ends the stream's goroutines.
func (s *Stream) Close() { s.cancel() }
