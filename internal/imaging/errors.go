package imaging

import "errors"

// The ways decoding fails; every error of Probe and Decode wraps exactly one of them.
var (
	ErrNotImage      = errors.New("not a picture of a known format")
	ErrTruncated     = errors.New("the picture's data end too early")
	ErrTooManyPixels = errors.New("the picture has too many pixels")
	ErrDamaged       = errors.New("the picture's data are damaged")
)

// DefaultMaxPixels is the limit where Limits gives none.
const DefaultMaxPixels = 100_000_000

// Limits bounds what Decode may allocate.
type Limits struct {
	MaxPixels int64 // width * height; 0 means DefaultMaxPixels
}
