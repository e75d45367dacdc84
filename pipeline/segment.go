package pipeline

// Segments: what a fetching task heard, in the order in which it came. A segment is committed every few seconds, so that
// a process that dies has little to ask again. Of a URL that stands in several segments the first counts.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"mmc4/crawl/fetch"
	"mmc4/internal/storage"
	"mmc4/schemas"
)

var errStopped = errors.New("stopped")

// A segment is closed when it reaches one of these.
const (
	segmentBytes = 64 << 20
	segmentURLs  = 2000
	segmentTime  = 10 * time.Second
)

// urlID stands for a URL in memory.
type urlID [16]byte

func keyOf(url string) urlID {
	sum := sha256.Sum256([]byte(url))
	return urlID(sum[:16])
}

// segmentWriter writes the segments of a task. Key: URL; value: images row, place of the body.
type segmentWriter struct {
	t      *task
	n      int
	file   *file
	out    interface{ Flush() error }
	w      *shardWriter
	urls   int
	opened time.Time
}

func (s *segmentWriter) add(ctx context.Context, r *fetch.Result) error {
	if s.w == nil {
		f, err := s.t.create(ctx, s.t.workName(fmt.Sprintf("segment-%06d", s.n)))
		if err != nil {
			return err
		}
		buffered := newBufferedWriter(f)
		if s.w, err = newShardWriter(buffered, 1); err != nil {
			f.Abort()
			return err
		}
		s.file, s.out, s.urls, s.opened = f, buffered, 0, time.Now()
		s.n++
	}
	row := rowOf(r)
	var e enc
	encodeImage(&e, &row)
	b := body{Shard: s.file.name, Length: int64(len(r.Body))}
	if len(r.Body) > 0 {
		var err error
		if b.Offset, err = s.w.blob(r.Body); err != nil {
			return err
		}
	}
	b.encode(&e)
	if err := s.w.put(0, urlKey(nil, r.URL), e.b); err != nil {
		return err
	}
	s.urls++
	if s.w.offset >= segmentBytes || s.urls >= segmentURLs || time.Since(s.opened) >= segmentTime {
		return s.commit(ctx)
	}
	return nil
}

// commit closes the open segment and makes it durable.
func (s *segmentWriter) commit(ctx context.Context) error {
	if s.w == nil {
		return nil
	}
	defer s.abort()
	if err := s.w.close(); err != nil {
		return err
	}
	if err := s.out.Flush(); err != nil {
		return err
	}
	a, err := s.file.commit(ctx, "segments")
	if err != nil {
		return err
	}
	a.Rows, a.Spans = s.w.records, s.w.spans
	s.t.entry.Outputs = append(s.t.entry.Outputs, a)
	return nil
}

func (s *segmentWriter) abort() {
	if s.file != nil {
		s.file.Abort()
	}
	s.file, s.w, s.out = nil, nil, nil
}

// oldSegments finds the segments that earlier processes left of this task, and the URLs in them. A damaged one is passed
// over: its URLs are asked again.
func (t *task) oldSegments(ctx context.Context) (map[urlID]bool, []artifact, error) {
	recorded := map[urlID]bool{}
	var out []artifact
	for info, err := range t.store.List(ctx, fmt.Sprintf("work/%s/%06d/segment-", t.phase.name, t.index)) {
		if err != nil {
			return nil, nil, err
		}
		a, urls, err := t.readSegment(ctx, info)
		if errors.Is(err, errDamagedShard) {
			t.note("%v; its URLs are asked again", err)
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		for _, u := range urls {
			recorded[u] = true
		}
		out = append(out, a)
	}
	return recorded, out, nil
}

func (t *task) readSegment(ctx context.Context, info storage.Info) (a artifact, urls []urlID, err error) {
	o, err := t.store.Open(ctx, info.Name)
	if err != nil {
		return a, nil, err
	}
	defer o.Close()
	s, err := openShard(o, o.Info().Size, t.store.Location(info.Name))
	if err != nil {
		return a, nil, err
	}
	if len(s.spans) != 1 || !strings.HasPrefix(info.Name, "work/") {
		return a, nil, s.damaged("it is no segment")
	}
	r := s.partition(0)
	for {
		more, err := r.next()
		if err != nil {
			return a, nil, err
		}
		if !more {
			break
		}
		url, _, err := parseURLKey(r.key)
		if err != nil {
			return a, nil, err
		}
		urls = append(urls, keyOf(url))
	}
	h := sha256.New()
	if _, err := io.Copy(h, storage.Reader(ctx, o)); err != nil {
		return a, nil, err
	}
	return artifact{Output: "segments", Name: info.Name, Size: o.Info().Size, SHA256: hex.EncodeToString(h.Sum(nil)),
		Rows: s.spans[0].Records, Spans: s.spans}, urls, nil
}

// decodeFetched reads the value of a segment's record.
func decodeFetched(value []byte) (schemas.ImageRow, body, error) {
	d := dec{b: value}
	row := decodeImageFrom(&d)
	b := decodeBody(&d)
	return row, b, d.end()
}
