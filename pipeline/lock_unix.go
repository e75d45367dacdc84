//go:build unix

package pipeline

// The lock of a run in a folder: flock(2) on RUN/work/lock.

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

func lockFile(dir string, shared bool) (func(), error) {
	path := filepath.Join(dir, filepath.FromSlash(lockName))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return nil, fmt.Errorf("--out: the run's folder cannot be made: %w; name another, or one that may be written to", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, fmt.Errorf("the run's lock: %w", err)
	}
	how := unix.LOCK_EX
	if shared {
		how = unix.LOCK_SH
	}
	for {
		err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		if err != unix.EINTR {
			break
		}
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		holder, _ := io.ReadAll(io.LimitReader(f, 200))
		f.Close()
		return nil, refused("%s is in use%s. Wait for it or stop it; two slices may run at once, two builds may not.", dir, orBlank(holder))
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	if f.Truncate(0) == nil {
		f.WriteAt([]byte(me()), 0)
	}
	return func() { f.Close() }, nil
}

// me names this process for people.
func me() string {
	host, _ := os.Hostname()
	return fmt.Sprintf("process %d on %s", os.Getpid(), host)
}

func orBlank(holder []byte) string {
	if s := strings.TrimSpace(string(holder)); s != "" {
		return " by " + s
	}
	return ""
}
