// What the files of the stub driver share: the objects behind the driver's handles, and its state.
#pragma once
#include <cuda.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

using Work = std::function<void()>;

struct CUgraph_st {
  std::vector<Work> nodes; // in the order in which they were captured
};
struct CUgraphExec_st {
  std::vector<Work> nodes;
};
struct CUstream_st {
  std::deque<Work> work;
  CUgraph capture; // what work goes to instead, or null
  CUstreamCaptureMode mode;
  bool spoiled; // something happened that a capture forbids
};
struct CUevent_st {
  CUstream stream;
  long recorded, done; // numbers of records
  CUgraph captured;    // the capture that it was recorded in, or null
  double at;           // when it was done, in milliseconds
};
struct CUmod_st {
  std::string names; // the image, to look for kernels in
  bool ptx;
};
struct CUfunc_st {
  std::string name;
  void (*kernel)(void **);
  std::vector<int> sizes;
  int most_shared;
};
struct CUctx_st {
  int device;
};

extern std::recursive_mutex driver_lock;
extern thread_local CUcontext current;
extern std::vector<CUstream> streams;
extern std::map<CUdeviceptr, size_t> allocations;
extern CUresult lost; // sticks, as it does on a device

long setting(const char *name, long otherwise);
// note writes a line to MMC4_STUB_LOG.
void note(const std::string &line);
CUresult lose(const std::string &why);
// within reports whether memory lies in one allocation.
bool within(CUdeviceptr p, size_t n);
// queue_work adds to a stream, or to what is captured of it.
void queue_work(CUstream s, Work work);
// trace writes a launch to MMC4_STUB_TRACE.
void trace(const std::string &kernel, const unsigned *grid, const unsigned *block, size_t shared, const std::vector<int> &sizes, void **arguments);
// spoil_captures is what a call does that must not happen while work is captured: the captures fail.
CUresult spoil_captures();

#define LOCKED std::lock_guard<std::recursive_mutex> guard(driver_lock)
#define IN_CONTEXT                                  \
  LOCKED;                                           \
  if (!current) return CUDA_ERROR_INVALID_CONTEXT;  \
  if (lost != CUDA_SUCCESS) return lost
#define NOT_CAPTURED                                                    \
  if (CUresult r = spoil_captures(); r != CUDA_SUCCESS) return r
