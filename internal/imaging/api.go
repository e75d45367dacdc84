package imaging

import "io"

// Filter is a resampling filter, with Pillow's meaning.
type Filter int

// Pillow's filters.
const (
	Nearest Filter = iota
	Box
	Bilinear
	Hamming
	Bicubic // a = -0.5
	Lanczos // 3 lobes
)

// Rect is the part of the source that is resized, in source pixels, possibly fractional.
type Rect struct{ Left, Upper, Right, Lower float64 }

// RGB is Pillow's convert("RGB"): alpha is dropped, a palette is expanded, 16-bit grey clamps at 255, CMYK is inverted
// and multiplied. EXIF orientation is not applied.
func (p *Picture) RGB() *RGB { return NewRGB(p.Width, p.Height) }

// Resize gives box of src (nil: all of it) in width x height pixels, equal bit for bit to Pillow's Image.resize.
// It panics on sizes below 1.
func Resize(src *RGB, width, height int, f Filter, box *Rect) *RGB { return NewRGB(width, height) }

// Resize gives box of p (nil: all of it) in its own mode, as Pillow's Image.resize does: palette and 1-bit pictures by
// nearest whatever f is, alpha premultiplied during the work.
func (p *Picture) Resize(width, height int, f Filter, box *Rect) *Picture { return p }

// EncodeJPEG writes a baseline JPEG with 4:2:0 chroma; quality is 1..100, libjpeg's scale.
func EncodeJPEG(w io.Writer, m *RGB, quality int) error { return nil }

// EncodePNG writes p (L, LA, RGB, RGBA, P, 1, I;16; CMYK as RGB) as PNG.
func EncodePNG(w io.Writer, p *Picture) error { return nil }

// Stored is a picture in the form in which a dataset keeps it.
type Stored struct {
	Data          []byte
	Format        Format
	Width, Height int
}

// ShrinkMMC4 gives the form in which MMC4 stores a picture: data itself when it is JPEG or PNG with the longer side at
// most side; else shrunk by Lanczos until the longer side is side (never enlarged) and encoded again, as PNG when the
// picture has alpha, else as JPEG of quality 90. pic is what Decode made of data.
func ShrinkMMC4(data []byte, pic *Picture, side int) (Stored, error) { return Stored{}, nil }

// Decoder is one library that decodes or encodes pictures.
type Decoder struct {
	Name    string   // libjpeg-turbo, libwebp, mmc4 png, ...
	Formats []Format // what it is used for
	Version string   // as far as it tells
	Path    string   // the file that was loaded; empty for code of this program
	Missing string   // why it is not used and what brings it, or empty
}

// Decoders lists what Decode and the encoders use on this machine, and what they would use if it were there.
func Decoders() []Decoder { return nil }
