package imaging

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
func Probe(data []byte) (Config, error) { return Config{}, ErrNotImage }

// Decode reads the picture (of an animation the first frame) in the file's own mode. Errors wrap one of the Err values.
// data is not kept.
func Decode(data []byte, limits Limits) (*Picture, error) { return nil, ErrNotImage }
