//go:build !cgo

package imaging

// A program without cgo loads no libraries.

import "io"

const noNative = "this program was built without cgo"

func nativeJPEG() bool { return false }
func nativeWebP() bool { return false }

func decodeJPEGNative([]byte, *Picture) error                 { return ErrDamaged }
func encodeJPEGNative(io.Writer, *RGB, int) error             { return ErrDamaged }
func decodeWebPNative(_ []byte, _ []uint8, _, _, _ int) error { return ErrDamaged }
func nativeLibraries() (jpeg, webp library) {
	return library{missing: noNative}, library{missing: noNative}
}
