//go:build cgo

package cpu

import "syscall"

// hugePages asks for large pages: a weight is read from end to end by every product, and each small page costs a look at the
// page table. Where the system has none, nothing changes.
func hugePages(data []byte) {
	const worth = 4 << 20 // below it the part of a large page that stays empty would count
	if len(data) >= worth {
		_ = syscall.Madvise(data, syscall.MADV_HUGEPAGE)
	}
}
