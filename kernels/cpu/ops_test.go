//go:build cgo

package cpu

import (
	"testing"

	"mmc4/kernels/optest"
)

// TestOps runs the table of ops on every instruction set.
func TestOps(t *testing.T) {
	eachLevel(t, func(t *testing.T, d *Device) { optest.Check(t, d, 40) })
}
