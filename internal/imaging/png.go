package imaging

// PNG as Pillow reads it: chunks, zlib, filters, Adam7; into the modes of Pillow's table. Go's image/png is not used
// because it applies tRNS, widens palettes and refuses files that Pillow takes.

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zlib"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// The colour types of IHDR.
const (
	pngGrey      = 0
	pngTrue      = 2
	pngPalette   = 3
	pngGreyAlpha = 4
	pngTrueAlpha = 6
)

type pngHeader struct {
	width, height int
	depth         int
	colour        int
	interlaced    bool
	mode          Mode
}

// samples is the number of samples of a pixel in the file.
func (h *pngHeader) samples() int {
	switch h.colour {
	case pngTrue:
		return 3
	case pngGreyAlpha:
		return 2
	case pngTrueAlpha:
		return 4
	}
	return 1
}

// pngMode is Pillow's mode of a colour type and bit depth, "" where there is none.
func pngMode(colour, depth int) Mode {
	switch {
	case colour == pngGrey && depth == 1:
		return Mode1
	case colour == pngGrey && (depth == 2 || depth == 4 || depth == 8):
		return ModeL
	case colour == pngGrey && depth == 16:
		return ModeI16
	case colour == pngTrue && (depth == 8 || depth == 16):
		return ModeRGB
	case colour == pngPalette && (depth == 1 || depth == 2 || depth == 4 || depth == 8):
		return ModeP
	case colour == pngGreyAlpha && depth == 8:
		return ModeLA
	case colour == pngGreyAlpha && depth == 16: // Pillow has no 16-bit LA and makes RGBA of it
		return ModeRGBA
	case colour == pngTrueAlpha && (depth == 8 || depth == 16):
		return ModeRGBA
	}
	return ""
}

// pngChunk splits the chunk at pos. ok is false where the data end inside it; body is then what there is of it.
func pngChunk(data []byte, pos int) (kind string, body []byte, next int, ok bool) {
	if len(data)-pos < 8 {
		return "", nil, len(data), false
	}
	length := int64(binary.BigEndian.Uint32(data[pos:]))
	kind = string(data[pos+4 : pos+8])
	if int64(len(data)-pos-8) < length+4 {
		return kind, data[pos+8 : pos+8+int(min(length, int64(len(data)-pos-8)))], len(data), false
	}
	end := pos + 8 + int(length)
	return kind, data[pos+8 : end], end + 4, true
}

func pngSumRight(data []byte, pos, next int) bool {
	return crc32.ChecksumIEEE(data[pos+4:next-4]) == binary.BigEndian.Uint32(data[next-4:])
}

func readPNGHeader(data []byte) (*pngHeader, error) {
	kind, body, next, ok := pngChunk(data, len(pngSignature))
	if !ok {
		return nil, truncated(PNG, "the header")
	}
	if kind != "IHDR" || len(body) < 13 || !pngSumRight(data, len(pngSignature), next) {
		return nil, damaged(PNG, "no proper IHDR chunk")
	}
	h := &pngHeader{depth: int(body[8]), colour: int(body[9]), interlaced: body[12] != 0}
	width, height := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
	if width > 1<<31-1 || height > 1<<31-1 {
		return nil, damaged(PNG, "its size is %d x %d", width, height)
	}
	h.width, h.height = int(width), int(height)
	if h.mode = pngMode(h.colour, h.depth); h.mode == "" {
		return nil, damaged(PNG, "colour type %d with %d bits", h.colour, h.depth)
	}
	if body[10] != 0 || body[11] != 0 {
		return nil, damaged(PNG, "compression method %d, filter method %d", body[10], body[11])
	}
	return h, nil
}

func probePNG(data []byte) (Config, error) {
	h, err := readPNGHeader(data)
	if err != nil {
		return Config{}, err
	}
	return newConfig(PNG, h.mode, h.width, h.height), nil
}

func decodePNG(data []byte, cfg Config) (*Picture, error) {
	h, err := readPNGHeader(data)
	if err != nil {
		return nil, err
	}
	var palette, alpha []byte
	pos := len(pngSignature)
	for {
		kind, body, next, ok := pngChunk(data, pos)
		if kind == "IDAT" {
			break
		}
		if !ok {
			return nil, truncated(PNG, "the chunks before the pixels")
		}
		if kind == "IEND" {
			return nil, damaged(PNG, "no pixels")
		}
		if !pngSumRight(data, pos, next) {
			return nil, damaged(PNG, "wrong checksum of chunk %q", kind)
		}
		switch kind {
		case "PLTE":
			palette = body
		case "tRNS":
			alpha = body
		}
		pos = next
	}
	// Deflate makes at most 1032 bytes of one: less cannot be the whole picture, and is worth no memory.
	if rows := int64(h.height) * int64((h.width*h.depth*h.samples()+7)/8+1); rows/1032 > int64(len(data)) {
		return nil, truncated(PNG, "the pixels")
	}
	p := newPicture(cfg)
	if h.mode == ModeP {
		p.Palette = fullPalette(palette)
		if len(alpha) > 0 {
			p.PaletteAlpha = bytes.Clone(alpha[:min(len(alpha), 256)])
		}
	}
	if h.depth == 16 {
		p.LowBands = h.samples()
		p.Low = make([]uint8, h.width*h.height*p.LowBands)
	}
	source := &pngPixels{data: data, pos: pos}
	z, err := zlib.NewReader(source)
	if err != nil {
		return nil, source.explain(err)
	}
	defer z.Close()
	if err := readPNGRows(z, h, p); err != nil {
		return nil, source.explain(err)
	}
	// Pillow notices a wrong or missing checksum of the pixels only if it lies in the same chunk as the last of them.
	if n, err := z.Read(make([]byte, 1)); n == 0 && err != io.EOF && source.length > 4 {
		return nil, source.explain(err)
	}
	return p, nil
}

// fullPalette extends R, G, B triples to 256 of them; Pillow leaves black what a file does not define.
func fullPalette(triples []byte) []uint8 {
	full := make([]uint8, 256*3)
	copy(full, triples)
	return full
}

// pngPixels joins the bodies of consecutive IDAT chunks. Their checksums are not checked, as in Pillow.
type pngPixels struct {
	data   []byte
	pos    int
	rest   []byte
	length uint32 // of the chunk that rest is from, as the file says
}

func (s *pngPixels) Read(b []byte) (int, error) {
	for len(s.rest) == 0 {
		kind, body, next, _ := pngChunk(s.data, s.pos)
		if kind != "IDAT" {
			return 0, io.EOF
		}
		s.length = binary.BigEndian.Uint32(s.data[s.pos:])
		s.rest, s.pos = body, next
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

func (s *pngPixels) explain(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return truncated(PNG, "the pixels")
	}
	return damaged(PNG, "%v", err)
}

// adam7 lists the passes: first column, first row, column step, row step.
var adam7 = [7][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}

func readPNGRows(z io.Reader, h *pngHeader, p *Picture) error {
	passes := adam7[:]
	if !h.interlaced {
		passes = [][4]int{{0, 0, 1, 1}}
	}
	for _, pass := range passes {
		if err := readPNGPass(z, h, p, pass[0], pass[1], pass[2], pass[3]); err != nil {
			return err
		}
	}
	return nil
}

// readPNGPass reads the reduced picture of every dx-th column and dy-th row from (x0, y0).
func readPNGPass(z io.Reader, h *pngHeader, p *Picture, x0, y0, dx, dy int) error {
	width, height := (h.width-x0+dx-1)/dx, (h.height-y0+dy-1)/dy
	if width <= 0 || height <= 0 {
		return nil
	}
	bits := h.depth * h.samples()
	size := (width*bits + 7) / 8
	row, above := make([]byte, 1+size), make([]byte, 1+size)
	for y := range height {
		if _, err := io.ReadFull(z, row); err != nil {
			return err
		}
		if err := pngUnfilter(row[0], row[1:], above[1:], max(1, bits/8)); err != nil {
			return err
		}
		storePNGRow(h, p, row[1:], width, x0, y0+y*dy, dx)
		row, above = above, row
	}
	return nil
}

// storePNGRow unpacks one row of samples into p at columns x0, x0+dx, ... of row y.
func storePNGRow(h *pngHeader, p *Picture, row []byte, width, x0, y, dx int) {
	bands := p.Mode.Bands()
	dst := p.Pix[y*p.Width*bands:][:p.Width*bands]
	switch {
	case h.depth == 8:
		if dx == 1 {
			copy(dst, row)
			return
		}
		for i := range width {
			copy(dst[(x0+i*dx)*bands:][:bands], row[i*bands:])
		}
	case h.depth == 16:
		store16(h, p, dst, row, width, x0, y, dx)
	default:
		scale := uint8(1) // palette indices as they are, grey spread over 0..255
		if h.colour == pngGrey {
			scale = uint8(255 / (1<<h.depth - 1))
		}
		mask := byte(1<<h.depth - 1)
		for i := range width {
			bit := i * h.depth
			dst[x0+i*dx] = row[bit>>3] >> (8 - h.depth - bit&7) & mask * scale
		}
	}
}

// store16 keeps of 16-bit samples what Pillow keeps, and the low bytes beside it.
func store16(h *pngHeader, p *Picture, dst, row []byte, width, x0, y, dx int) {
	n := h.samples()
	for i := range width {
		x, in := x0+i*dx, row[i*2*n:][:2*n]
		low := p.Low[(y*p.Width+x)*n:][:n]
		for s := range n {
			low[s] = in[2*s+1]
		}
		switch h.colour {
		case pngGrey:
			dst[2*x], dst[2*x+1] = in[1], in[0]
		case pngTrue:
			dst[3*x], dst[3*x+1], dst[3*x+2] = in[0], in[2], in[4]
		case pngGreyAlpha:
			dst[4*x], dst[4*x+1], dst[4*x+2], dst[4*x+3] = in[0], in[0], in[0], in[2]
		case pngTrueAlpha:
			dst[4*x], dst[4*x+1], dst[4*x+2], dst[4*x+3] = in[0], in[2], in[4], in[6]
		}
	}
}
