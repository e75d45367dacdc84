package data

// WebDataset tars: a .json for an interleaved document (open_flamingo's converter), or a .txt with a .jpg, .jpeg, .png or
// .webp for a pair (LAION, img2dataset). A block is some samples of a tar; the index reads headers only.

import (
	"archive/tar"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
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
			return nil, fmt.Errorf("not a tar file, or damaged (fetch it again, or leave it out of paths): %w", err)
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
	data, err := b.read(object)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.names[block], err)
	}
	out := make([]*Document, len(b.samples))
	for i, sample := range b.samples {
		out[i] = sample.document(data)
	}
	return out, nil
}

// apart is how many bytes between two members are read along with them: headers, and what nobody wants but is small.
const apart = 64 << 10

// read gives the members that documents are made of, by where they begin. Those that lie one behind the other are read at one go.
func (b tarBlock) read(object io.ReaderAt) (map[int64][]byte, error) {
	var wanted []place64
	for _, sample := range b.samples {
		for _, extension := range sample.used() {
			wanted = append(wanted, sample.member[extension])
		}
	}
	slices.SortFunc(wanted, func(x, y place64) int { return cmp.Compare(x.offset, y.offset) })
	data := make(map[int64][]byte, len(wanted))
	for len(wanted) > 0 {
		first, end, n := wanted[0].offset, wanted[0].offset+wanted[0].size, 1
		for n < len(wanted) && wanted[n].offset <= end+apart {
			end = wanted[n].offset + wanted[n].size
			n++
		}
		run := make([]byte, end-first)
		if _, err := io.ReadFull(io.NewSectionReader(object, first, end-first), run); err != nil {
			return nil, err
		}
		for _, at := range wanted[:n] {
			from := at.offset - first
			data[at.offset] = run[from : from+at.size : from+at.size]
		}
		wanted = wanted[n:]
	}
	return data, nil
}

// used are the extensions of the members that the document is made of: an interleaved one's, or a caption's and its picture's.
func (t tarSample) used() (extensions []string) {
	if !t.has("txt") {
		if t.has("json") {
			extensions = []string{"json"}
		}
		return extensions
	}
	for _, extension := range []string{"jpg", "png", "jpeg", "webp"} {
		if t.has(extension) {
			return []string{"txt", extension}
		}
	}
	return []string{"txt"}
}

func (t tarSample) document(data map[int64][]byte) *Document {
	used := t.used()
	read := func(extension string) []byte { return data[t.member[extension].offset] }
	switch {
	case len(used) == 0:
		return &Document{ID: t.key, Bad: "neither .txt nor .json"}
	case used[0] == "json":
		d, err := ParseDocument(read("json"), t.key)
		if err != nil {
			return &Document{ID: t.key, Bad: err.Error()}
		}
		return d
	}
	d := &Document{ID: t.key, Captions: []string{string(read("txt"))}}
	for _, extension := range used[1:] {
		d.Images = []Image{{Name: t.key + "." + extension, Matched: -1, Load: fromBytes(read(extension))}}
	}
	return d
}
