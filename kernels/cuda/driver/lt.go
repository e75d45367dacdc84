//go:build cuda && cgo

package driver

/*
#include <cuda.h>
#include <stdlib.h>
#include "lt.h"
*/
import "C"

import (
	"fmt"
	"os"
	"sync"
	"unsafe"

	"gorgonia.org/cu"
)

// LtVariable is the environment variable that names cuBLASLt's library, or LtNone to do without.
const (
	LtVariable = "MMC4_CUBLASLT"
	LtNone     = "none"
)

// ltNames are what is looked for where that variable is not set: as the loader does, so LD_LIBRARY_PATH may name the
// folder of a Python package that holds one.
var ltNames = []string{"libcublasLt.so.13", "libcublasLt.so.12"}

var loadingLt struct {
	sync.Mutex
	done  bool
	found bool
	err   error
}

// loadLt loads the library once. Nothing found is no error, unless the variable names it.
func loadLt() (bool, error) {
	l := &loadingLt
	l.Lock()
	defer l.Unlock()
	if l.done {
		return l.found, l.err
	}
	l.done = true
	named := os.Getenv(LtVariable)
	names := ltNames
	switch named {
	case LtNone:
		return false, nil
	case "":
	default:
		names = []string{named}
	}
	why := (*C.char)(C.calloc(1, 512))
	defer C.free(unsafe.Pointer(why))
	for _, name := range names {
		path := C.CString(name)
		l.found = C.lt_load(path, why, 512) == 0
		C.free(unsafe.Pointer(path))
		if l.found {
			return true, nil
		}
	}
	if named != "" {
		l.err = fmt.Errorf("%s=%s is no cuBLASLt of CUDA 12 or 13: %s; name another, or %s to do without", LtVariable, named, C.GoString(why), LtNone)
	}
	return false, l.err
}

// Lt is cuBLASLt in one context. It needs that context current.
type Lt struct{ handle unsafe.Pointer }

// NewLt is nil, without an error, where there is no library, or one that nobody named and that does not start: it may want a
// newer driver.
func NewLt() (*Lt, error) {
	if found, err := loadLt(); !found {
		return nil, err
	}
	l := &Lt{}
	if status := C.lt_create(&l.handle); status != 0 {
		if os.Getenv(LtVariable) == "" {
			return nil, nil
		}
		return nil, &LtError{"cublasLtCreate", int(status)}
	}
	return l, nil
}

// Close gives the context's part back.
func (l *Lt) Close() { C.lt_destroy(l.handle) }

// Version is the library's, like 130100.
func (*Lt) Version() int { return int(C.lt_version()) }

// Numbers of the library: types, and parts of epilogues. LtKeep keeps what GELU (its tanh form) was applied to.
const (
	LtFloat32, LtBFloat16               = 0, 14
	LtPlain, LtBias, LtGELU, LtKeep     = 1, 4, 32, 128
	LtGELUKeep                          = LtGELU | LtKeep
	ltInvalidValue, ltNotSupported  int = 7, 15
)

// LtShape is D = epilogue(alpha op(A) op(B) + beta C), column-major, as lt.h has it. Equal shapes share a plan.
type LtShape struct {
	M, N, K, LdA, LdB, LdC, LdD, LdAux      int64
	TypeAB, TypeD, TransA, TransB, Epilogue int32
	AlignA, AlignB, AlignC, AlignD          uint32
}

// LtOperands are what one product works on.
type LtOperands struct {
	A, B, C, D, Bias, Aux, Workspace uint64
	WorkspaceBytes                   uint64
	Alpha, Beta                      float32
}

// LtPlan is an algorithm for a shape.
type LtPlan struct{ p *C.lt_plan }

// Plan asks the library for an algorithm; nil if it has none for such a shape. The operands' bias and aux must be as those of the calls
// will be, in what they are aligned to.
func (l *Lt) Plan(s LtShape, o LtOperands) (*LtPlan, error) {
	p := (*C.lt_plan)(C.calloc(1, C.sizeof_lt_plan))
	status := C.lt_make(l.handle, (*C.lt_shape)(unsafe.Pointer(&s)), C.uint64_t(o.Bias), C.uint64_t(o.Aux), C.uint64_t(o.WorkspaceBytes), p)
	if status != 0 {
		C.free(unsafe.Pointer(p))
		if int(status) == ltNotSupported || int(status) == ltInvalidValue {
			return nil, nil
		}
		return nil, &LtError{"cublasLtMatmulAlgoGetHeuristic", int(status)}
	}
	return &LtPlan{p}, nil
}

// Run queues a product. A plan is for one goroutine at a time.
func (l *Lt) Run(p *LtPlan, o LtOperands, s cu.Stream) error {
	if status := C.lt_run(l.handle, p.p, (*C.lt_operands)(unsafe.Pointer(&o)), unsafe.Pointer(streamOf(s))); status != 0 {
		return &LtError{"cublasLtMatmul", int(status)}
	}
	return nil
}

// Free gives a plan back.
func (p *LtPlan) Free() {
	C.lt_free(p.p)
	C.free(unsafe.Pointer(p.p))
}

// LtError is a cublasStatus_t that is no success.
type LtError struct {
	Call   string
	Status int
}

var ltStatus = map[int]string{1: "NOT_INITIALIZED", 3: "ALLOC_FAILED", ltInvalidValue: "INVALID_VALUE", 8: "ARCH_MISMATCH", 11: "MAPPING_ERROR",
	13: "EXECUTION_FAILED", 14: "INTERNAL_ERROR", ltNotSupported: "NOT_SUPPORTED"}

func (e *LtError) Error() string {
	return fmt.Sprintf("%s: CUBLAS_STATUS_%s (%d); %s=%s computes without this library", e.Call, ltStatus[e.Status], e.Status, LtVariable, LtNone)
}
