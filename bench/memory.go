package bench

// The largest memory of this process over a stretch of work (Linux: VmHWM, which clear_refs sets back).

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// resetPeak begins to measure anew, after what is no longer used has been given back.
func resetPeak() error {
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil {
		return Unavailable{"the system does not measure the largest memory of a process: " + err.Error()}
	}
	return nil
}

// peakBytes is the largest resident memory since resetPeak.
func peakBytes() (int64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		var kib int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("/proc/self/status does not say how much memory was used")
}
