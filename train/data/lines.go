package data

// MMC4's own form: JSON lines, with the pictures in a folder or as base64 in the lines. A block is some lines of a file, or
// all lines of a .jsonl.zip as MMC4 was published, since what is deflated can only be read from its start, and counted then.

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"mmc4/internal/storage"
)

const linesOfBlock = 256

type lines struct {
	blocksOf
	ranges  []byteRange
	folder  string
	options storage.Options
}

type byteRange struct {
	ref       storage.Ref
	from, to  int64
	firstLine int
	lines     int    // Uncounted in a zip
	member    string // of a zip; from and to are then not used
}

func (r byteRange) String() string {
	if r.member != "" {
		return fmt.Sprintf("%s, %s", r.ref.Location(), r.member)
	}
	return fmt.Sprintf("%s, lines %d to %d", r.ref.Location(), r.firstLine+1, r.firstLine+r.lines)
}

// OpenLines finds the lines of MMC4 files. Pictures without base64 are looked for in folder by image_name; with folder ""
// they are missing.
func OpenLines(ctx context.Context, patterns []string, folder string, o storage.Options) (Source, error) {
	refs, err := glob(ctx, patterns, o)
	if err != nil {
		return nil, err
	}
	found, err := eachFile(refs, func(ref storage.Ref) ([]byteRange, error) {
		if strings.HasSuffix(ref.Name, ".zip") {
			return listZip(ctx, ref)
		}
		return listLines(ctx, ref)
	})
	if err != nil {
		return nil, err
	}
	s := &lines{folder: folder, options: o}
	for _, ranges := range found {
		for _, r := range ranges {
			s.ranges = append(s.ranges, r)
			s.counts = append(s.counts, r.lines)
			s.names = append(s.names, r.String())
		}
	}
	return s, nil
}

// listLines cuts a file into ranges of linesOfBlock lines.
func listLines(ctx context.Context, ref storage.Ref) (ranges []byteRange, err error) {
	object, err := ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	next := byteRange{ref: ref}
	r := bufio.NewReaderSize(storage.Reader(ctx, object), 1<<20)
	for pending := false; ; {
		part, err := r.ReadSlice('\n')
		next.to += int64(len(part))
		pending = pending || len(part) > 0
		switch {
		case err == bufio.ErrBufferFull:
			continue
		case err != nil && err != io.EOF:
			return nil, err
		}
		if pending {
			next.lines++
		}
		if next.lines == linesOfBlock || err == io.EOF && next.lines > 0 {
			ranges = append(ranges, next)
			next = byteRange{ref: ref, from: next.to, to: next.to, firstLine: next.firstLine + next.lines}
		}
		if err == io.EOF {
			return ranges, nil
		}
		pending = false
	}
}

// text is a block as it lies in its file.
func (s *lines) text(ctx context.Context, block int) ([]byte, error) {
	at := s.ranges[block]
	if at.member != "" {
		return readMember(ctx, at.ref, at.member)
	}
	object, err := at.ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	text := make([]byte, at.to-at.from)
	_, err = io.ReadFull(io.NewSectionReader(object, at.from, at.to-at.from), text)
	return text, err
}

func (s *lines) Read(ctx context.Context, block int) ([]*Document, error) {
	at := s.ranges[block]
	text, err := s.text(ctx, block)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.names[block], err)
	}
	n := at.lines
	if n == Uncounted {
		n = countLines(text)
	}
	out := make([]*Document, 0, n)
	for i := range n {
		line, rest, _ := bytes.Cut(text, []byte{'\n'})
		text = rest
		name := at.ref.Name
		if at.member != "" {
			name = at.member
		}
		id := fmt.Sprintf("%s:%d", name, at.firstLine+i+1)
		d, err := ParseDocument(line, id)
		if err != nil {
			d = &Document{ID: id, Bad: err.Error()}
		}
		for k := range d.Images {
			if d.Images[k].Load == nil && s.folder != "" {
				d.Images[k].Load = fileOf(s.folder, d.Images[k].Name, s.options)
			}
		}
		out = append(out, d)
	}
	return out, nil
}
