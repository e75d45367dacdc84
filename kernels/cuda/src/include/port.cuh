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
#define EXPORT_KERNEL(name)
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
// dot4 adds the four products of signed bytes.
DEV int dot4(int a, int b, int sum) { return __dp4a(a, b, sum); }

#else

#include "cuda_on_host.h"

#endif

#define INF bits_float(0x7f800000u)
#define NAN32 bits_float(0x7fc00000u)
