package imaging

// Pixels that are lent: those of large pictures live for a moment, and to clear new memory for each takes as long as to resize it.

import (
	"math/bits"
	"sync"
	"unsafe"
)

// pixelPools are by size: pool i has slices of 1<<i bytes, 16 MiB at most. Larger pictures are rare, and rounding their size up would take too
// much.
var pixelPools [25]sync.Pool

// lendPixels gives n bytes of any value, to be given back or not.
func lendPixels(n int) []uint8 {
	class := bits.Len(uint(max(n, 1) - 1))
	if class >= len(pixelPools) {
		return make([]uint8, n)
	}
	if lent, ok := pixelPools[class].Get().(*uint8); ok {
		return unsafe.Slice(lent, 1<<class)[:n]
	}
	return make([]uint8, n, 1<<class)
}

// givePixels takes bytes back that nobody looks at any more. Only what lendPixels gave has its sizes; other bytes are left alone.
func givePixels(pix []uint8) {
	n := cap(pix)
	if n == 0 || n&(n-1) != 0 || bits.Len(uint(n)) > len(pixelPools) {
		return
	}
	pixelPools[bits.Len(uint(n))-1].Put(unsafe.SliceData(pix))
}

// sharePixels says whether part lies in the memory of whole.
func sharePixels(whole, part []uint8) bool {
	first, at := uintptr(unsafe.Pointer(unsafe.SliceData(whole))), uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	return first <= at && at < first+uintptr(cap(whole))
}

// Release gives the memory of a decoded picture to the next one. Nothing that shares its pixels may be used any more.
func (p *Picture) Release() {
	givePixels(p.lent)
	p.Pix, p.lent = nil, nil
}

// Release gives the memory of a resized picture to the next one. Nothing that shares its pixels may be used any more.
func (m *RGB) Release() {
	givePixels(m.lent)
	m.Pix, m.lent = nil, nil
}

// ReleaseAfter is Release where m, which was made of the picture, does not share its pixels.
func (p *Picture) ReleaseAfter(m *RGB) {
	if !sharePixels(p.Pix, m.Pix) {
		p.Release()
	}
}
