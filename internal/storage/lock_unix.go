//go:build unix

package storage

// Locks on temporary files: who holds one lives.

import (
	"errors"
	"os"
	"syscall"
)

// lockFile takes the lock without waiting; false when another process has it. Where a file system has no locks, held is true and
// sure is false.
func lockFile(f *os.File) (held, sure bool) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	none := errors.Is(err, syscall.ENOTSUP) || errors.Is(err, syscall.ENOLCK)
	return err == nil || none, err == nil
}

// noFolderSync says that a file system cannot make a folder durable on demand.
func noFolderSync(err error) bool {
	return errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP)
}
