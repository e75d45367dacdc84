//go:build cgo

package imaging

// libjpeg-turbo and libwebp, loaded at run time on first use.

// #cgo LDFLAGS: -ldl
// #include "native.h"
import "C"

import (
	"fmt"
	"io"
	"sync"
	"unsafe"
)

const messageSize = 512

func pointer(b []byte) *C.uint8_t  { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(b))) }
func numbers(v []int32) *C.int32_t { return (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(v))) }
func message(b []byte) *C.char     { return (*C.char)(unsafe.Pointer(unsafe.SliceData(b))) }

func text(b []byte) string { return C.GoString(message(b)) }

var loadJPEG = sync.OnceValue(func() library {
	path, why := make([]byte, 4096), make([]byte, messageSize)
	if C.mmc4_load_jpeg(message(path), C.size_t(len(path)), message(why), messageSize) != 0 {
		return library{missing: text(why)}
	}
	return library{path: text(path), version: turboVersion(text(path))}
})

var loadWebP = sync.OnceValue(func() library {
	path, why := make([]byte, 4096), make([]byte, messageSize)
	var version C.int
	if C.mmc4_load_webp(message(path), C.size_t(len(path)), message(why), messageSize, &version) != 0 {
		return library{missing: text(why)}
	}
	return library{path: text(path), version: fmt.Sprintf("%d.%d.%d", version>>16, version>>8&255, version&255)}
})

func nativeLibraries() (jpeg, webp library) { return loadJPEG(), loadWebP() }

func nativeJPEG() bool { return loadJPEG().missing == "" }
func nativeWebP() bool { return loadWebP().missing == "" }

// decodeJPEGNative fills p.Pix with grey, RGB, or CMYK as the file stores it.
func decodeJPEGNative(data []byte, p *Picture) error {
	format := C.int(C.MMC4_RGB)
	switch p.Mode {
	case ModeL:
		format = C.MMC4_GREY
	case ModeCMYK:
		format = C.MMC4_CMYK
	}
	why := make([]byte, messageSize)
	if C.mmc4_jpeg_decode(pointer(data), C.size_t(len(data)), pointer(p.Pix), C.int(p.Width), C.int(p.Height), format,
		C.int(p.Mode.Bands()), message(why), messageSize) != 0 {
		return damaged(JPEG, "%s", text(why))
	}
	return nil
}

func encodeJPEGNative(w io.Writer, m *RGB, quality int) error {
	out, why := lendPixels(int(C.mmc4_jpeg_bound(C.int(m.Width), C.int(m.Height)))), make([]byte, messageSize)
	defer givePixels(out)
	size := C.size_t(len(out))
	if C.mmc4_jpeg_encode(pointer(m.Pix), C.int(m.Width), C.int(m.Height), C.int(quality), pointer(out), &size,
		message(why), messageSize) != 0 {
		return fmt.Errorf("JPEG of %d x %d: libjpeg-turbo: %s", m.Width, m.Height, text(why))
	}
	_, err := w.Write(out[:size])
	return err
}

// decodeWebPNative fills pix, width x height pixels of 3 or 4 bands, from a still WebP file.
func decodeWebPNative(file []byte, pix []uint8, width, height, bands int) error {
	if C.mmc4_webp_decode(pointer(file), C.size_t(len(file)), pointer(pix), C.int(width), C.int(height),
		C.int(bands)) != 0 {
		return damaged(WebP, "libwebp could not decode it")
	}
	return nil
}
