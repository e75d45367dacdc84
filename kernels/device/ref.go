package device

import (
	"mmc4/kernels"
	"mmc4/kernels/ref"
)

func init() {
	kinds = append(kinds, kind{name: "ref", rank: 1, count: one, open: func(int) (kernels.Device, error) { return ref.New(), nil }})
}
