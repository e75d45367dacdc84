package imaging

// Windows bitmaps as Pillow reads them: 1, 4, 8 (also RLE), 16, 24 and 32 bits.

import (
	"encoding/binary"
	"slices"
)

type bmpHeader struct {
	width, height int
	topDown       bool
	bits          int
	compression   uint32
	mode          Mode
	layout        string // of 16, 24 and 32 bits: see bmpMasks
	palette       []byte // R, G, B triples
	pixels        int    // where the pixels begin
}

// The compressions that are read.
const (
	bmpRaw    = 0
	bmpRLE8   = 1
	bmpRLE4   = 2
	bmpFields = 3
)

// bmpMasks are the bit masks of red, green, blue and alpha that Pillow takes, and the order of bytes they mean.
var bmpMasks = map[int]map[[4]uint32]string{
	16: {{0xF800, 0x7E0, 0x1F}: "565", {0x7C00, 0x3E0, 0x1F}: "555"},
	24: {{0xFF0000, 0xFF00, 0xFF}: "BGR"},
	32: {
		{0xFF0000, 0xFF00, 0xFF, 0}:          "BGRX",
		{0xFF000000, 0xFF0000, 0xFF00, 0}:    "XBGR",
		{0xFF000000, 0xFF00, 0xFF, 0}:        "BGXR",
		{0xFF000000, 0xFF0000, 0xFF00, 0xFF}: "ABGR",
		{0xFF, 0xFF00, 0xFF0000, 0xFF000000}: "RGBA",
		{0xFF0000, 0xFF00, 0xFF, 0xFF000000}: "BGRA",
		{0xFF000000, 0xFF00, 0xFF, 0xFF0000}: "BGAR",
		{0, 0, 0, 0}:                         "BGRA",
	},
}

// bmpHeaderSizes are the known sizes of the second header.
var bmpHeaderSizes = []uint32{12, 40, 52, 56, 64, 108, 124}

func plausibleBMP(data []byte) bool {
	return len(data) < 18 || slices.Contains(bmpHeaderSizes, binary.LittleEndian.Uint32(data[14:]))
}

func readBMPHeader(data []byte) (*bmpHeader, error) {
	if len(data) < 18 || len(data)-14 < int(binary.LittleEndian.Uint32(data[14:])) {
		return nil, truncated(BMP, "the header")
	}
	size := int(binary.LittleEndian.Uint32(data[14:]))
	info, end := data[14:14+size], 14+size
	h := &bmpHeader{pixels: int(binary.LittleEndian.Uint32(data[10:]))}
	padding, colours := 4, uint32(0)
	if size == 12 {
		h.width, h.height = int(binary.LittleEndian.Uint16(info[4:])), int(binary.LittleEndian.Uint16(info[6:]))
		h.bits, padding = int(binary.LittleEndian.Uint16(info[10:])), 3
	} else {
		width, height := int32(binary.LittleEndian.Uint32(info[4:])), int32(binary.LittleEndian.Uint32(info[8:]))
		h.topDown = height < 0
		h.width, h.height = int(width), max(int(height), -int(height))
		h.bits = int(binary.LittleEndian.Uint16(info[14:]))
		h.compression = binary.LittleEndian.Uint32(info[16:])
		colours = binary.LittleEndian.Uint32(info[32:])
	}
	switch h.bits {
	case 1, 4, 8:
		h.mode = ModeP
	case 16, 24, 32:
		h.mode, h.layout = ModeRGB, map[int]string{16: "555", 24: "BGR", 32: "BGRX"}[h.bits]
	default:
		return nil, damaged(BMP, "%d bits a pixel", h.bits)
	}
	if colours == 0 && h.bits <= 8 {
		colours = 1 << h.bits
	}
	switch h.compression {
	case bmpRaw:
	case bmpFields:
		masks := data[end:]
		if size >= 52 {
			masks = info[40:]
		}
		if len(masks) < 12 {
			return nil, truncated(BMP, "the header")
		}
		if err := h.readMasks(masks, size >= 56); err != nil {
			return nil, err
		}
	case bmpRLE8, bmpRLE4:
		if h.bits > 8 {
			return nil, damaged(BMP, "run lengths with %d bits a pixel", h.bits)
		}
	default:
		return nil, damaged(BMP, "compression %d", h.compression)
	}
	if h.mode == ModeP {
		return h, h.readPalette(data, end, padding, colours)
	}
	if h.pixels == 0 {
		h.pixels = end
	}
	return h, nil
}

func (h *bmpHeader) readMasks(b []byte, alpha bool) error {
	var masks [4]uint32
	for i := range 3 {
		masks[i] = binary.LittleEndian.Uint32(b[4*i:])
	}
	if alpha && h.bits == 32 && len(b) >= 16 {
		masks[3] = binary.LittleEndian.Uint32(b[12:])
	}
	layout, known := bmpMasks[h.bits][masks]
	if !known {
		return damaged(BMP, "bit masks %x with %d bits a pixel", masks, h.bits)
	}
	h.layout = layout
	if slices.Contains([]byte(layout), 'A') {
		h.mode = ModeRGBA
	}
	return nil
}

// readPalette reads the colours; a grey ramp makes the picture grey, black and white makes it 1-bit.
func (h *bmpHeader) readPalette(data []byte, pos, padding int, colours uint32) error {
	if colours > 65536 {
		return damaged(BMP, "%d colours", colours)
	}
	end := pos + padding*int(colours)
	if end > len(data) {
		return truncated(BMP, "the palette")
	}
	if h.pixels == 0 || h.pixels == pos { // some writers forget the palette
		h.pixels = end
	}
	grey := true
	for i := range int(colours) {
		b := data[pos+i*padding:]
		h.palette = append(h.palette, b[2], b[1], b[0])
		value := i
		if colours == 2 {
			value = 255 * i
		}
		grey = grey && int(b[0]) == value && int(b[1]) == value && int(b[2]) == value
	}
	if grey && colours <= 2 {
		h.mode = Mode1
	} else if grey {
		h.mode = ModeL
	}
	return nil
}

func probeBMP(data []byte) (Config, error) {
	h, err := readBMPHeader(data)
	if err != nil {
		return Config{}, err
	}
	return newConfig(BMP, h.mode, h.width, h.height), nil
}

func decodeBMP(data []byte, cfg Config) (*Picture, error) {
	h, err := readBMPHeader(data)
	if err != nil {
		return nil, err
	}
	pixels := data[min(h.pixels, len(data)):]
	stride := (h.width*h.bits + 31) / 32 * 4
	packed := h.compression == bmpRLE8 || h.compression == bmpRLE4
	if packed {
		if pixels = bmpExpand(pixels, h.width, h.height, h.compression == bmpRLE4, h.pixels); len(pixels) < h.width*h.height {
			return nil, truncated(BMP, "the pixels")
		}
	} else if len(pixels) < stride*(h.height-1)+(h.width*h.bits+7)/8 {
		return nil, truncated(BMP, "the pixels")
	}
	p := newPicture(cfg)
	if h.mode == ModeP {
		p.Palette = fullPalette(h.palette[:min(len(h.palette), 768)])
	}
	bands := cfg.Mode.Bands()
	for y := range h.height {
		if row := p.Pix[h.row(y)*h.width*bands:][:h.width*bands]; packed {
			copy(row, pixels[y*h.width:])
		} else {
			h.storeRow(row, pixels[y*stride:])
		}
	}
	return p, nil
}

// row is the place in the picture of the file's row y.
func (h *bmpHeader) row(y int) int {
	if h.topDown {
		return y
	}
	return h.height - 1 - y
}

func (h *bmpHeader) storeRow(dst, row []byte) {
	switch h.bits {
	case 1, 4, 8:
		scale := uint8(1)
		if h.mode == Mode1 {
			scale = 255
		}
		mask := byte(1<<h.bits - 1)
		for x := range h.width {
			bit := x * h.bits
			dst[x] = row[bit>>3] >> (8 - h.bits - bit&7) & mask * scale
		}
	case 16:
		for x := range h.width {
			v := int(binary.LittleEndian.Uint16(row[2*x:]))
			r, g, b := v>>10&31*255/31, v>>5&31*255/31, v&31*255/31
			if h.layout == "565" {
				r, g = v>>11&31*255/31, v>>5&63*255/63
			}
			dst[3*x], dst[3*x+1], dst[3*x+2] = uint8(r), uint8(g), uint8(b)
		}
	default:
		var place [4]int // band -> byte of a pixel
		for i, c := range h.layout {
			if band := slices.Index([]rune("RGBA"), c); band >= 0 {
				place[band] = i
			}
		}
		step, bands := h.bits/8, h.mode.Bands()
		for x := range h.width {
			for band := range bands {
				dst[bands*x+band] = row[step*x+place[band]]
			}
		}
	}
}

// bmpExpand undoes RLE8 or RLE4; at is where b begins in the file, whose even places absolute runs are aligned to.
func bmpExpand(b []byte, width, height int, nibbles bool, at int) []byte {
	total := width * height
	out := make([]byte, 0, min(total, 128*len(b)))
	pos, x := 0, 0
	for len(out) < total && pos+2 <= len(b) {
		count, value := int(b[pos]), b[pos+1]
		pos += 2
		switch {
		case count > 0:
			n := max(0, min(count, width-x, total-len(out)))
			for i := range n {
				out = append(out, bmpNibble(value, nibbles, i))
			}
			x += n
		case value == 0: // end of the row
			out = append(out, make([]byte, (width-len(out)%width)%width)...)
			x = 0
		case value == 1: // end of the picture
			return out
		case value == 2: // jump right and up
			if pos+2 > len(b) {
				return out
			}
			jump := int(b[pos]) + int(b[pos+1])*width
			out = append(out, make([]byte, min(total-len(out), jump))...)
			pos += 2
			x = len(out) % width
		default: // so many values as they are
			n := min(total-len(out), int(value))
			size := n
			if nibbles {
				size = (n + 1) / 2
			}
			if pos+size > len(b) {
				return out
			}
			for i := range n {
				if nibbles {
					out = append(out, bmpNibble(b[pos+i/2], true, i))
				} else {
					out = append(out, b[pos+i])
				}
			}
			pos += size
			pos += (at + pos) % 2
			x += int(value)
		}
	}
	return out
}

// bmpNibble is the i-th of the values that take turns in v.
func bmpNibble(v byte, nibbles bool, i int) byte {
	switch {
	case !nibbles:
		return v
	case i%2 == 0:
		return v >> 4
	}
	return v & 15
}
