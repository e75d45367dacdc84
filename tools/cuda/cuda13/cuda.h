// cuda.h of CUDA 13 as gorgonia.org/cu knows it: five functions that got other parameters, under their old ones. It stands
// before the real header's folder on the include path; tools/cuda/check.sh compiles the host side with it.
#pragma once
#include_next <cuda.h>

static inline CUresult cuda12_CtxCreate(CUcontext *c, unsigned flags, CUdevice d) { return cuCtxCreate(c, 0, flags, d); }
static inline CUresult cuda12_MemAdvise(CUdeviceptr p, size_t n, CUmem_advise a, CUdevice d) {
  CUmemLocation at = {.type = CU_MEM_LOCATION_TYPE_DEVICE, .id = d};
  return cuMemAdvise(p, n, a, at);
}
static inline CUresult cuda12_MemPrefetchAsync(CUdeviceptr p, size_t n, CUdevice d, CUstream s) {
  CUmemLocation at = {.type = CU_MEM_LOCATION_TYPE_DEVICE, .id = d};
  return cuMemPrefetchAsync(p, n, at, 0, s);
}
static inline CUresult cuda12_GraphAddDependencies(CUgraph g, const CUgraphNode *from, const CUgraphNode *to, size_t n) { return cuGraphAddDependencies(g, from, to, 0, n); }
static inline CUresult cuda12_GraphGetEdges(CUgraph g, CUgraphNode *from, CUgraphNode *to, size_t *n) { return cuGraphGetEdges(g, from, to, 0, n); }
#undef cuCtxCreate
#undef cuMemAdvise
#undef cuMemPrefetchAsync
#undef cuGraphAddDependencies
#undef cuGraphGetEdges
#define cuCtxCreate cuda12_CtxCreate
#define cuMemAdvise cuda12_MemAdvise
#define cuMemPrefetchAsync cuda12_MemPrefetchAsync
#define cuGraphAddDependencies cuda12_GraphAddDependencies
#define cuGraphGetEdges cuda12_GraphGetEdges
