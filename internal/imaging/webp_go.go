package imaging

// WebP without libwebp: the bitstreams by golang.org/x/image, then chroma upsampling and YUV -> RGB in libwebp's
// integer arithmetic (its src/dsp/upsampling.c and src/dsp/yuv.h describe it), so that the pixels are the same.

import (
	"bytes"
	"image"

	"golang.org/x/image/webp"
)

// decodeWebPGo fills pix, width x height pixels of 3 or 4 bands, from a still WebP file.
func decodeWebPGo(file []byte, pix []uint8, width, height, bands int) (err error) {
	cfg, err := webp.DecodeConfig(bytes.NewReader(file))
	if err == nil && (cfg.Width != width || cfg.Height != height) {
		return damaged(WebP, "two sizes: %d x %d and %d x %d", width, height, cfg.Width, cfg.Height)
	}
	defer func() { // x/image's VP8 reader indexes past its tables on some damaged streams
		if p := recover(); p != nil {
			err = damaged(WebP, "%v", p)
		}
	}()
	decoded, err := webp.Decode(bytes.NewReader(file))
	if err != nil {
		return damaged(WebP, "%v", err)
	}
	if b := decoded.Bounds(); b.Dx() != width || b.Dy() != height {
		return damaged(WebP, "two sizes: %d x %d and %d x %d", width, height, b.Dx(), b.Dy())
	}
	switch m := decoded.(type) {
	case *image.NRGBA:
		for y := range height {
			storeBands(pix[y*width*bands:], m.Pix[y*m.Stride:], width, bands)
		}
	case *image.NYCbCrA:
		storeYUV(pix, &m.YCbCr, width, height, bands)
		if bands == 4 {
			for y := range height {
				for x := range width {
					pix[(y*width+x)*4+3] = m.A[y*m.AStride+x]
				}
			}
		}
	case *image.YCbCr:
		storeYUV(pix, m, width, height, bands)
	default:
		return damaged(WebP, "unexpected pixels: %T", decoded)
	}
	return nil
}

func storeBands(dst, rgba []uint8, width, bands int) {
	for x := range width {
		copy(dst[x*bands:][:bands], rgba[4*x:])
	}
}

// storeYUV upsamples 4:2:0 chroma with weights 9, 3, 3, 1 and converts.
func storeYUV(pix []uint8, m *image.YCbCr, width, height, bands int) {
	halfW, halfH := (width+1)/2, (height+1)/2
	for y := range height {
		near := y / 2 // the chroma row that holds this row, and the next one on this row's other side
		far := min(max(near+2*(y&1)-1, 0), halfH-1)
		for x := range width {
			nx := x / 2
			fx := min(max(nx+2*(x&1)-1, 0), halfW-1)
			nn, nf, fn, ff := near*m.CStride+nx, near*m.CStride+fx, far*m.CStride+nx, far*m.CStride+fx
			u := webpChroma(m.Cb[nn], m.Cb[nf], m.Cb[fn], m.Cb[ff])
			v := webpChroma(m.Cr[nn], m.Cr[nf], m.Cr[fn], m.Cr[ff])
			d := pix[(y*width+x)*bands:][:bands]
			d[0], d[1], d[2] = webpRGB(int(m.Y[y*m.YStride+x]), u, v)
			if bands == 4 {
				d[3] = 255
			}
		}
	}
}

// webpChroma weighs the nearest sample, the one beside it, the one above or below it, and the diagonal one. libwebp
// halves in two steps, which rounds otherwise than (9a + 3b + 3c + d + 8) / 16.
func webpChroma(nn, nf, fn, ff uint8) int {
	a, b, c, d := int(nn), int(nf), int(fn), int(ff)
	diagonal := (a + 3*b + 3*c + d + 8) >> 3 // the sum of all + 2 (b + c), an eighth of it
	return (diagonal + a) >> 1
}

// webpRGB is VP8YUVToR, G and B.
func webpRGB(y, u, v int) (r, g, b uint8) {
	high := func(v, coefficient int) int { return v * coefficient >> 8 }
	clip := func(v int) uint8 { return uint8(min(max(v>>6, 0), 255)) }
	luma := high(y, 19077)
	return clip(luma + high(v, 26149) - 14234),
		clip(luma - high(u, 6419) - high(v, 13320) + 8708),
		clip(luma + high(u, 33050) - 17685)
}
