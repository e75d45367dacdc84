//go:build cgo && (amd64 || arm64)

package inflate

// The loop in C: the same tables, no bounds checks beyond those of its head, and matches copied 16 bytes at a time.

// #cgo CFLAGS: -O3
// #cgo noescape quick_decode
// #cgo nocallback quick_decode
// #include "quick.h"
import "C"

import "unsafe"

func (t *tables) quick(r *bitReader, out []byte, n int) (int, bool, error) {
	if r.pos+16 > len(r.src) || n+C.QUICK_SLACK > len(out) {
		return n, false, nil
	}
	s := C.quick_state{pos: C.size_t(r.pos), bits: C.uint64_t(r.bb), count: C.unsigned(r.bn), n: C.size_t(n)}
	how := C.quick_decode(&s, (*C.uint32_t)(&t.lit[0]), (*C.uint32_t)(&t.dist[0]), (*C.uint8_t)(unsafe.SliceData(r.src)), C.size_t(len(r.src)),
		(*C.uint8_t)(unsafe.SliceData(out)), C.size_t(len(out)))
	r.pos, r.bb, r.bn = int(s.pos), uint64(s.bits), uint(s.count)
	if how == C.QUICK_CORRUPT {
		return int(s.n), false, ErrCorrupt
	}
	return int(s.n), how == C.QUICK_END, nil
}
