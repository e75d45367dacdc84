//go:build cuda && cgo

package driver

/*
#cgo LDFLAGS: -L${SRCDIR}/lib -ldl
#include <cuda.h>
#include <stdlib.h>
#include "trampolines.h"
*/
import "C"

import (
	"fmt"
	"os"
	"sync"
	"unsafe"
)

// Library is what the environment variable MMC4_LIBCUDA may replace: the driver's library.
const Library = "libcuda.so.1"

// leastCUDA is the CUDA that a driver must be for: the device code's.
const leastCUDA = 12000

var opening struct {
	sync.Mutex
	open bool
}

// Open loads the driver once and initialises it. The error says what is missing and speaks of the driver.
func Open() error {
	opening.Lock()
	defer opening.Unlock()
	if opening.open {
		return nil
	}
	path := os.Getenv("MMC4_LIBCUDA")
	if path == "" {
		path = Library
	}
	cpath, why := C.CString(path), (*C.char)(C.calloc(1, 512))
	defer C.free(unsafe.Pointer(cpath))
	defer C.free(unsafe.Pointer(why))
	if C.driver_load(cpath, why, 512) != 0 {
		return fmt.Errorf("no NVIDIA driver here: %s; install one of version 525 or later, or use --device cpu", C.GoString(why))
	}
	if err := check("cuInit", C.cuInit(0)); err != nil {
		C.driver_forget()
		return fmt.Errorf("the NVIDIA driver does not start: %w; nvidia-smi may say more", err)
	}
	var is C.int
	if err := check("cuDriverGetVersion", C.cuDriverGetVersion(&is)); err != nil {
		C.driver_forget()
		return fmt.Errorf("the NVIDIA driver does not say its version: %w; nvidia-smi may say more", err)
	}
	if is < leastCUDA {
		C.driver_forget()
		return fmt.Errorf("the NVIDIA driver is too old: it is one for CUDA %d.%d, and this program needs one for CUDA %d.0: version 525 or later", is/1000, is%1000/10, leastCUDA/1000)
	}
	opening.open = true
	return nil
}

// Lacks lists the functions that the loaded driver does not have; calling one answers "not supported".
func Lacks() (names []string) {
	for i := C.int(0); ; i++ {
		name := C.driver_lacks(i)
		if name == nil {
			return names
		}
		names = append(names, C.GoString(name))
	}
}

// Calls says how often each of the driver's functions was called since the program began.
func Calls() map[string]int {
	calls := map[string]int{}
	for i := C.int(0); ; i++ {
		var n C.ulong
		name := C.driver_calls(i, &n)
		if name == nil {
			return calls
		}
		calls[C.GoString(name)] = int(n)
	}
}

// Error is a CUresult that is no success.
type Error struct {
	Call string
	Code int
	Name string // "CUDA_ERROR_OUT_OF_MEMORY"
}

func (e *Error) Error() string { return fmt.Sprintf("%s: %s (%d)", e.Call, e.Name, e.Code) }

func check(call string, r C.CUresult) error {
	if r == C.CUDA_SUCCESS {
		return nil
	}
	var name *C.char
	if C.cuGetErrorName(r, &name) != C.CUDA_SUCCESS || name == nil {
		return &Error{call, int(r), "no name"}
	}
	return &Error{call, int(r), C.GoString(name)}
}
