package imaging

import "fmt"

// Format is a file format, named as Pillow names it.
type Format string

// The formats that are known. The content decides, never a name or a header.
const (
	PNG  Format = "PNG"
	JPEG Format = "JPEG"
	GIF  Format = "GIF"
	WebP Format = "WEBP"
	BMP  Format = "BMP"
)

// MediaType is the format's IANA name, such as image/png.
func (f Format) MediaType() string {
	switch f {
	case PNG:
		return "image/png"
	case JPEG:
		return "image/jpeg"
	case GIF:
		return "image/gif"
	case WebP:
		return "image/webp"
	case BMP:
		return "image/bmp"
	}
	return ""
}

// Extension is the usual ending of a file's name, with the dot.
func (f Format) Extension() string {
	switch f {
	case PNG:
		return ".png"
	case JPEG:
		return ".jpg"
	case GIF:
		return ".gif"
	case WebP:
		return ".webp"
	case BMP:
		return ".bmp"
	}
	return ""
}

// Config is what a file says of its picture before any pixel is decoded.
type Config struct {
	Format        Format
	MediaType     string
	Width, Height int
	Mode          Mode
}

// Probe reads the headers of data and allocates nothing of the picture's size. Errors wrap ErrNotImage, ErrTruncated
// or ErrDamaged.
func Probe(data []byte) (Config, error) {
	codec, err := sniff(data)
	if err != nil {
		return Config{}, err
	}
	return codec.probe(data)
}

// Decode reads the picture (of an animation the first frame) in the file's own mode. Errors wrap one of the Err values.
// data is not kept.
func Decode(data []byte, limits Limits) (*Picture, error) {
	codec, cfg, err := allowed(data, limits)
	if err != nil {
		return nil, err
	}
	return codec.decode(data, cfg)
}

// allowed finds a picture's codec and what it says of itself, and refuses it where it is too large.
func allowed(data []byte, limits Limits) (*codec, Config, error) {
	codec, err := sniff(data)
	if err != nil {
		return nil, Config{}, err
	}
	cfg, err := codec.probe(data)
	if err != nil {
		return nil, cfg, err
	}
	return codec, cfg, limits.check(cfg.Format, cfg.Width, cfg.Height)
}

// codec reads one format. decode is called only after probe succeeded and the size was allowed.
type codec struct {
	format Format
	is     func(data []byte) bool
	probe  func(data []byte) (Config, error)
	decode func(data []byte, cfg Config) (*Picture, error)
}

var codecs = []codec{
	{JPEG, func(d []byte) bool { return hasPrefix(d, "\xff\xd8\xff") }, probeJPEG, decodeJPEG},
	{PNG, func(d []byte) bool { return hasPrefix(d, pngSignature) }, probePNG, decodePNG},
	{GIF, func(d []byte) bool { return hasPrefix(d, "GIF87a") || hasPrefix(d, "GIF89a") }, probeGIF, decodeGIF},
	{WebP, func(d []byte) bool { return hasPrefix(d, "RIFF") && len(d) >= 12 && string(d[8:12]) == "WEBP" }, probeWebP, decodeWebP},
	{BMP, func(d []byte) bool { return hasPrefix(d, "BM") && plausibleBMP(d) }, probeBMP, decodeBMP},
}

func sniff(data []byte) (*codec, error) {
	for i := range codecs {
		if codecs[i].is(data) {
			return &codecs[i], nil
		}
	}
	return nil, fmt.Errorf("%w: %d bytes beginning with %q", ErrNotImage, len(data), data[:min(len(data), 12)])
}

func hasPrefix(data []byte, magic string) bool {
	return len(data) >= len(magic) && string(data[:len(magic)]) == magic
}

func newConfig(format Format, mode Mode, width, height int) Config {
	return Config{Format: format, MediaType: format.MediaType(), Width: width, Height: height, Mode: mode}
}

// newPicture allocates the pixels of a picture whose size was allowed.
func newPicture(cfg Config) *Picture {
	return &Picture{
		Format: cfg.Format, Mode: cfg.Mode, Width: cfg.Width, Height: cfg.Height,
		Pix: make([]uint8, cfg.Width*cfg.Height*cfg.Mode.Bands()),
	}
}

// lentPicture is newPicture with pixels of any value, which Release gives back. They begin off the 32 bytes at which
// libjpeg-turbo writes past the caches: whoever resizes them has then to fetch them from memory, which took longer than the
// resizing.
func lentPicture(cfg Config) *Picture {
	const off = 16
	lent := lendPixels(off + cfg.Width*cfg.Height*cfg.Mode.Bands())
	return &Picture{Format: cfg.Format, Mode: cfg.Mode, Width: cfg.Width, Height: cfg.Height, Pix: lent[off:], lent: lent}
}
