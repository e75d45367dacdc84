//go:build cgo

package imaging

// #include "jpeg_planes.h"
// #include "native.h"
import "C"

import "errors"

// decodePlanes decodes a JPEG with halved chroma as far as its planes; nil where it has none, or the processor does not have what planesToRGB is
// written in.
func decodePlanes(data []byte, cfg Config) (*planes, error) {
	if !nativeJPEG() || resampleLevel() < 3 || cfg.Width < planesWidth {
		return nil, nil
	}
	chroma := C.mmc4_jpeg_chroma(pointer(data), C.size_t(len(data)))
	if chroma == C.MMC4_OTHER {
		return nil, nil
	}
	if !jpegEnds(data) {
		return nil, truncated(JPEG, "the pixels")
	}
	p := newPlanes(cfg.Width, cfg.Height, chroma == C.MMC4_420)
	why := make([]byte, messageSize)
	if C.mmc4_jpeg_planes(pointer(data), C.size_t(len(data)), pointer(p.y()), pointer(p.cb()), pointer(p.cr()), C.int(p.width), C.int(p.height),
		C.int(p.stride()), message(why), messageSize) != 0 {
		p.release()
		return nil, damaged(JPEG, "%s", text(why))
	}
	return p, nil
}

// planesWidth is the least width of which libjpeg enlarges the chroma smoothly.
const planesWidth = 8

// planesToRGB makes the pixels of columns left to right, from an even one on, and of rows upper to lower. It writes rgbSlack bytes behind dst.
func planesToRGB(dst []uint8, p *planes, left, upper, right, lower int) error {
	halved := C.int(0)
	if p.halved {
		halved = 1
	}
	if C.mmc4_planes_to_rgb(pointer(dst), pointer(p.y()), pointer(p.cb()), pointer(p.cr()), C.int(p.stride()), C.int(p.chromaWidth()), C.int(p.chromaHeight()),
		halved, C.int(left), C.int(upper), C.int(right), C.int(lower)) != 0 {
		return errors.New("no memory for a row of pixels")
	}
	return nil
}
