package pipeline

// The inputs: patterns and listings to a sorted list of files. An input that is missing is kept: its task reports it.

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"mmc4/internal/storage"
)

// maxListing is the longest line of a .paths file.
const maxListing = 64 << 10

// findInputs lists what the patterns of one kind name, sorted by location, without repeats.
func findInputs(ctx context.Context, kind string, patterns []string, base string, o storage.Options) ([]Input, error) {
	var out []Input
	for _, pattern := range patterns {
		refs, err := storage.Glob(ctx, pattern, o)
		switch {
		case errors.Is(err, storage.ErrNotExist):
			out = append(out, Input{Kind: kind, Location: pattern, Size: -1})
			continue
		case err != nil:
			return nil, fmt.Errorf("--%s %s: %w", kind, pattern, err)
		case len(refs) == 0:
			return nil, usage("--%s %s: no file matches", kind, pattern)
		}
		for _, ref := range refs {
			if name := strings.TrimSuffix(ref.Name, ".gz"); strings.HasSuffix(name, ".paths") {
				listed, err := readListing(ctx, ref, base)
				if err != nil {
					return nil, err
				}
				for _, location := range listed {
					out = append(out, Input{Kind: kind, Location: location})
				}
				continue
			}
			out = append(out, Input{Kind: kind, Location: ref.Location(), Size: ref.Size})
		}
	}
	if kind == "index" {
		if out = slices.DeleteFunc(out, func(in Input) bool { return !isIndexPart(in.Location) }); len(out) == 0 && len(patterns) > 0 {
			return nil, usage("--index: none of the files is a part of an index (.parquet of subset=warc, or cdx-*.gz)")
		}
	}
	slices.SortFunc(out, func(a, b Input) int { return strings.Compare(a.Location, b.Location) })
	return slices.CompactFunc(out, func(a, b Input) bool { return a.Location == b.Location }), nil
}

// readListing reads a .paths or .paths.gz file: a name below base a line.
func readListing(ctx context.Context, ref storage.Ref, base string) ([]string, error) {
	if base == "" {
		return nil, usage("%s lists names of a crawl; --warc-base must say where they lie, such as https://data.commoncrawl.org/", ref.Location())
	}
	o, err := ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	var r io.Reader = storage.Reader(ctx, o)
	if strings.HasSuffix(ref.Name, ".gz") {
		if r, err = gzip.NewReader(r); err != nil {
			return nil, fmt.Errorf("%s: %w", ref.Location(), err)
		}
	}
	var out []string
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxListing)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" {
			out = append(out, strings.TrimSuffix(base, "/")+"/"+strings.TrimPrefix(line, "/"))
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", ref.Location(), err)
	}
	return out, nil
}

// inputsOf are the inputs of a kind.
func (p *plan) inputsOf(kind string) []Input {
	var out []Input
	for _, in := range p.Inputs {
		if in.Kind == kind {
			out = append(out, in)
		}
	}
	return out
}

// openInput opens an input for reading from start to end. A failure to read that is not the bytes' fault is remembered
// in the reader: it fails the task, where damage is only a problem of the input.
func (r *run) openInput(ctx context.Context, in Input) (*inputReader, error) {
	o, err := storage.OpenFile(ctx, in.Location, r.cfg.Storage)
	if err != nil {
		return nil, err
	}
	return &inputReader{r: storage.Reader(ctx, o), c: o}, nil
}

type inputReader struct {
	r   io.Reader
	c   io.Closer
	err error
}

func (i *inputReader) Read(b []byte) (int, error) {
	n, err := i.r.Read(b)
	if err != nil && err != io.EOF {
		i.err = err
	}
	return n, err
}

func (i *inputReader) Close() error { return i.c.Close() }

// inputFailed decides about an error of reading an input: a file that is missing, forbidden or damaged is a problem that
// the run survives (nil); a failure of the medium or the network is the task's, which can be run again.
func (t *task) inputFailed(ctx context.Context, in Input, reader *inputReader, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if reader == nil && !errors.Is(err, storage.ErrNotExist) && !errors.Is(err, errPermission) {
		return err
	}
	if reader != nil && reader.err != nil {
		return reader.err
	}
	t.problem(in.Location, err)
	return nil
}

// shortName is an input's last parts, for details of rejects.
func shortName(location string) string { return path.Base(strings.ReplaceAll(location, "\\", "/")) }
