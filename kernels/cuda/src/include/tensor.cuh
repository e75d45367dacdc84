// Tensors as kernels get them (mirrored in arguments.go), and their elements as fp32.
#pragma once
#include "port.cuh"

enum { F32 = 1, BF16 = 2, I8 = 3 }; // kernels.DType

// A bf16 is the upper half of an fp32; rounding is to nearest even, NaN stays NaN.
DEV float from_bf16(u16 h) { return bits_float((u32)h << 16); }
DEV u16 to_bf16(float f) { return (u16)pack_bf16(f, 0); }

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

// Eight neighbouring elements, by accesses of 16 bytes where all lie before `end` and the first at a multiple of 16 bytes;
// else one by one, with zeros from `end` on.
struct Eight {
  float v[8];
};
// EIGHT(j) is a loop over them.
#define EIGHT(j) _Pragma("unroll") for (int j = 0; j < 8; j++)
struct alignas(16) Sixteen {
  u32 word[4];
};

DEV bool whole(Vec x, i64 i, i64 end) { return i + 8 <= end && ((u64)x.at + (u64)i * (x.type == BF16 ? 2 : 4)) % 16 == 0; }

DEV Eight load8(Vec x, i64 i, i64 end) {
  Eight e;
  if (!whole(x, i, end)) {
    EIGHT(j) e.v[j] = i + j < end ? load(x, i + j) : 0;
  } else if (x.type == BF16) {
    Sixteen s = *(const Sixteen *)((const u16 *)x.at + i);
    EIGHT(j) e.v[j] = bits_float(j % 2 ? s.word[j / 2] & 0xffff0000u : s.word[j / 2] << 16);
  } else {
    const Sixteen *at = (const Sixteen *)((const float *)x.at + i);
    Sixteen s[2] = {at[0], at[1]};
    EIGHT(j) e.v[j] = bits_float(s[j / 4].word[j % 4]);
  }
  return e;
}

DEV void store8(Vec x, i64 i, i64 end, const Eight &e) {
  if (!whole(x, i, end)) {
#pragma unroll
    for (int j = 0; j < 8; j++)
      if (i + j < end) store(x, i + j, e.v[j]);
  } else if (x.type == BF16) {
    Sixteen s;
#pragma unroll
    for (int j = 0; j < 4; j++) s.word[j] = pack_bf16(e.v[2 * j], e.v[2 * j + 1]);
    *(Sixteen *)((u16 *)x.at + i) = s;
  } else {
    Sixteen s[2];
    EIGHT(j) s[j / 4].word[j % 4] = float_bits(e.v[j]);
    Sixteen *at = (Sixteen *)((float *)x.at + i);
    at[0] = s[0], at[1] = s[1];
  }
}

DEV void store_add8(Vec x, i64 i, i64 end, Eight e, int add) {
  if (add) {
    Eight there = load8(x, i, end);
    EIGHT(j) e.v[j] = there.v[j] + e.v[j];
  }
  store8(x, i, end, e);
}

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
// EACH8 walks over them eight at a time: elements i to i+7, fewer at the end.
#define EACH8(i, n) _Pragma("unroll 1") for (i64 i = 8 * ((i64)blockIdx.x * blockDim.x + threadIdx.x); i < (n); i += 8 * (i64)gridDim.x * blockDim.x)
// ROW8 walks a block over the n elements of a row in that way.
#define ROW8(i, n) for (i64 i = 8 * threadIdx.x; i < (n); i += 8 * blockDim.x)
