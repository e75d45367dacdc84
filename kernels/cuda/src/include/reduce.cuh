// Sums and maxima of a warp and of a block of whole warps, in a fixed order; every thread gets the result.
#pragma once
#include "port.cuh"

enum { MOST_WARPS = 32 };

template <class T> DEV T warp_sum(T v) {
  for (int o = 16; o; o >>= 1) v += lane_xor(v, o);
  return v;
}
DEV float warp_max(float v) {
  for (int o = 16; o; o >>= 1) v = fmaxf(v, lane_xor(v, o));
  return v;
}

template <class T> DEV T block_sum(T v) {
  SHARED(T, part, [MOST_WARPS]);
  v = warp_sum(v);
  __syncthreads(); // the array may still be read from the call before
  if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = v;
  __syncthreads();
  T sum = 0;
  for (int i = 0; i < (int)blockDim.x / 32; i++) sum += part[i];
  return sum;
}

DEV float block_max(float v) {
  SHARED(float, part, [MOST_WARPS]);
  v = warp_max(v);
  __syncthreads();
  if ((threadIdx.x & 31) == 0) part[threadIdx.x >> 5] = v;
  __syncthreads();
  float most = -INF;
  for (int i = 0; i < (int)blockDim.x / 32; i++) most = fmaxf(most, part[i]);
  return most;
}
