//go:build cuda && cgo

package gpu

import (
	"os"
	"strings"
	"testing"
)

// TestCounts: on the stub driver a step and the image tower neither wait for the device nor take memory, once they have run
// before.
func TestCounts(t *testing.T) {
	if os.Getenv("MMC4_STUB_LOG") == "" {
		t.Skip("MMC4_STUB_LOG is not set: make cuda-check runs this on the stub driver")
	}
	seen := 0
	for _, l := range phase(t, "speed", Options{Device: "cuda"}) {
		if !strings.HasPrefix(l.Check, "Flamingo step") && !strings.HasPrefix(l.Check, "CLIP") {
			continue
		}
		seen++
		waits, ok := l.Figures["waits"]
		if allocations := l.Figures["allocations"]; !ok || waits != 0 || allocations != 0 {
			t.Errorf("%s: %v", l, l.Figures)
		}
	}
	if seen != 2 {
		t.Errorf("%d lines", seen)
	}
}
