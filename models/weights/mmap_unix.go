//go:build unix

package weights

// Mapping a file into memory where the system can do it.

import (
	"errors"
	"math"
	"os"
	"syscall"
)

// mapFile maps f privately: pages come from the file when touched, and a write makes a private copy of its page.
func mapFile(f *os.File, size int64) ([]byte, func() error, error) {
	if size <= 0 || size > math.MaxInt {
		return nil, nil, errors.New("nothing to map")
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, nil, err
	}
	return data, func() error { return syscall.Munmap(data) }, nil
}
