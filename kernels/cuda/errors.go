//go:build cuda && cgo

package cuda

import (
	"errors"
	"fmt"
	"reflect"

	"gorgonia.org/cu"

	"mmc4/kernels"
	"mmc4/kernels/cuda/driver"
)

// lostCodes are the CUresults after which a context answers nothing any more.
var lostCodes = map[int]bool{214: true, 220: true, 700: true, 702: true, 709: true, 710: true, 714: true, 715: true, 716: true, 717: true, 718: true, 719: true, 999: true}

const outOfMemory = 2

// failed says what was tried, and wraps what package kernels knows: no memory, or a device that is lost.
func failed(what string, err error) error {
	code := codeOf(err)
	switch {
	case err == nil:
		return nil
	case code == outOfMemory:
		return fmt.Errorf("cuda: %s: %w", what, kernels.ErrOutOfMemory)
	case lostCodes[code]:
		return fmt.Errorf("cuda: %s: %w: %w; start the program again, and look at the kernel's log (Xid) if it comes back", what, kernels.ErrDeviceLost, err)
	}
	return fmt.Errorf("cuda: %s: %w", what, err)
}

// codeOf is the CUresult of an error of the driver; cu's type for it is not exported.
func codeOf(err error) int {
	var own *driver.Error
	if errors.As(err, &own) {
		return own.Code
	}
	if v := reflect.ValueOf(err); v.IsValid() && v.Kind() == reflect.Int {
		return int(v.Int())
	}
	return 0
}

// notReady reports whether work is just not done yet.
func notReady(err error) bool { return err == cu.NotReady }
