//go:build cgo

package imaging

// The passes in C, by the best instructions of the processor; equal to resize_ref.go bit for bit.

// #cgo CFLAGS: -O3
// #include "resample.h"
import "C"

import (
	"os"
	"sync"
)

// resampleLevel is the best level of the processor, or what MMC4_CPU (as for the cpu device) holds it down to.
var resampleLevel = sync.OnceValue(func() int {
	level := int(C.mmc4_resample_level())
	switch os.Getenv("MMC4_CPU") {
	case "portable":
		return 0
	case "avx2":
		return min(level, 1)
	}
	return level
})

func resampleRows(dst, src raster, w *weights)    { resampleRowsC(resampleLevel(), dst, src, w) }
func resampleColumns(dst, src raster, w *weights) { resampleColumnsC(resampleLevel(), dst, src, w) }

func resampleRowsC(level int, dst, src raster, w *weights) {
	if C.mmc4_resample_rows(C.int(level), pointer(dst.pix), pointer(src.pix), C.int(src.height), C.int(src.width),
		C.int(src.bands), numbers(w.first), numbers(w.count), numbers(w.values), C.int(w.taps), C.int(dst.width)) != 0 {
		resampleRowsRef(dst, src, w) // no memory for the rearranged weights
	}
}

func resampleColumnsC(level int, dst, src raster, w *weights) {
	if C.mmc4_resample_columns(C.int(level), pointer(dst.pix), pointer(src.pix), C.int(src.width*src.bands),
		numbers(w.first), numbers(w.count), numbers(w.values), C.int(w.taps), C.int(dst.height)) != 0 {
		resampleColumnsRef(dst, src, w) // no memory for the rearranged weights
	}
}
