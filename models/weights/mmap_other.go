//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package weights

// The twin of mmap_unix.go for systems without mmap: files are read in pieces.

import (
	"errors"
	"os"
)

func mapFile(*os.File, int64) ([]byte, func() error, error) {
	return nil, nil, errors.New("mapping files is not supported here")
}

func forget([]byte) {}
