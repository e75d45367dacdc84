package imaging

// Previews: pictures of about the size in which people are shown them. Their pixels are not Pillow's.

// DecodePreview is Decode for looking at: the longer side has at least side pixels where the file has them, and no more than is
// quick to make. A large JPEG is decoded at a half, a quarter or an eighth of its size from the coarser part of its DCT; all
// other pictures are whole.
func DecodePreview(data []byte, limits Limits, side int) (*Picture, error) {
	codec, cfg, err := allowed(data, limits)
	if err != nil {
		return nil, err
	}
	if cfg.Format == JPEG && nativeJPEG() {
		part := 8
		for part > 1 && max(cfg.Width, cfg.Height) < part*side {
			part /= 2
		}
		cfg.Width, cfg.Height = (cfg.Width+part-1)/part, (cfg.Height+part-1)/part // libjpeg-turbo takes the scale from the size
	}
	return codec.decode(data, cfg)
}
