package imaging

// JPEG without libjpeg-turbo: Go's image/jpeg. Its inverse DCT and chroma upsampling round in another way, so pixels
// differ from Pillow's by a few units.

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"io"
)

// decodeJPEGGo fills p.Pix with grey, RGB, or CMYK as the file stores it.
func decodeJPEGGo(data []byte, p *Picture) error {
	decoded, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return damaged(JPEG, "%v", err)
	}
	if b := decoded.Bounds(); b.Dx() != p.Width || b.Dy() != p.Height {
		return damaged(JPEG, "two sizes: %d x %d and %d x %d", p.Width, p.Height, b.Dx(), b.Dy())
	}
	switch m := decoded.(type) {
	case *image.Gray:
		for y := range p.Height {
			copy(p.Pix[y*p.Width:][:p.Width], m.Pix[y*m.Stride:])
		}
	case *image.CMYK: // already turned round where an Adobe marker says so
		for y := range p.Height {
			row := p.Pix[4*y*p.Width:][:4*p.Width]
			copy(row, m.Pix[y*m.Stride:])
			for i := range row {
				row[i] = 255 - row[i]
			}
		}
	default:
		if p.Mode != ModeRGB {
			return damaged(JPEG, "%T in mode %s", decoded, p.Mode)
		}
		storeRGB(p, decoded)
	}
	return nil
}

func storeRGB(p *Picture, m image.Image) {
	at := func(x, y int) (r, g, b uint8) {
		c := color.NRGBAModel.Convert(m.At(x, y)).(color.NRGBA)
		return c.R, c.G, c.B
	}
	if m, ok := m.(*image.YCbCr); ok {
		at = func(x, y int) (r, g, b uint8) {
			c := m.COffset(x, y)
			return color.YCbCrToRGB(m.Y[m.YOffset(x, y)], m.Cb[c], m.Cr[c])
		}
	}
	origin := m.Bounds().Min
	for y := range p.Height {
		row := p.Pix[3*y*p.Width:][:3*p.Width]
		for x := range p.Width {
			row[3*x], row[3*x+1], row[3*x+2] = at(origin.X+x, origin.Y+y)
		}
	}
}

func encodeJPEGGo(w io.Writer, m *RGB, quality int) error {
	in := image.NewNRGBA(image.Rect(0, 0, m.Width, m.Height))
	for i := range m.Width * m.Height {
		copy(in.Pix[4*i:], m.Pix[3*i:3*i+3])
		in.Pix[4*i+3] = 255
	}
	return jpeg.Encode(w, in, &jpeg.Options{Quality: quality})
}
