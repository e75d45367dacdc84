//go:build !cgo

package device

import (
	"errors"

	"mmc4/kernels"
)

func init() {
	kinds = append(kinds, kind{name: "cpu", rank: 2,
		open: func(int) (kernels.Device, error) { return nil, kernels.ErrUnsupported },
		count: func() (int, error) {
			return 0, errors.New("this program was built without cgo; build it with gcc installed and CGO_ENABLED=1, or use --device ref")
		}})
}
