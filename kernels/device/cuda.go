//go:build cuda && cgo

package device

import (
	"mmc4/kernels"
	"mmc4/kernels/cuda"
)

func init() {
	kinds = append(kinds, kind{name: "cuda", rank: 3, count: cuda.Count, open: func(index int) (kernels.Device, error) { return cuda.New(index) }})
}
