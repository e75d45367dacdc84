//go:build unix

package train

import (
	"os/signal"
	"strconv"
	"syscall"
)

// limitFiles makes writing beyond so many bytes of a file fail: what a full disk does, without one.
func limitFiles(text string) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return
	}
	signal.Ignore(syscall.SIGXFSZ)
	limit := syscall.Rlimit{Cur: n, Max: n}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		panic(err)
	}
}
