//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package weights

// Mapping a file into memory where the system can do it.

import (
	"errors"
	"math"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// mapFile maps f privately: pages come from the file when touched, and a write makes a private copy of its page.
func mapFile(f *os.File, size int64) ([]byte, func() error, error) {
	if size <= 0 || size > math.MaxInt {
		return nil, nil, errors.New("nothing to map")
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE)
	if err != nil {
		return nil, nil, err
	}
	return data, func() error { return unix.Munmap(data) }, nil
}

// forget lets the system take back the whole pages inside part of a mapping; they are read again if they are touched.
func forget(part []byte) {
	page := uintptr(os.Getpagesize())
	start := uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	from := (start+page-1)/page*page - start
	if from >= uintptr(len(part)) {
		return
	}
	if whole := (uintptr(len(part)) - from) / page * page; whole > 0 {
		_ = unix.Madvise(part[from:from+whole], unix.MADV_DONTNEED) // a hint: nothing is lost if it fails
	}
}
