package imaging

// Pillow's conversions between modes (its src/libImaging/Convert.c tells the rules).

// mul255 is a * b / 255, rounded.
func mul255(a, b uint8) uint8 {
	t := uint32(a)*uint32(b) + 128
	return uint8((t>>8 + t) >> 8)
}

// RGB is Pillow's convert("RGB"): alpha is dropped, a palette is expanded, 16-bit grey clamps at 255, CMYK is inverted
// and multiplied. EXIF orientation is not applied. For ModeRGB Pix is shared.
func (p *Picture) RGB() *RGB {
	if p.Mode == ModeRGB {
		return &RGB{Width: p.Width, Height: p.Height, Pix: p.Pix}
	}
	m := NewRGB(p.Width, p.Height)
	src, dst := p.Pix, m.Pix
	switch p.Mode {
	case ModeL, Mode1:
		for i, v := range src {
			d := dst[3*i : 3*i+3 : 3*i+3]
			d[0], d[1], d[2] = v, v, v
		}
	case ModeLA:
		for i := range len(src) / 2 {
			v, d := src[2*i], dst[3*i:3*i+3:3*i+3]
			d[0], d[1], d[2] = v, v, v
		}
	case ModeI16:
		for i := range len(src) / 2 {
			v, d := src[2*i], dst[3*i:3*i+3:3*i+3]
			if src[2*i+1] != 0 {
				v = 255
			}
			d[0], d[1], d[2] = v, v, v
		}
	case ModeP:
		for i, v := range src {
			copy(dst[3*i:3*i+3], p.Palette[3*int(v):3*int(v)+3])
		}
	case ModeRGBA:
		for i := range len(src) / 4 {
			copy(dst[3*i:3*i+3], src[4*i:4*i+3])
		}
	case ModeCMYK:
		for i := range len(src) / 4 {
			s, d := src[4*i:4*i+4:4*i+4], dst[3*i:3*i+3:3*i+3]
			white := 255 - s[3]
			d[0], d[1], d[2] = white-mul255(s[0], white), white-mul255(s[1], white), white-mul255(s[2], white)
		}
	}
	return m
}

// premultiplied is Pillow's convert to "La" or "RGBa": every band times the alpha band, which is the last.
func premultiplied(pix []uint8, bands int) []uint8 {
	out := make([]uint8, len(pix))
	for i := 0; i < len(pix); i += bands {
		alpha := pix[i+bands-1]
		for b := range bands - 1 {
			out[i+b] = mul255(pix[i+b], alpha)
		}
		out[i+bands-1] = alpha
	}
	return out
}

// unmultiply undoes premultiplied in place, as far as that goes.
func unmultiply(pix []uint8, bands int) {
	for i := 0; i < len(pix); i += bands {
		alpha := int(pix[i+bands-1])
		if alpha == 0 || alpha == 255 {
			continue
		}
		for b := range bands - 1 {
			pix[i+b] = uint8(min(255, 255*int(pix[i+b])/alpha))
		}
	}
}
