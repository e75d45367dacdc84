package imaging

// Writing JPEG and PNG, and the form in which MMC4 stores a picture.

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
)

// EncodeJPEG writes a baseline JPEG with 4:2:0 chroma; quality is 1..100, libjpeg's scale. With libjpeg-turbo on the
// machine the file's pixels are those of Pillow's Image.save.
func EncodeJPEG(w io.Writer, m *RGB, quality int) error {
	if m.Width < 1 || m.Height < 1 || m.Width > 65500 || m.Height > 65500 {
		return fmt.Errorf("JPEG of %d x %d: sides must be 1 to 65500", m.Width, m.Height)
	}
	quality = min(max(quality, 1), 100)
	if nativeJPEG() {
		return encodeJPEGNative(w, m, quality)
	}
	return encodeJPEGGo(w, m, quality)
}

// EncodePNG writes p as PNG; CMYK becomes RGB.
func EncodePNG(w io.Writer, p *Picture) error { return png.Encode(w, p.image()) }

// image gives p to Go's encoders.
func (p *Picture) image() image.Image {
	bounds := image.Rect(0, 0, p.Width, p.Height)
	switch p.Mode {
	case ModeL, Mode1:
		return &image.Gray{Pix: p.Pix, Stride: p.Width, Rect: bounds}
	case ModeI16:
		m := image.NewGray16(bounds)
		for i := 0; i < len(p.Pix); i += 2 {
			m.Pix[i], m.Pix[i+1] = p.Pix[i+1], p.Pix[i]
		}
		return m
	case ModeP:
		colours := make(color.Palette, 256)
		for i := range colours {
			c := color.NRGBA{p.Palette[3*i], p.Palette[3*i+1], p.Palette[3*i+2], 255}
			if i < len(p.PaletteAlpha) {
				c.A = p.PaletteAlpha[i]
			}
			colours[i] = c
		}
		return &image.Paletted{Pix: p.Pix, Stride: p.Width, Rect: bounds, Palette: colours}
	case ModeRGBA:
		return &image.NRGBA{Pix: p.Pix, Stride: 4 * p.Width, Rect: bounds}
	case ModeLA:
		m := image.NewNRGBA(bounds)
		for i := range p.Width * p.Height {
			v := p.Pix[2*i]
			m.Pix[4*i], m.Pix[4*i+1], m.Pix[4*i+2], m.Pix[4*i+3] = v, v, v, p.Pix[2*i+1]
		}
		return m
	}
	m, rgb := image.NewNRGBA(bounds), p.RGB().Pix
	for i := range p.Width * p.Height {
		copy(m.Pix[4*i:], rgb[3*i:3*i+3])
		m.Pix[4*i+3] = 255
	}
	return m
}

// WithAlpha is Pillow's convert("RGBA") of a palette with transparency; other pictures are returned as they are.
func (p *Picture) WithAlpha() *Picture {
	if p.Mode != ModeP || p.PaletteAlpha == nil {
		return p
	}
	out := &Picture{Format: p.Format, Mode: ModeRGBA, Width: p.Width, Height: p.Height, Pix: make([]uint8, 4*len(p.Pix))}
	for i, v := range p.Pix {
		copy(out.Pix[4*i:4*i+3], p.Palette[3*int(v):])
		out.Pix[4*i+3] = 255
		if int(v) < len(p.PaletteAlpha) {
			out.Pix[4*i+3] = p.PaletteAlpha[v]
		}
	}
	return out
}

// File is an encoded picture.
type File struct {
	Data          []byte
	Format        Format
	Width, Height int
}

// ShrinkMMC4 gives the form in which MMC4 stores a picture: data itself when it is JPEG or PNG with the longer side at
// most side (800 in MMC4); else shrunk by Lanczos until the longer side is side (never enlarged) and encoded again, as
// PNG when the picture has alpha, else as JPEG of quality 90. pic is what Decode made of data.
func ShrinkMMC4(data []byte, pic *Picture, side int) (File, error) {
	longer := max(pic.Width, pic.Height)
	if longer <= side && (pic.Format == JPEG || pic.Format == PNG) {
		return File{data, pic.Format, pic.Width, pic.Height}, nil
	}
	width, height := pic.Width, pic.Height
	if longer > side {
		width, height = max(1, scaled(pic.Width, side, longer)), max(1, scaled(pic.Height, side, longer))
	}
	out := File{Format: JPEG, Width: width, Height: height}
	var b bytes.Buffer
	var err error
	if pic.HasAlpha() {
		out.Format = PNG
		err = EncodePNG(&b, pic.WithAlpha().Resize(width, height, Lanczos, nil))
	} else {
		whole := pic.RGB()
		small := Resize(whole, width, height, Lanczos, nil)
		err = EncodeJPEG(&b, small, 90)
		small.Release()
	}
	out.Data = b.Bytes()
	return out, err
}

// scaled is v * side / longer, rounded half up.
func scaled(v, side, longer int) int {
	return int((2*int64(v)*int64(side) + int64(longer)) / (2 * int64(longer)))
}
