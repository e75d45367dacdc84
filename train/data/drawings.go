package data

// Squares with sentences, as the demo writes its drawings: images.bin (n x side x side x 3 bytes) and examples.jsonl (a line
// a picture, with "captions"). A picture without captions is a record that is left out.

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"mmc4/internal/imaging"
	"mmc4/internal/storage"
)

type drawings struct {
	blocksOf
	pixels   storage.Ref
	captions [][]string
	side     int
}

// OpenDrawings opens a folder of drawings whose sides have so many pixels.
func OpenDrawings(ctx context.Context, folder string, side int, o storage.Options) (Source, error) {
	store, err := storage.Open(ctx, folder, o)
	if err != nil {
		return nil, err
	}
	info, err := store.Stat(ctx, "images.bin")
	if err != nil {
		return nil, err
	}
	s := &drawings{pixels: storage.Ref{Store: store, Name: "images.bin", Size: info.Size}, side: side}
	object, err := store.Open(ctx, "examples.jsonl")
	if err != nil {
		return nil, err
	}
	defer object.Close()
	lines := bufio.NewScanner(storage.Reader(ctx, object))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row struct {
			Captions []string `json:"captions"`
		}
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", store.Location("examples.jsonl"), len(s.captions)+1, err)
		}
		s.captions = append(s.captions, row.Captions)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if want := int64(len(s.captions)) * int64(3*side*side); info.Size != want {
		return nil, fmt.Errorf("%s has %d bytes; %d drawings of %d x %d pixels have %d", store.Location("images.bin"), info.Size, len(s.captions), side, side, want)
	}
	for first := 0; first < len(s.captions); first += samplesOfBlock {
		k := min(samplesOfBlock, len(s.captions)-first)
		s.counts = append(s.counts, k)
		s.names = append(s.names, fmt.Sprintf("%s, drawings %d to %d", folder, first+1, first+k))
	}
	return s, nil
}

func (s *drawings) Read(ctx context.Context, block int) ([]*Document, error) {
	object, err := s.pixels.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	size := 3 * s.side * s.side
	first := block * samplesOfBlock
	pix := make([]byte, s.counts[block]*size)
	if _, err := io.ReadFull(io.NewSectionReader(object, int64(first*size), int64(len(pix))), pix); err != nil {
		return nil, fmt.Errorf("%s: %w", s.names[block], err)
	}
	out := make([]*Document, s.counts[block])
	for i := range out {
		d := &Document{ID: fmt.Sprintf("drawing:%d", first+i), Captions: s.captions[first+i]}
		if len(d.Captions) == 0 {
			d.Bad = "it has no caption"
		}
		square := &imaging.RGB{Width: s.side, Height: s.side, Pix: pix[i*size : (i+1)*size]}
		d.Images = []Image{{Name: d.ID, Matched: -1, Square: square}}
		out[i] = d
	}
	return out, nil
}
