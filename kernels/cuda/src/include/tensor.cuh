// Tensors as kernels get them (mirrored in arguments.go), and their elements as fp32.
#pragma once
#include "port.cuh"

enum { F32 = 1, BF16 = 2, I8 = 3 }; // kernels.DType

// A bf16 is the upper half of an fp32; rounding is to nearest even, NaN stays NaN.
DEV float from_bf16(u16 h) { return bits_float((u32)h << 16); }
DEV u16 to_bf16(float f) {
  u32 u = float_bits(f);
  return f != f ? (u16)((u >> 16) | 0x40) : (u16)((u + 0x7fff + ((u >> 16) & 1)) >> 16);
}
DEV float rounded_bf16(float f) { return from_bf16(to_bf16(f)); }

// Vec is a floating tensor: contiguous, or rows at a distance of `row` elements. `at` is null for none.
struct Vec {
  void *at;
  i64 row;
  int type, pad;
};

DEV float load(Vec x, i64 i) { return x.type == BF16 ? from_bf16(((const u16 *)x.at)[i]) : ((const float *)x.at)[i]; }
DEV void store(Vec x, i64 i, float v) {
  if (x.type == BF16) ((u16 *)x.at)[i] = to_bf16(v);
  else ((float *)x.at)[i] = v;
}
DEV void store_add(Vec x, i64 i, float v, int add) { store(x, i, add ? load(x, i) + v : v); }

// Heads is [B,T,H,D] with contiguous D.
struct Heads {
  void *at;
  i64 batch, token, head;
  int type, pad;
};

DEV i64 head_at(Heads x, i64 b, i64 t, i64 h) { return b * x.batch + t * x.token + h * x.head; }
DEV float load(Heads x, i64 i) { return x.type == BF16 ? from_bf16(((const u16 *)x.at)[i]) : ((const float *)x.at)[i]; }
DEV void store_add(Heads x, i64 i, float v, int add) {
  Vec to = {x.at, 0, x.type, 0};
  store_add(to, i, v, add);
}

// EACH walks over n elements, whatever the grid.
#define EACH(i, n) _Pragma("unroll 1") for (i64 i = (i64)blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += (i64)gridDim.x * blockDim.x)
