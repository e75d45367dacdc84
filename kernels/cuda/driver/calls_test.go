//go:build cuda && cgo

package driver

import (
	"testing"
	"unsafe"

	"gorgonia.org/cu"
)

func TestHandlesAreOnePointer(t *testing.T) {
	for name, size := range map[string]uintptr{
		"CUContext": unsafe.Sizeof(cu.CUContext{}), "Function": unsafe.Sizeof(cu.Function{}), "Stream": unsafe.Sizeof(cu.Stream{}),
	} {
		if size != unsafe.Sizeof(uintptr(0)) {
			t.Errorf("cu.%s has %d bytes", name, size)
		}
	}
}
