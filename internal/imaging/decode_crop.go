package imaging

// Decoding and a crop at once: of a JPEG with halved chroma, which most are, only the pixels that the crop is made of get their
// colours.

// DecodeCrop is Decode, RGB, and ResizeCrop to what crop says of a picture of so many pixels.
func DecodeCrop(data []byte, limits Limits, f Filter, crop func(width, height int) Crop) (*RGB, error) {
	return decodeCrop(data, limits, f, crop, func(p *Picture, c Crop) *RGB { return ResizeCrop(p.RGB(), f, c) })
}

// DecodeCropFirst is DecodeCrop with RGB last: resized in the file's own mode.
func DecodeCropFirst(data []byte, limits Limits, f Filter, crop func(width, height int) Crop) (*RGB, error) {
	return decodeCrop(data, limits, f, crop, func(p *Picture, c Crop) *RGB {
		if p.Mode == ModeRGB {
			return ResizeCrop(p.RGB(), f, c)
		}
		return p.ResizeCrop(f, c).RGB()
	})
}

func decodeCrop(data []byte, limits Limits, f Filter, crop func(width, height int) Crop, cut func(*Picture, Crop) *RGB) (*RGB, error) {
	codec, cfg, err := allowed(data, limits)
	if err != nil {
		return nil, err
	}
	c := crop(cfg.Width, cfg.Height)
	if cfg.Format == JPEG && cfg.Mode == ModeRGB && f != Nearest {
		if p, err := decodePlanes(data, cfg); err != nil {
			return nil, err
		} else if p != nil {
			return p.resize(f, c)
		}
	}
	p, err := codec.decode(data, cfg)
	if err != nil {
		return nil, err
	}
	m := cut(p, c)
	p.ReleaseAfter(m)
	return m, nil
}
