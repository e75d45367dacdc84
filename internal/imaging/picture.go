package imaging

// The types that pictures have between decoding and encoding.

// Mode is a pixel layout, named as Pillow names it.
type Mode string

// The modes that decoders give.
const (
	Mode1    Mode = "1"    // one byte a pixel, 0 or 255
	ModeL    Mode = "L"    // grey
	ModeLA   Mode = "LA"   // grey, alpha
	ModeP    Mode = "P"    // index into Palette
	ModeRGB  Mode = "RGB"  // red, green, blue
	ModeRGBA Mode = "RGBA" // red, green, blue, alpha (not premultiplied)
	ModeI16  Mode = "I;16" // grey, two bytes a pixel, little-endian
	ModeCMYK Mode = "CMYK" // as Pillow shows it: 255 minus what the JPEG stores
)

// Bands is the number of bytes a pixel of the mode takes in Picture.Pix.
func (m Mode) Bands() int {
	switch m {
	case ModeLA, ModeI16:
		return 2
	case ModeRGB:
		return 3
	case ModeRGBA, ModeCMYK:
		return 4
	}
	return 1
}

// Picture is a decoded picture in its own mode, before any conversion; of an animation the first frame.
type Picture struct {
	Format        Format
	Mode          Mode
	Width, Height int
	Pix           []uint8 // Height rows of Width*Mode.Bands() bytes, no padding

	Palette      []uint8 // ModeP: 256 R, G, B triples; entries that the file does not define are as in Pillow
	PaletteAlpha []uint8 // ModeP: alpha of the first entries, nil = opaque (PNG tRNS, GIF transparency)

	// Low holds the low bytes of a PNG with 16 bits a sample, LowBands samples a pixel as in the file, else it is nil.
	// Pix has what Pillow keeps of such files: the high byte, or both bytes in ModeI16.
	Low      []uint8
	LowBands int

	lent []uint8 // what lendPixels gave for Pix, if it did and it is this picture's alone
}

// RGB is a picture of 8-bit red, green and blue: Height rows of 3*Width bytes.
type RGB struct {
	Width, Height int
	Pix           []uint8

	lent []uint8 // as in Picture
}

// NewRGB makes a black picture.
func NewRGB(width, height int) *RGB {
	return &RGB{Width: width, Height: height, Pix: make([]uint8, 3*width*height)}
}

// Picture gives the same pixels as a Picture of ModeRGB; Pix is shared.
func (m *RGB) Picture() *Picture {
	return &Picture{Mode: ModeRGB, Width: m.Width, Height: m.Height, Pix: m.Pix}
}

// Stored gives the samples as CImg, and so pHash, reads them from the file: bands samples a pixel, packed rows.
// A palette is expanded to three bands, files of 16 bits give the low byte, CMYK the inverted values that JPEG stores.
// Alpha, where there is one, is the last band; bands is 1, 2, 3 or 4.
func (p *Picture) Stored() (pix []uint8, bands int) {
	switch {
	case p.Low != nil:
		return p.Low, p.LowBands
	case p.Mode == ModeP:
		return p.RGB().Pix, 3
	case p.Mode == ModeCMYK:
		pix = make([]uint8, len(p.Pix))
		for i, v := range p.Pix {
			pix[i] = 255 - v
		}
		return pix, 4
	}
	return p.Pix, p.Mode.Bands()
}

// HasAlpha says whether any transparency is declared: an alpha band, or a palette with alpha.
func (p *Picture) HasAlpha() bool {
	return p.Mode == ModeLA || p.Mode == ModeRGBA || p.Mode == ModeP && p.PaletteAlpha != nil
}

// Crop cuts out width x height pixels from (left, upper); they must lie in the picture. Low is not carried over.
func (p *Picture) Crop(left, upper, width, height int) *Picture {
	out := *p
	out.Width, out.Height, out.Low, out.LowBands, out.lent = width, height, nil, 0, nil
	out.Pix = crop(raster{p.Pix, p.Width, p.Height, p.Mode.Bands()}, left, upper, width, height)
	return &out
}

// Crop cuts out width x height pixels from (left, upper); they must lie in the picture.
func (m *RGB) Crop(left, upper, width, height int) *RGB {
	return &RGB{Width: width, Height: height, Pix: crop(raster{m.Pix, m.Width, m.Height, 3}, left, upper, width, height)}
}

func crop(src raster, left, upper, width, height int) []uint8 {
	if left == 0 && upper == 0 && width == src.width && height == src.height {
		return src.pix
	}
	out := newRaster(width, height, src.bands)
	for y := range height {
		copy(out.row(y), src.row(upper + y)[left*src.bands:])
	}
	return out.pix
}

// Bytes is Pillow's tobytes: the rows of Pix, in Mode1 packed to eight pixels a byte.
func (p *Picture) Bytes() []byte {
	if p.Mode != Mode1 {
		return p.Pix
	}
	stride := (p.Width + 7) / 8
	packed := make([]byte, stride*p.Height)
	for i, v := range p.Pix {
		x, y := i%p.Width, i/p.Width
		packed[y*stride+x/8] |= v & (128 >> (x % 8))
	}
	return packed
}
