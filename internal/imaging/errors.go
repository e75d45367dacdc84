package imaging

import (
	"errors"
	"fmt"
)

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

// check refuses a picture before memory is taken for it.
func (l Limits) check(format Format, width, height int) error {
	limit := l.MaxPixels
	if limit == 0 {
		limit = DefaultMaxPixels
	}
	if width < 1 || height < 1 {
		return damaged(format, "its size is %d x %d", width, height)
	}
	if int64(width)*int64(height) > limit {
		return fmt.Errorf("%s: %w: %d x %d, allowed are %d", format, ErrTooManyPixels, width, height, limit)
	}
	return nil
}

func damaged(format Format, why string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", format, ErrDamaged, fmt.Sprintf(why, args...))
}

func truncated(format Format, where string) error {
	return fmt.Errorf("%s: %w: in %s", format, ErrTruncated, where)
}
