//go:build cuda && cgo

package driver

/*
#include <cuda.h>

enum { MOST_ARGUMENTS = 64 };

static CUresult launch(CUcontext ctx, CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned shared, CUstream stream,
                       char *values, const int *offsets, int n) {
  void *arguments[MOST_ARGUMENTS];
  CUresult r = cuCtxSetCurrent(ctx);
  if (r != CUDA_SUCCESS) return r;
  for (int i = 0; i < n; i++) arguments[i] = values + offsets[i];
  return cuLaunchKernel(f, gx, gy, gz, bx, by, 1, shared, stream, arguments, 0);
}
*/
import "C"

import (
	"fmt"
	"unsafe"

	"gorgonia.org/cu"
)

// cu keeps the driver's handles in structs of one pointer; the sizes are checked in calls_test.go.
func contextOf(c cu.CUContext) C.CUcontext  { return *(*C.CUcontext)(unsafe.Pointer(&c)) }
func functionOf(f cu.Function) C.CUfunction { return *(*C.CUfunction)(unsafe.Pointer(&f)) }
func streamOf(s cu.Stream) C.CUstream       { return *(*C.CUstream)(unsafe.Pointer(&s)) }

// Arguments are a kernel's arguments, each at its offset in Values. cu's own Launch copies 8 bytes of each, whatever it is.
type Arguments struct {
	Values  []byte
	Offsets []int32
}

// Launch queues a kernel of blocks of x by y threads on a stream of a context, from any thread.
func Launch(ctx cu.CUContext, f cu.Function, grid [3]int, block [2]int, shared int, s cu.Stream, a Arguments) error {
	if len(a.Offsets) == 0 || len(a.Offsets) > C.MOST_ARGUMENTS {
		return fmt.Errorf("a kernel of %d arguments", len(a.Offsets))
	}
	return check("cuLaunchKernel", C.launch(contextOf(ctx), functionOf(f), C.uint(grid[0]), C.uint(grid[1]), C.uint(grid[2]), C.uint(block[0]), C.uint(block[1]),
		C.uint(shared), streamOf(s), (*C.char)(unsafe.Pointer(&a.Values[0])), (*C.int)(unsafe.Pointer(&a.Offsets[0])), C.int(len(a.Offsets))))
}

// AllowShared lets a kernel have so many bytes of dynamic shared memory; without it, 48 KiB are the limit.
func AllowShared(f cu.Function, bytes int) error {
	return check("cuFuncSetAttribute", C.cuFuncSetAttribute(functionOf(f), C.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, C.int(bytes)))
}

// AllocHost takes pinned host memory: what copies can run to and from while the host goes on.
func AllocHost(bytes int) ([]byte, error) {
	var p unsafe.Pointer
	if err := check("cuMemHostAlloc", C.cuMemHostAlloc(&p, C.size_t(bytes), 0)); err != nil {
		return nil, err
	}
	return unsafe.Slice((*byte)(p), bytes), nil
}

// FreeHost gives it back.
func FreeHost(mem []byte) error {
	return check("cuMemFreeHost", C.cuMemFreeHost(unsafe.Pointer(&mem[0])))
}
