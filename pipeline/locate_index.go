package pipeline

// Stage locate, the pages, by an index of the crawl: the documents' SURT keys, all in order, meet the index's parts, which are
// in the same order. The keys are cut into chunks that a task can hold; a part is asked for the chunks that lie within its
// bounds, and reads of itself only what can hold one of their keys.

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path"
	"slices"
	"strings"

	"mmc4/crawl/ccindex"
	"mmc4/internal/storage"
	"mmc4/schemas"
)

var byIndex = route{before: []*phase{locateKeys, locateIndex}, after: []*phase{locateRecords}}

var locateKeys = &phase{stage: "locate", name: "locate.keys", unit: "keys", tasks: func(*run) int { return 1 }, do: doKeys}

var locateIndex = &phase{stage: "locate", name: "locate.index", unit: "captures",
	tasks: func(r *run) int { return len(r.plan.inputsOf("index")) }, do: doIndex}

const (
	chunkKeys  = 1 << 16 // keys that are looked up together
	indexCache = 16 << 20
)

// doKeys brings the SURT keys of all documents into order. Outputs: "chunks" (by chunk; key SURT), "fences" (key chunk; value
// its first SURT).
func doKeys(ctx context.Context, t *task) error {
	var n int64
	for i := range t.tasks(locateDocuments.name) {
		for _, a := range t.journal.get(locateDocuments.name, i).Outputs {
			if a.Output == "surts" {
				n += a.Rows
			}
		}
	}
	chunks := int(n/chunkKeys) + 1
	t.declare("chunks", chunks)
	t.declare("fences", 1)
	m, err := t.merged(ctx, 0, from{locateDocuments.name, "surts"})
	if err != nil {
		return err
	}
	var last []byte
	for i := 0; ; {
		more, err := m.next()
		if !more || err != nil {
			return err
		}
		if i&0xFFF == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if i > 0 && bytes.Equal(m.key, last) {
			continue
		}
		last = append(last[:0], m.key...)
		if i%chunkKeys == 0 {
			if err := t.emit("fences", 1, 0, keyU32(nil, uint32(i/chunkKeys)), m.key); err != nil {
				return err
			}
		}
		if err := t.emit("chunks", chunks, i/chunkKeys, m.key, nil); err != nil {
			return err
		}
		i++
		t.meter.add(1)
	}
}

// indexPart is one file of an index.
type indexPart interface {
	// Bounds are its first and last key, or keys before and behind them.
	Bounds() (first, last string)
	Lookup(ctx context.Context, keys []string) iter.Seq2[ccindex.Capture, error]
}

// doIndex asks one part of the index. Outputs: "join" (as doWAT's; the captures have no candidates yet), "rejects".
func doIndex(ctx context.Context, t *task) error {
	in := t.plan.inputsOf("index")[t.index]
	t.declare("join", t.cfg.Settings.Partitions)
	var files []*crawlFile
	defer func() {
		for _, f := range files {
			f.Close()
		}
	}()
	// fault decides about an error: damage and what is not there are problems of the input, the rest is the task's.
	fault := func(err error) error {
		for _, f := range files {
			if failed := f.failed(); failed != nil {
				return failed
			}
		}
		var reader *inputReader
		if len(files) > 0 {
			reader = &inputReader{}
		}
		return t.inputFailed(ctx, in, reader, err)
	}
	open := func(location string) (*crawlFile, error) {
		f, err := t.openCrawl(ctx, location, indexCache)
		if err == nil {
			files = append(files, f)
		}
		return f, err
	}
	part, err := t.openIndex(ctx, in, open)
	if err != nil {
		return fault(err)
	}
	bad := uint64(0)
	return t.chunksWithin(ctx, part, func(keys []string) error {
		for c, err := range part.Lookup(ctx, keys) {
			if err := ctx.Err(); err != nil {
				return err
			}
			switch {
			case errors.Is(err, ccindex.ErrBadRow):
				t.count("pages.bad", 1)
				bad++
				detail := err.Error()
				if err := t.reject(docRef{File: uint32(t.index), Line: bad}, afterImages, &schemas.Reject{Rule: schemas.RuleBadRecord, Detail: &detail}); err != nil {
					return err
				}
			case err != nil:
				if err := fault(err); err != nil {
					return err
				}
				return errStopped
			default:
				if err := t.indexed(&c); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// indexed takes a row of the index, if it is of a page.
func (t *task) indexed(c *ccindex.Capture) error {
	t.meter.add(1)
	t.count("pages.read", 1)
	if c.Status != 200 || !isHTML(c.MIME) {
		return nil
	}
	t.count("pages.html", 1)
	return t.emitCapture(c.SURT, &capture{URL: c.URL, Date: c.FetchTime, File: c.WARCFilename, Offset: c.Offset, Length: c.Length, Digest: c.Digest,
		Route: schemas.RouteWARC})
}

// chunksWithin calls f for the keys of every chunk that may have one in the part, in order. errStopped from f ends it.
func (t *task) chunksWithin(ctx context.Context, part indexPart, f func(keys []string) error) error {
	first, last := part.Bounds()
	var fences []string
	m, err := t.merged(ctx, 0, from{locateKeys.name, "fences"})
	if err != nil {
		return err
	}
	for {
		more, err := m.next()
		if err != nil {
			return err
		}
		if !more {
			break
		}
		fences = append(fences, unescape(m.value[:max(0, textLen(m.value)-2)]))
	}
	for i, fence := range fences {
		if last != "" && fence > last || i+1 < len(fences) && fences[i+1] < first {
			continue
		}
		keys, err := t.chunk(ctx, i)
		if err != nil {
			return err
		}
		if _, cdx := part.(*cdxPart); cdx { // it holds no more than its own blocks, and cannot tell where they end
			from, _ := slices.BinarySearch(keys, first)
			to, found := slices.BinarySearch(keys, last)
			if found {
				to++
			}
			keys = keys[from:max(from, to)]
		}
		if err := f(keys); err == errStopped {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (t *task) chunk(ctx context.Context, i int) ([]string, error) {
	m, err := t.merged(ctx, i, from{locateKeys.name, "chunks"})
	if err != nil {
		return nil, err
	}
	defer m.close()
	var keys []string
	for {
		more, err := m.next()
		if !more || err != nil {
			return keys, err
		}
		keys = append(keys, unescape(m.key[:max(0, textLen(m.key)-2)]))
	}
}

// openIndex opens a part of either kind.
func (t *task) openIndex(ctx context.Context, in Input, open func(string) (*crawlFile, error)) (indexPart, error) {
	if isCDX(in.Location) {
		return t.openCDX(ctx, in, open)
	}
	f, err := open(in.Location)
	if err != nil {
		return nil, err
	}
	return ccindex.OpenTable(f, f.Info().Size, shortName(in.Location))
}

// isIndexPart tells the parts of an index from the files beside them. Of the columnar index's subsets only warc holds pages.
func isIndexPart(location string) bool {
	for _, other := range []string{"/subset=crawldiagnostics/", "/subset=robotstxt/"} {
		if strings.Contains(location, other) {
			return false
		}
	}
	return strings.HasSuffix(location, ".parquet") || isCDX(location)
}

func isCDX(location string) bool { return strings.HasSuffix(location, ".gz") }

// cdxPart is one cdx-NNNNN.gz of a CDXJ index, with its lines of cluster.idx.
type cdxPart struct {
	*ccindex.CDX
	first, last string
}

func (p *cdxPart) Bounds() (first, last string) { return p.first, p.last }

// afterAll is greater than every SURT key.
const afterAll = "\xff"

func (t *task) openCDX(ctx context.Context, in Input, open func(string) (*crawlFile, error)) (indexPart, error) {
	folder, file := path.Split(in.Location)
	places, err := t.clusterPlaces(ctx, folder)
	if err != nil {
		return nil, err
	}
	place, ok := places[file]
	if !ok {
		return nil, fmt.Errorf("%scluster.idx does not name %s", folder, file)
	}
	cluster, err := open(folder + clusterName)
	if err != nil {
		return nil, err
	}
	lines := make([]byte, place.end-place.start)
	if _, err := cluster.ReadAt(lines, place.start); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	var own bytes.Buffer
	for line := range bytes.Lines(lines) {
		if clusterFile(line) == file {
			own.Write(line)
		}
	}
	c := ccindex.NewCDX(shortName(in.Location), func(_ context.Context, name string) (ccindex.File, int64, error) {
		if name == clusterName {
			return memoryFile{bytes.NewReader(own.Bytes())}, int64(own.Len()), nil
		}
		f, err := open(folder + name)
		if err != nil {
			return nil, 0, err
		}
		return f, f.Info().Size, nil
	})
	return &cdxPart{c, place.first, place.last}, nil
}

type memoryFile struct{ *bytes.Reader }

func (memoryFile) Close() error { return nil }

const clusterName = "cluster.idx"

// clusterPlace is where the lines of a CDX file lie in cluster.idx.
type clusterPlace struct {
	start, end  int64
	first, last string // its first key, and the first key behind it
}

func clusterFile(line []byte) string {
	_, rest, _ := bytes.Cut(line, []byte("\t"))
	file, _, _ := bytes.Cut(rest, []byte("\t"))
	return string(file)
}

// clusterPlaces reads a cluster.idx, once for the process. A missing one is an error that wraps storage.ErrNotExist.
func (t *task) clusterPlaces(ctx context.Context, folder string) (map[string]clusterPlace, error) {
	all, err := t.once.clusters.get(func() (map[string]map[string]clusterPlace, error) {
		all := map[string]map[string]clusterPlace{}
		for _, in := range t.plan.inputsOf("index") {
			folder, _ := path.Split(in.Location)
			if !isCDX(in.Location) || all[folder] != nil {
				continue
			}
			places, err := t.readCluster(ctx, folder)
			if errors.Is(err, storage.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			all[folder] = places
		}
		return all, nil
	})
	if err != nil {
		return nil, err
	}
	if places := all[folder]; places != nil {
		return places, nil
	}
	return nil, fmt.Errorf("%s%s, which tells where the keys lie in the cdx files: %w", folder, clusterName, storage.ErrNotExist)
}

func (t *task) readCluster(ctx context.Context, folder string) (map[string]clusterPlace, error) {
	f, err := t.openCrawl(ctx, folder+clusterName, indexCache)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	places := map[string]clusterPlace{}
	lines := bufio.NewReaderSize(storage.Reader(ctx, f), 1<<20)
	at, current := int64(0), ""
	for {
		line, err := lines.ReadSlice('\n')
		if len(line) > 0 && (err == nil || err == io.EOF) {
			file := clusterFile(line)
			key, _, _ := bytes.Cut(line, []byte(" "))
			if file != current {
				if p, ok := places[current]; ok {
					p.last = string(key)
					places[current] = p
				}
			}
			p, known := places[file]
			if !known {
				p.start, p.first = at, string(key)
			}
			at += int64(len(line))
			p.end, p.last, current = at, afterAll, file
			places[file] = p
		}
		switch {
		case err == io.EOF:
			return places, nil
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("%s%s is damaged: the line at byte %d is longer than a MiB", folder, clusterName, at)
		case err != nil:
			return nil, err
		}
	}
}
