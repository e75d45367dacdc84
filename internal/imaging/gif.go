package imaging

// GIF's first frame as Pillow shows it: on the logical screen (grown where the frame sticks out), in mode P, or in
// mode L where the palette is the grey ramp.

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

type gifFrame struct {
	screenW, screenH int
	x, y, w, h       int
	interlaced       bool
	palette          []byte // R, G, B triples; nil where no palette is needed
	transparent      int    // index, or -1
	bits             int    // LZW's first code length
	codes            int    // where the LZW blocks begin
}

// readGIFFrame reads everything before the first frame's pixels.
func readGIFFrame(data []byte) (*gifFrame, error) {
	if len(data) < 13 {
		return nil, truncated(GIF, "the header")
	}
	f := &gifFrame{
		screenW: int(binary.LittleEndian.Uint16(data[6:])), screenH: int(binary.LittleEndian.Uint16(data[8:])),
		transparent: -1,
	}
	pos := 13
	var err error
	if data[10]&128 != 0 {
		if f.palette, pos, err = gifPalette(data, pos, data[10]); err != nil {
			return nil, err
		}
	}
	for {
		if pos >= len(data) {
			return nil, truncated(GIF, "the blocks before the first frame")
		}
		kind := data[pos]
		pos++
		switch kind {
		case '!':
			if pos, err = f.extension(data, pos); err != nil {
				return nil, err
			}
		case ',':
			return f, f.descriptor(data, pos)
		case ';':
			return nil, damaged(GIF, "no picture in it")
		}
	}
}

// extension reads the blocks of one extension; only the graphic control extension matters.
func (f *gifFrame) extension(data []byte, pos int) (int, error) {
	if pos >= len(data) {
		return 0, truncated(GIF, "an extension")
	}
	label := data[pos]
	pos++
	for first := true; ; first = false {
		if pos >= len(data) || pos+1+int(data[pos]) > len(data) {
			return 0, truncated(GIF, "an extension")
		}
		block := data[pos+1 : pos+1+int(data[pos])]
		pos += 1 + len(block)
		if len(block) == 0 {
			return pos, nil
		}
		if label == 0xF9 && first && len(block) >= 4 && block[0]&1 != 0 {
			f.transparent = int(block[3])
		}
	}
}

func (f *gifFrame) descriptor(data []byte, pos int) (err error) {
	if pos+9 > len(data) {
		return truncated(GIF, "the frame's descriptor")
	}
	d := data[pos : pos+9]
	f.x, f.y = int(binary.LittleEndian.Uint16(d)), int(binary.LittleEndian.Uint16(d[2:]))
	f.w, f.h = int(binary.LittleEndian.Uint16(d[4:])), int(binary.LittleEndian.Uint16(d[6:]))
	f.interlaced = d[8]&64 != 0
	f.screenW, f.screenH = max(f.screenW, f.x+f.w), max(f.screenH, f.y+f.h)
	pos += 9
	if d[8]&128 != 0 {
		if f.palette, pos, err = gifPalette(data, pos, d[8]); err != nil {
			return err
		}
	}
	if pos >= len(data) {
		return truncated(GIF, "the frame's descriptor")
	}
	f.bits, f.codes = int(data[pos]), pos+1
	return nil
}

// gifPalette reads a colour table; it is nil where it is the grey ramp.
func gifPalette(data []byte, pos int, flags byte) ([]byte, int, error) {
	size := 3 << (flags&7 + 1)
	if pos+size > len(data) {
		return nil, 0, truncated(GIF, "a colour table")
	}
	table := data[pos : pos+size]
	for i, v := range table {
		if int(v) != i/3 {
			return table, pos + size, nil
		}
	}
	return nil, pos + size, nil
}

func (f *gifFrame) mode() Mode {
	if f.palette != nil {
		return ModeP
	}
	return ModeL
}

func probeGIF(data []byte) (Config, error) {
	f, err := readGIFFrame(data)
	if err != nil {
		return Config{}, err
	}
	return newConfig(GIF, f.mode(), f.screenW, f.screenH), nil
}

func decodeGIF(data []byte, cfg Config) (*Picture, error) {
	f, err := readGIFFrame(data)
	if err != nil {
		return nil, err
	}
	if f.bits < 1 || f.bits > 11 {
		return nil, damaged(GIF, "LZW codes of %d bits", f.bits)
	}
	p := newPicture(cfg)
	if f.palette != nil {
		p.Palette = fullPalette(f.palette)
	}
	if f.transparent >= 0 {
		for i := range p.Pix { // what the frame does not cover
			p.Pix[i] = uint8(f.transparent)
		}
		if f.palette != nil {
			p.PaletteAlpha = bytes.Repeat([]byte{255}, f.transparent+1)
			p.PaletteAlpha[f.transparent] = 0
		}
	}
	return p, f.pixels(newLZW(&gifBlocks{data: data, pos: f.codes}, f.bits), p)
}

// pixels reads the frame's rows into p.
func (f *gifFrame) pixels(codes io.Reader, p *Picture) error {
	for _, y := range f.rows() {
		if f.w == 0 {
			continue
		}
		row := p.Pix[(f.y+y)*p.Width+f.x:][:f.w]
		if _, err := io.ReadFull(codes, row); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return truncated(GIF, "the pixels")
			}
			return damaged(GIF, "%v", err)
		}
	}
	return nil
}

// rows lists the rows in the order in which the file holds them.
func (f *gifFrame) rows() []int {
	rows := make([]int, 0, f.h)
	passes := [][2]int{{0, 1}}
	if f.interlaced {
		passes = [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
	}
	for _, pass := range passes {
		for y := pass[0]; y < f.h; y += pass[1] {
			rows = append(rows, y)
		}
	}
	return rows
}

// gifBlocks joins the sub-blocks of the pixels.
type gifBlocks struct {
	data []byte
	pos  int
	rest []byte
}

func (s *gifBlocks) Read(b []byte) (int, error) {
	for len(s.rest) == 0 {
		end := s.pos + 1
		if s.pos < len(s.data) {
			end += int(s.data[s.pos])
		}
		if end > len(s.data) || end == s.pos+1 {
			return 0, io.EOF
		}
		s.rest, s.pos = s.data[s.pos+1:end], end
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}
