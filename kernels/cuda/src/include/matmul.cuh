// What the kernels of MatMul share: how operands lie and what is done to a product. kernels/ops_matmul.go.
#pragma once
#include "activation.cuh"
#include "tensor.cuh"

// Matrix is an operand as [outer, K]: element (i, k) lies at i*row + k, or at k*row + i where it is transposed. An int8
// matrix, always transposed, has a factor for each k.
struct Matrix {
  void *at;
  i64 row;
  const float *scales;
  int type, transposed;
};

DEV float element(const Matrix &x, i64 i, i64 k) {
  i64 at = x.transposed ? k * x.row + i : i * x.row + k;
  if (x.type == I8) return (float)((const signed char *)x.at)[at] * x.scales[k];
  return x.type == BF16 ? from_bf16(((const u16 *)x.at)[at]) : ((const float *)x.at)[at];
}

// Epilogue is out = act(alpha product + bias) + residual, and what is kept of it.
struct Epilogue {
  Vec bias, pre, residual, out;
  float alpha;
  int act, add, pad;
};

// The kernels without tensor cores compute tiles of 64 x 64.
enum { TILE = 64, TILE_THREADS = 256 };

// Tile is where a block's part of Out begins. Blocks that run at the same time take a square of tiles rather than a row, so
// that they read the same operands from the cache: bands of BAND tiles of rows, column after column.
struct Tile {
  i64 m0, n0;
};
template <int BM, int BN> DEV Tile tile_of_block(i64 m, i64 n) {
  enum { BAND = 8 };
  i64 across = (n + BN - 1) / BN, down = (m + BM - 1) / BM, band = blockIdx.x / (BAND * across), in = blockIdx.x % (BAND * across);
  i64 left_over = down - band * BAND, high = left_over < BAND ? left_over : (i64)BAND;
  return {(band * BAND + in % high) * BM, in / high * BN};
}

// finish_tile ends a block's tile of products that lies in shared memory, in rows of SLAB: eight neighbouring columns a
// thread and turn.
template <int BM, int BN, int SLAB, int THREADS> DEV void finish_tile(const Epilogue &e, float *products, Tile t, i64 m, i64 n) {
#pragma unroll 1
  for (int at = threadIdx.x; at < BM * (BN / 8); at += THREADS) {
    i64 r = t.m0 + at / (BN / 8), c = t.n0 + at % (BN / 8) * 8;
    if (r >= m || c >= n) continue;
    float *own = products + at / (BN / 8) * SLAB + at % (BN / 8) * 8;
    Eight v, more = {};
    EIGHT(j) v.v[j] = own[j];
    if (e.bias.at) more = load8(e.bias, c, n);
    EIGHT(j) v.v[j] = e.alpha * v.v[j] + more.v[j];
    if (e.pre.at) store8(e.pre, r * n + c, r * n + n, v);
    if (e.act) {
      EIGHT(j) own[j] = v.v[j];
#pragma unroll 1
      for (int j = 0; j < 8; j++) own[j] = activate(e.act, own[j]); // one at a time: the code would be long
      EIGHT(j) v.v[j] = own[j];
    }
    if (e.residual.at) {
      more = load8(e.residual, r * e.residual.row + c, r * e.residual.row + n);
      EIGHT(j) v.v[j] += more.v[j];
    }
    store_add8(e.out, r * e.out.row + c, r * e.out.row + n, v, e.add);
  }
}
