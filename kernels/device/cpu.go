//go:build cgo

package device

import (
	"mmc4/kernels"
	"mmc4/kernels/cpu"
)

func init() {
	kinds = append(kinds, kind{name: "cpu", rank: 2, count: one, open: func(int) (kernels.Device, error) { return cpu.New(0) }})
}
