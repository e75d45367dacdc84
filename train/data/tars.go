package data

// WebDataset tars: a .json for an interleaved document (open_flamingo's converter), or a .txt with a .jpg, .jpeg, .png or
// .webp for a pair (LAION, img2dataset). A block is some samples of a tar; the index reads headers only.

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
	"strings"

	"mmc4/internal/storage"
)

const samplesOfBlock = 256

type tars struct {
	blocksOf
	blocks []tarBlock
}

type tarBlock struct {
	ref     storage.Ref
	samples []tarSample
}

type tarSample struct {
	key    string
	member map[string]place64 // by extension
}

type place64 struct{ offset, size int64 }

// OpenTars lists the samples of WebDataset tars.
func OpenTars(ctx context.Context, patterns []string, o storage.Options) (Source, error) {
	refs, err := glob(ctx, patterns, o)
	if err != nil {
		return nil, err
	}
	found, err := eachFile(refs, func(ref storage.Ref) ([]tarSample, error) { return listTar(ctx, ref) })
	if err != nil {
		return nil, err
	}
	s := &tars{}
	for i, samples := range found {
		for first := 0; first < len(samples); first += samplesOfBlock {
			part := samples[first:min(first+samplesOfBlock, len(samples))]
			s.blocks = append(s.blocks, tarBlock{refs[i], part})
			s.counts = append(s.counts, len(part))
			s.names = append(s.names, fmt.Sprintf("%s, samples %d to %d", refs[i].Location(), first+1, first+len(part)))
		}
	}
	return s, nil
}

// listTar gives the samples of a tar, from its headers.
func listTar(ctx context.Context, ref storage.Ref) (samples []tarSample, err error) {
	object, err := ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	section := io.NewSectionReader(object, 0, object.Info().Size)
	reader := tar.NewReader(section)
	for {
		h, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return samples, nil
		}
		if err != nil {
			return nil, fmt.Errorf("not a tar file, or damaged: %w", err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		folder, base := path.Split(h.Name)
		name, extension, _ := strings.Cut(base, ".")
		key, extension := folder+name, strings.ToLower(extension)
		last := len(samples) - 1
		if last < 0 || samples[last].key != key || samples[last].has(extension) {
			samples = append(samples, tarSample{key, map[string]place64{}})
			last++
		}
		at, err := section.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, err
		}
		samples[last].member[extension] = place64{at, h.Size}
	}
}

func (t tarSample) has(extension string) bool { _, ok := t.member[extension]; return ok }

func (s *tars) Read(ctx context.Context, block int) ([]*Document, error) {
	b := s.blocks[block]
	object, err := b.ref.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	span := b.span()
	data := make([]byte, span.size) // at one go: the samples lie one behind the other
	if _, err := io.ReadFull(io.NewSectionReader(object, span.offset, span.size), data); err != nil {
		return nil, fmt.Errorf("%s: %w", s.names[block], err)
	}
	read := func(at place64) []byte {
		from := at.offset - span.offset
		return data[from : from+at.size : from+at.size]
	}
	out := make([]*Document, len(b.samples))
	for i, sample := range b.samples {
		out[i] = sample.document(read)
	}
	return out, nil
}

// span is the part of the tar from a block's first member to its last.
func (b tarBlock) span() place64 {
	first, end := int64(math.MaxInt64), int64(0)
	for _, sample := range b.samples {
		for _, at := range sample.member {
			first, end = min(first, at.offset), max(end, at.offset+at.size)
		}
	}
	return place64{first, end - first}
}

func (t tarSample) document(read func(place64) []byte) *Document {
	caption, paired := t.member["txt"]
	if at, ok := t.member["json"]; ok && !paired {
		d, err := ParseDocument(read(at), t.key)
		if err != nil {
			return &Document{ID: t.key, Bad: err.Error()}
		}
		return d
	}
	if !paired {
		return &Document{ID: t.key, Bad: "neither .txt nor .json"}
	}
	d := &Document{ID: t.key, Captions: []string{string(read(caption))}}
	for _, extension := range []string{"jpg", "png", "jpeg", "webp"} {
		if at, ok := t.member[extension]; ok {
			d.Images = []Image{{Name: t.key + "." + extension, Matched: -1, Load: fromBytes(read(at))}}
			break
		}
	}
	return d
}
