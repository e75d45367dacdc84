//go:build !(cuda && cgo)

package device

import (
	"errors"

	"mmc4/kernels"
)

func init() {
	kinds = append(kinds, kind{name: "cuda", rank: 3,
		open: func(int) (kernels.Device, error) { return nil, kernels.ErrUnsupported },
		count: func() (int, error) {
			return 0, errors.New("this program was built without CUDA and cannot use an NVIDIA driver; make build-cuda makes the one that can")
		}})
}
