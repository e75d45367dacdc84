//go:build unix

package bench

import (
	"fmt"
	"syscall"
	"time"
)

// cpuTime is the CPU time of this process so far, user and system, of all threads.
func cpuTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
