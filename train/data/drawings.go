package data

// Squares with sentences, as the demo writes its drawings: images.bin (n x side x side x 3 bytes) and examples.jsonl (a line
// a picture: "captions", and what they are about, "topic" and "thing"). A picture without captions is a record that is left out,
// unless unpaired ones are asked for; then every line of plain.txt is a record too, a sentence that shows nothing.

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"mmc4/internal/imaging"
	"mmc4/internal/storage"
)

type drawings struct {
	blocksOf
	pixels storage.Ref
	rows   []drawing
	plain  []string // empty unless unpaired
	side   int
	alone  bool // pictures may be
}

type drawing struct {
	Captions []string `json:"captions"`
	Topic    string   `json:"topic"`
	Thing    string   `json:"thing"`
}

// OpenDrawings opens a folder of drawings whose sides have so many pixels; unpaired: with pictures and sentences alone.
func OpenDrawings(ctx context.Context, folder string, side int, unpaired bool, o storage.Options) (Source, error) {
	store, err := storage.Open(ctx, folder, o)
	if err != nil {
		return nil, err
	}
	info, err := store.Stat(ctx, "images.bin")
	if err != nil {
		return nil, err
	}
	s := &drawings{pixels: storage.Ref{Store: store, Name: "images.bin", Size: info.Size}, side: side, alone: unpaired}
	object, err := store.Open(ctx, "examples.jsonl")
	if err != nil {
		return nil, err
	}
	defer object.Close()
	lines := bufio.NewScanner(storage.Reader(ctx, object))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var row drawing
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", store.Location("examples.jsonl"), len(s.rows)+1, err)
		}
		s.rows = append(s.rows, row)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if unpaired {
		text, err := storage.ReadFile(ctx, store, "plain.txt")
		if err != nil {
			return nil, err
		}
		s.plain = strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' })
	}
	if want := int64(len(s.rows)) * int64(3*side*side); info.Size != want {
		return nil, fmt.Errorf("%s has %d bytes; %d drawings of %d x %d pixels have %d", store.Location("images.bin"), info.Size, len(s.rows), side, side, want)
	}
	for first := 0; first < len(s.rows); first += samplesOfBlock {
		k := min(samplesOfBlock, len(s.rows)-first)
		from, to := s.plainOf(first, k)
		s.counts = append(s.counts, k+to-from)
		s.names = append(s.names, fmt.Sprintf("%s, drawings %d to %d", folder, first+1, first+k))
	}
	return s, nil
}

// plainOf gives the sentences that lie with k drawings: all are spread evenly.
func (s *drawings) plainOf(first, k int) (from, to int) {
	return len(s.plain) * first / len(s.rows), len(s.plain) * (first + k) / len(s.rows)
}

func (s *drawings) Read(ctx context.Context, block int) ([]*Document, error) {
	object, err := s.pixels.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer object.Close()
	size := 3 * s.side * s.side
	first := block * samplesOfBlock
	k := min(samplesOfBlock, len(s.rows)-first)
	pix := make([]byte, k*size)
	if _, err := io.ReadFull(io.NewSectionReader(object, int64(first*size), int64(len(pix))), pix); err != nil {
		return nil, fmt.Errorf("%s: %w", s.names[block], err)
	}
	out := make([]*Document, 0, s.counts[block])
	for i, row := range s.rows[first : first+k] {
		d := &Document{ID: fmt.Sprintf("drawing:%d", first+i), Captions: row.Captions, Likeness: Likeness{row.Topic, row.Thing}}
		if len(d.Captions) == 0 && !s.alone {
			d.Bad = "it has no caption"
		}
		square := &imaging.RGB{Width: s.side, Height: s.side, Pix: pix[i*size : (i+1)*size]}
		d.Images = []Image{{Name: d.ID, Matched: -1, Square: square}}
		out = append(out, d)
	}
	from, to := s.plainOf(first, k)
	for i, text := range s.plain[from:to] {
		out = append(out, &Document{ID: fmt.Sprintf("plain:%d", from+i), Captions: []string{text}})
	}
	return out, nil
}
