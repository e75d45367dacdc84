// One source, two compilers: NVRTC for the device, g++ over the emulator's cuda_on_host.h for the tests without one.
// Everything that only one of them knows (PTX, intrinsics, qualifiers) stands here and in mma.cuh, with a twin.
#pragma once

typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;
typedef unsigned long long u64;
typedef long long i64;

#ifdef __CUDACC__

#define DEV static __device__ __forceinline__
// KERNEL(threads) begins a kernel that is launched with blocks of so many threads; EXPORT_KERNEL names it once more.
#define KERNEL(threads) extern "C" __global__ void __launch_bounds__(threads, 1)
// KERNEL_OF is KERNEL with so many blocks at once on a multiprocessor, which bounds the registers.
#define KERNEL_OF(threads, blocks) extern "C" __global__ void __launch_bounds__(threads, blocks)
#define EXPORT_KERNEL(name)
// GRID_CONSTANT is before an argument that is indexed: it stays where it is.
#define GRID_CONSTANT const __grid_constant__
#define SHARED(T, name, dims) __shared__ __align__(128) T name dims
#define DYNAMIC_SHARED(T, name) extern __shared__ __align__(128) T name[]

DEV float bits_float(u32 u) { return __uint_as_float(u); }
DEV u32 float_bits(float f) { return __float_as_uint(f); }
DEV float lane_xor(float v, int x) { return __shfl_xor_sync(0xffffffffu, v, x); }
DEV double lane_xor(double v, int x) { return __shfl_xor_sync(0xffffffffu, v, x); }
DEV int lane_xor(int v, int x) { return __shfl_xor_sync(0xffffffffu, v, x); }
DEV float lane_get(float v, int lane) { return __shfl_sync(0xffffffffu, v, lane); }
DEV bool any_lane(bool v) { return __any_sync(0xffffffffu, v); }
DEV float cos_pi(float x) { return cospif(x); }
DEV float sin_pi(float x) { return sinpif(x); }
// exp2_near is 2^x but for 2 units in the last place, and 0 below 2^-126.
DEV float exp2_near(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
// inverse_near is 1/x but for one unit in the last place.
DEV float inverse_near(float x) {
  float y;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}
// pack_bf16 rounds two numbers to nearest even bf16: the first in the lower half.
DEV u32 pack_bf16(float low, float high) {
  u32 both;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(high), "f"(low));
  return both;
}
// dot4 adds the four products of signed bytes.
DEV int dot4(int a, int b, int sum) { return __dp4a(a, b, sum); }

#else

#include "cuda_on_host.h"

#define KERNEL_OF(threads, blocks) KERNEL(threads)
#define GRID_CONSTANT
DEV float exp2_near(float x) { return x < -126 ? 0 : exp2f(x); }
DEV float inverse_near(float x) { return 1 / x; }
DEV u32 round_bf16(float f) {
  u32 u = float_bits(f);
  return f != f ? 0x7fff : (u + 0x7fff + (u >> 16 & 1)) >> 16;
}
DEV u32 pack_bf16(float low, float high) { return round_bf16(low) | round_bf16(high) << 16; }

#endif

#define INF bits_float(0x7f800000u)
#define NAN32 bits_float(0x7fc00000u)
