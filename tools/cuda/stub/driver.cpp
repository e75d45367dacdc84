// A libcuda.so.1 without a GPU, for tests: the driver's functions that kernels/cuda calls, on host memory. Stricter than a
// driver: work waits in its stream until somebody synchronises, memory has fences and is gone for good once it is freed, copies
// must be from and to pinned memory and within allocations, contexts must be current. A module is any image that holds the
// kernels asked for; what runs is the same kernels compiled for the host, from the .so files in the folder MMC4_STUB_KERNELS.
//
// MMC4_STUB_ARCH       compute capability, 90 if not set
// MMC4_STUB_MEMORY     bytes of device memory
// MMC4_STUB_DEVICES    number of devices, 1 if not set; 0 makes cuInit fail
// MMC4_STUB_VERSION    what cuDriverGetVersion answers, 12090 if not set; one below 12000 refuses images too
// MMC4_STUB_FAIL       the n-th launch, from 1, fails as on a device that is lost
// MMC4_STUB_TRACE      a folder for small launches, for the sanitizers: trace.cpp
// MMC4_STUB_LOG        a file for one line a call that costs time: launches, copies, synchronisations, allocations
#include "driver.h"
#include "emulator.h"

#include <dirent.h>
#include <dlfcn.h>
#include <sys/mman.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

std::recursive_mutex driver_lock;
thread_local CUcontext current;
std::vector<CUstream> streams;
std::map<CUdeviceptr, size_t> allocations;
CUresult lost = CUDA_SUCCESS;

namespace {

constexpr size_t FENCE = 256, DEFAULT_MEMORY = size_t(8) << 30;
constexpr unsigned char FENCE_BYTE = 0xff; // as floats NaN: reading it shows too

CUctx_st context;
std::map<const char *, size_t> pinned;
size_t allocated;
long launches;

} // namespace

long setting(const char *name, long otherwise) {
  const char *text = getenv(name);
  return text && *text ? atol(text) : otherwise;
}

void note(const std::string &line) {
  static FILE *file = [] {
    const char *name = getenv("MMC4_STUB_LOG");
    return name && *name ? fopen(name, "a") : nullptr;
  }();
  if (!file) return;
  fprintf(file, "%s\n", line.c_str());
  fflush(file);
}

CUresult lose(const std::string &why) {
  fprintf(stderr, "stub driver: %s\n", why.c_str());
  return lost = CUDA_ERROR_LAUNCH_FAILED;
}

bool within(CUdeviceptr p, size_t n) {
  auto it = allocations.upper_bound(p);
  if (it == allocations.begin()) return false;
  --it;
  return p + n <= it->first + it->second;
}

namespace {

bool is_pinned(const void *p, size_t n) {
  auto it = pinned.upper_bound((const char *)p);
  if (it == pinned.begin()) return false;
  --it;
  return (const char *)p + n <= it->first + it->second;
}

void check_fences(const std::string &after) {
  for (auto &[at, size] : allocations) {
    const unsigned char *before = (const unsigned char *)at - FENCE, *behind = (const unsigned char *)at + size;
    for (size_t i = 0; i < FENCE; i++)
      if (before[i] != FENCE_BYTE || behind[i] != FENCE_BYTE) {
        lose(after + " wrote beyond an allocation of " + std::to_string(size) + " bytes");
        return;
      }
  }
}

void run_one(CUstream s) {
  auto work = std::move(s->work.front());
  s->work.pop_front();
  if (lost == CUDA_SUCCESS) work();
}
void run_all(CUstream s) {
  while (!s->work.empty()) run_one(s);
}
void run_everything() {
  for (CUstream s : streams) run_all(s);
}
void run_to(CUevent e, long record) {
  while (e->done < record && e->stream && !e->stream->work.empty()) run_one(e->stream);
}

double milliseconds() { return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

// The kernels of all .so files in the folder.
void *find_symbol(const std::string &name) {
  static std::vector<void *> libraries = [] {
    std::vector<void *> all;
    const char *folder = getenv("MMC4_STUB_KERNELS");
    DIR *dir = folder ? opendir(folder) : nullptr;
    if (!dir) {
      fprintf(stderr, "stub driver: MMC4_STUB_KERNELS names no folder\n");
      return all;
    }
    while (dirent *entry = readdir(dir)) {
      std::string file = entry->d_name;
      if (file.size() < 4 || file.substr(file.size() - 3) != ".so") continue;
      if (void *h = dlopen((std::string(folder) + "/" + file).c_str(), RTLD_NOW | RTLD_LOCAL)) all.push_back(h);
      else fprintf(stderr, "stub driver: %s\n", dlerror());
    }
    closedir(dir);
    return all;
  }();
  for (void *h : libraries)
    if (void *s = dlsym(h, name.c_str())) return s;
  return nullptr;
}

template <class T> T get(const char *base, size_t at) {
  T v;
  memcpy(&v, base + at, sizeof v);
  return v;
}

// The length of a cubin, an ELF file of the machine CUDA (190); 0 if it is none.
size_t cubin_length(const char *image) {
  if (memcmp(image, "\177ELF\2", 5) != 0 || get<uint16_t>(image, 18) != 190) return 0;
  size_t sections = get<uint64_t>(image, 40) + (size_t)get<uint16_t>(image, 58) * get<uint16_t>(image, 60);
  size_t segments = get<uint64_t>(image, 32) + (size_t)get<uint16_t>(image, 54) * get<uint16_t>(image, 56);
  return std::max(sections, segments);
}

} // namespace

extern "C" {

CUresult cuInit(unsigned) { return setting("MMC4_STUB_DEVICES", 1) == 0 ? CUDA_ERROR_NO_DEVICE : CUDA_SUCCESS; }
CUresult cuDriverGetVersion(int *v) { return *v = (int)setting("MMC4_STUB_VERSION", CUDA_VERSION), CUDA_SUCCESS; }
CUresult cuDeviceGetCount(int *n) { return *n = (int)setting("MMC4_STUB_DEVICES", 1), CUDA_SUCCESS; }
CUresult cuDeviceGet(CUdevice *d, int i) { return i < setting("MMC4_STUB_DEVICES", 1) ? (*d = i, CUDA_SUCCESS) : CUDA_ERROR_INVALID_DEVICE; }
CUresult cuDeviceGetName(char *name, int n, CUdevice) { return snprintf(name, (size_t)n, "stub, no GPU"), CUDA_SUCCESS; }
CUresult cuDeviceTotalMem(size_t *n, CUdevice) { return *n = (size_t)setting("MMC4_STUB_MEMORY", DEFAULT_MEMORY), CUDA_SUCCESS; }
CUresult cuDeviceGetAttribute(int *v, CUdevice_attribute a, CUdevice) {
  long arch = setting("MMC4_STUB_ARCH", 90);
  switch (a) {
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: *v = (int)arch / 10; break;
  case CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: *v = (int)arch % 10; break;
  case CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: *v = 2; break;
  case CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN: *v = arch >= 90 ? 227 << 10 : 99 << 10; break;
  default: return CUDA_ERROR_NOT_SUPPORTED;
  }
  return CUDA_SUCCESS;
}
CUresult cuGetErrorName(CUresult r, const char **name) {
  switch (r) {
  case CUDA_ERROR_INVALID_VALUE: *name = "CUDA_ERROR_INVALID_VALUE"; break;
  case CUDA_ERROR_OUT_OF_MEMORY: *name = "CUDA_ERROR_OUT_OF_MEMORY"; break;
  case CUDA_ERROR_NO_DEVICE: *name = "CUDA_ERROR_NO_DEVICE"; break;
  case CUDA_ERROR_INVALID_CONTEXT: *name = "CUDA_ERROR_INVALID_CONTEXT"; break;
  case CUDA_ERROR_NOT_FOUND: *name = "CUDA_ERROR_NOT_FOUND"; break;
  case CUDA_ERROR_UNSUPPORTED_PTX_VERSION: *name = "CUDA_ERROR_UNSUPPORTED_PTX_VERSION"; break;
  case CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED: *name = "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED"; break;
  case CUDA_ERROR_STREAM_CAPTURE_INVALIDATED: *name = "CUDA_ERROR_STREAM_CAPTURE_INVALIDATED"; break;
  case CUDA_ERROR_STREAM_CAPTURE_ISOLATION: *name = "CUDA_ERROR_STREAM_CAPTURE_ISOLATION"; break;
  case CUDA_ERROR_CAPTURED_EVENT: *name = "CUDA_ERROR_CAPTURED_EVENT"; break;
  case CUDA_ERROR_LAUNCH_FAILED: *name = "CUDA_ERROR_LAUNCH_FAILED"; break;
  default: *name = "CUDA_ERROR"; break;
  }
  return CUDA_SUCCESS;
}

CUresult cuDevicePrimaryCtxRetain(CUcontext *c, CUdevice) { return *c = &context, CUDA_SUCCESS; }
CUresult cuDevicePrimaryCtxRelease(CUdevice) { return CUDA_SUCCESS; }
CUresult cuCtxSetCurrent(CUcontext c) { return current = c, CUDA_SUCCESS; }

CUresult cuMemAlloc(CUdeviceptr *p, size_t n) {
  IN_CONTEXT;
  NOT_CAPTURED;
  if (n == 0) return CUDA_ERROR_INVALID_VALUE;
  if (allocated + n > (size_t)setting("MMC4_STUB_MEMORY", DEFAULT_MEMORY)) return CUDA_ERROR_OUT_OF_MEMORY;
  // Pages of its own, where nothing is ever again once it is freed: work that is done on it then crashes.
  char *mem = (char *)mmap(0, FENCE + n + FENCE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mem == MAP_FAILED) return CUDA_ERROR_OUT_OF_MEMORY;
  memset(mem, 0xff, FENCE + n + FENCE); // as floats NaN: reading what nobody wrote shows
  allocations[*p = (CUdeviceptr)(mem + FENCE)] = n;
  allocated += n;
  note("alloc " + std::to_string(n));
  return CUDA_SUCCESS;
}
CUresult cuMemFree(CUdeviceptr p) {
  LOCKED;
  NOT_CAPTURED;
  run_everything();
  auto it = allocations.find(p);
  if (it == allocations.end()) return CUDA_ERROR_INVALID_VALUE;
  allocated -= it->second;
  note("free " + std::to_string(it->second));
  mmap((char *)p - FENCE, FENCE + it->second + FENCE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  allocations.erase(it);
  return lost;
}
CUresult cuMemHostAlloc(void **p, size_t n, unsigned) {
  IN_CONTEXT;
  NOT_CAPTURED;
  if (!(*p = aligned_alloc(4096, (n + 4095) / 4096 * 4096))) return CUDA_ERROR_OUT_OF_MEMORY;
  pinned[(const char *)*p] = n;
  note("alloc host " + std::to_string(n));
  return CUDA_SUCCESS;
}
CUresult cuMemFreeHost(void *p) {
  LOCKED;
  NOT_CAPTURED;
  run_everything();
  if (!pinned.erase((const char *)p)) return CUDA_ERROR_INVALID_VALUE;
  free(p);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void *from, size_t n, CUstream s) {
  IN_CONTEXT;
  if (!s || !within(to, n) || !is_pinned(from, n)) return CUDA_ERROR_INVALID_VALUE;
  queue_work(s, [=] { memcpy((void *)to, from, n); });
  note("copy to device " + std::to_string(n));
  return CUDA_SUCCESS;
}
CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, size_t n, CUstream s) {
  IN_CONTEXT;
  if (!s || !within(to, n) || !within(from, n)) return CUDA_ERROR_INVALID_VALUE;
  queue_work(s, [=] { memmove((void *)to, (const void *)from, n); });
  note("copy on device " + std::to_string(n));
  return CUDA_SUCCESS;
}
CUresult cuMemsetD8Async(CUdeviceptr to, unsigned char value, size_t n, CUstream s) {
  IN_CONTEXT;
  if (!s || !within(to, n)) return CUDA_ERROR_INVALID_VALUE;
  queue_work(s, [=] { memset((void *)to, value, n); });
  note("set " + std::to_string(n));
  return CUDA_SUCCESS;
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned value, size_t n, CUstream s) {
  IN_CONTEXT;
  if (!s || to % 4 || !within(to, 4 * n)) return CUDA_ERROR_INVALID_VALUE;
  queue_work(s, [=] { std::fill_n((unsigned *)to, n, value); });
  note("set " + std::to_string(4 * n));
  return CUDA_SUCCESS;
}
CUresult cuMemGetInfo(size_t *unused, size_t *total) {
  IN_CONTEXT;
  *total = (size_t)setting("MMC4_STUB_MEMORY", DEFAULT_MEMORY);
  *unused = *total - std::min(*total, allocated);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyDtoHAsync(void *to, CUdeviceptr from, size_t n, CUstream s) {
  IN_CONTEXT;
  if (!s || !within(from, n) || !is_pinned(to, n)) return CUDA_ERROR_INVALID_VALUE;
  queue_work(s, [=] { memcpy(to, (const void *)from, n); });
  note("copy to host " + std::to_string(n));
  return CUDA_SUCCESS;
}

CUresult cuStreamCreate(CUstream *s, unsigned) {
  IN_CONTEXT;
  streams.push_back(*s = new CUstream_st{});
  return CUDA_SUCCESS;
}
CUresult cuStreamDestroy(CUstream s) {
  LOCKED;
  run_all(s);
  streams.erase(std::remove(streams.begin(), streams.end(), s), streams.end());
  delete s;
  return CUDA_SUCCESS;
}
CUresult cuStreamSynchronize(CUstream s) {
  IN_CONTEXT;
  NOT_CAPTURED;
  run_all(s);
  note("synchronize");
  return lost;
}
CUresult cuStreamWaitEvent(CUstream s, CUevent e, unsigned) {
  IN_CONTEXT;
  if (e->captured != s->capture) { // one stream is captured, on its own
    s->spoiled = true;
    return CUDA_ERROR_STREAM_CAPTURE_ISOLATION;
  }
  long record = e->recorded;
  queue_work(s, [=] { run_to(e, record); });
  return CUDA_SUCCESS;
}

CUresult cuEventCreate(CUevent *e, unsigned) {
  IN_CONTEXT;
  *e = new CUevent_st{};
  return CUDA_SUCCESS;
}
CUresult cuEventDestroy(CUevent e) { return delete e, CUDA_SUCCESS; }
CUresult cuEventRecord(CUevent e, CUstream s) {
  IN_CONTEXT;
  if (e->stream && !s->capture) run_to(e, e->recorded);
  e->stream = s;
  e->captured = s->capture;
  if (s->capture) return CUDA_SUCCESS;
  long record = ++e->recorded;
  queue_work(s, [=] {
    e->done = record;
    e->at = milliseconds();
  });
  return CUDA_SUCCESS;
}
CUresult cuEventElapsedTime(float *ms, CUevent from, CUevent to) {
  IN_CONTEXT;
  if (!from->recorded || !to->recorded) return CUDA_ERROR_INVALID_HANDLE;
  if (from->done < from->recorded || to->done < to->recorded) return CUDA_ERROR_NOT_READY;
  *ms = (float)(to->at - from->at);
  return CUDA_SUCCESS;
}
CUresult cuEventQuery(CUevent e) {
  IN_CONTEXT;
  if (e->captured) return CUDA_ERROR_CAPTURED_EVENT;
  if (e->done < e->recorded && e->stream && !e->stream->work.empty()) run_one(e->stream);
  if (lost != CUDA_SUCCESS) return lost;
  return e->done < e->recorded ? CUDA_ERROR_NOT_READY : CUDA_SUCCESS;
}
CUresult cuEventSynchronize(CUevent e) {
  IN_CONTEXT;
  if (e->captured) return CUDA_ERROR_CAPTURED_EVENT;
  run_to(e, e->recorded);
  note("synchronize");
  return lost;
}

CUresult cuModuleLoadData(CUmodule *m, const void *data) {
  IN_CONTEXT;
  const char *image = (const char *)data;
  if (setting("MMC4_STUB_VERSION", CUDA_VERSION) < 12000) return CUDA_ERROR_UNSUPPORTED_PTX_VERSION;
  if (size_t n = cubin_length(image)) *m = new CUmod_st{std::string(image, n), false};
  else if (strncmp(image, "//", 2) == 0 || strncmp(image, ".version", 8) == 0) *m = new CUmod_st{image, true};
  else return CUDA_ERROR_INVALID_IMAGE;
  return CUDA_SUCCESS;
}
CUresult cuModuleUnload(CUmodule m) { return delete m, CUDA_SUCCESS; }
CUresult cuModuleGetFunction(CUfunction *f, CUmodule m, const char *name) {
  IN_CONTEXT;
  std::string text = m->ptx ? std::string(".entry ") + name + "(" : std::string(".text.") + name + '\0';
  if (m->names.find(text) == std::string::npos) return CUDA_ERROR_NOT_FOUND;
  auto kernel = (void (*)(void **))find_symbol(std::string("emu_kernel_") + name);
  auto sizes = (int (*)(int *))find_symbol(std::string("emu_sizes_") + name);
  if (!kernel || !sizes) return CUDA_ERROR_NOT_FOUND;
  int all[64];
  int n = sizes(all);
  *f = new CUfunc_st{name, kernel, std::vector<int>(all, all + n), 48 << 10};
  return CUDA_SUCCESS;
}
CUresult cuFuncSetAttribute(CUfunction f, CUfunction_attribute a, int v) {
  IN_CONTEXT;
  int most = 0;
  cuDeviceGetAttribute(&most, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN, 0);
  if (a != CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES || v > most) return CUDA_ERROR_INVALID_VALUE;
  f->most_shared = v;
  return CUDA_SUCCESS;
}

CUresult cuLaunchKernel(CUfunction f, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned shared, CUstream s, void **arguments,
                        void **extra) {
  IN_CONTEXT;
  bool fits = gx && gy && gz && gx <= 0x7fffffffu && gy <= 65535 && gz <= 65535 && bx && by && bz && (size_t)bx * by * bz <= 1024;
  if (!s || extra || !fits || (int)shared > f->most_shared) return CUDA_ERROR_INVALID_VALUE;
  std::vector<std::vector<uint64_t>> values; // 8-byte aligned copies
  for (size_t i = 0; i < f->sizes.size(); i++) {
    values.emplace_back((f->sizes[i] + 7) / 8);
    memcpy(values.back().data(), arguments[i], (size_t)f->sizes[i]);
  }
  queue_work(s, [=]() mutable {
    if (++launches == setting("MMC4_STUB_FAIL", 0)) {
      lose("launch " + std::to_string(launches) + " fails as asked");
      return;
    }
    std::vector<void *> pointers;
    for (auto &v : values) pointers.push_back(v.data());
    const unsigned grid[] = {gx, gy, gz}, block[] = {bx, by, bz};
    trace(f->name, grid, block, shared, f->sizes, pointers.data());
    if (const char *trouble = run_grid({f->kernel, pointers.data(), {gx, gy, gz}, {bx, by, bz}, shared})) lose(f->name + ": " + trouble);
    else check_fences(f->name);
  });
  note("launch " + f->name);
  return CUDA_SUCCESS;
}
}
