// What a .cu file of kernels/cuda/src needs to compile as host C++: one fiber a CUDA thread, run by the stub driver
// (fibers.cpp). Twins of the intrinsics that include/port.cuh and include/mma.cuh use; there are no others.
#pragma once
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

struct EmuIndex {
  unsigned x, y, z;
};
struct EmuThread {
  EmuIndex thread, block, block_dim, grid_dim;
};

extern "C" {
extern EmuThread *emu_now; // of the fiber that runs
void emu_barrier(const char *where);
// emu_meet waits for all lanes of the warp and publishes a value; emu_peer reads what another lane published.
void emu_meet(int what, uint64_t value);
uint64_t emu_peer(int lane);
void *emu_shared(const void *key, size_t bytes);
void *emu_dynamic_shared();
void emu_copy_async(void *to, const void *from, size_t bytes); // of 16; zeros for the rest
void emu_copy_commit();
void emu_copy_wait(int but);
}
enum { EMU_SHUFFLE = 1, EMU_ANY, EMU_SYNC, EMU_LOAD_MATRICES, EMU_MULTIPLY_ADD };

#define threadIdx (emu_now->thread)
#define blockIdx (emu_now->block)
#define blockDim (emu_now->block_dim)
#define gridDim (emu_now->grid_dim)
#define EMU_TEXT_(x) #x
#define EMU_TEXT(x) EMU_TEXT_(x)
#define __syncthreads() emu_barrier(__FILE__ ":" EMU_TEXT(__LINE__))
#define __syncwarp() emu_meet(EMU_SYNC, 0)

#define DEV [[maybe_unused]] static inline
#define KERNEL(threads) extern "C" void
// The driver finds a kernel by emu_kernel_NAME, which takes pointers to the arguments as cuLaunchKernel does, and the
// sizes of its arguments by emu_sizes_NAME.
#define EXPORT_KERNEL(name)                                                             \
  extern "C" void emu_kernel_##name(void **arguments) { emu_call(name, arguments); }    \
  extern "C" int emu_sizes_##name(int *sizes) { return emu_sizes(name, sizes); }
template <class... A> int emu_sizes(void (*)(A...), int *sizes) {
  int n = 0;
  ((sizes[n++] = (int)sizeof(A)), ...);
  return n;
}
template <class... A, size_t... I> void emu_call_each(void (*f)(A...), void **arguments, std::index_sequence<I...>) {
  f(*(std::remove_reference_t<A> *)arguments[I]...);
}
template <class... A> void emu_call(void (*f)(A...), void **arguments) { emu_call_each(f, arguments, std::index_sequence_for<A...>{}); }

// Memory of the block, not of the thread: found by the address of a static.
#define SHARED(T, name, dims)     \
  static const char name##_key = 0; \
  using name##_type = T dims;       \
  name##_type &name = *(name##_type *)emu_shared(&name##_key, sizeof(name##_type))
#define DYNAMIC_SHARED(T, name) T *name = (T *)emu_dynamic_shared()

DEV float bits_float(unsigned u) {
  float f;
  memcpy(&f, &u, 4);
  return f;
}
DEV unsigned float_bits(float f) {
  unsigned u;
  memcpy(&u, &f, 4);
  return u;
}
template <class T> DEV T emu_shuffle(T v, int from) {
  uint64_t bits = 0;
  memcpy(&bits, &v, sizeof v);
  emu_meet(EMU_SHUFFLE, bits);
  bits = emu_peer(from & 31);
  memcpy(&v, &bits, sizeof v);
  return v;
}
template <class T> DEV T lane_xor(T v, int x) { return emu_shuffle(v, (int)(threadIdx.x & 31) ^ x); }
DEV float lane_get(float v, int lane) { return emu_shuffle(v, lane); }
DEV bool any_lane(bool v) {
  emu_meet(EMU_ANY, v);
  for (int i = 0; i < 32; i++)
    if (emu_peer(i)) return true;
  return false;
}
DEV float cos_pi(float x) { return (float)cos(M_PI * (double)x); }
DEV float sin_pi(float x) { return (float)sin(M_PI * (double)x); }
DEV int dot4(int a, int b, int sum) {
  for (int i = 0; i < 4; i++) sum += (int)(signed char)(a >> 8 * i) * (int)(signed char)(b >> 8 * i);
  return sum;
}
