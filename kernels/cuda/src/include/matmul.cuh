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

DEV void finish(const Epilogue &e, i64 r, i64 c, i64 cols, float product) {
  float v = e.alpha * product;
  if (e.bias.at) v += load(e.bias, c);
  if (e.pre.at) store(e.pre, r * cols + c, v);
  v = activate(e.act, v);
  if (e.residual.at) v += load(e.residual, r * e.residual.row + c);
  store_add(e.out, r * e.out.row + c, v, e.add);
}

// finish_tile ends a block's tile [64,64] of products that lie in shared memory: neighbouring threads take neighbouring
// columns.
enum { TILE = 64, TILE_THREADS = 256 };

DEV void finish_tile(const Epilogue &e, float (*products)[TILE + 1], i64 m0, i64 n0, i64 m, i64 n) {
#pragma unroll 1
  for (int at = threadIdx.x; at < TILE * TILE; at += TILE_THREADS) {
    i64 r = at / TILE, c = at % TILE;
    if (m0 + r < m && n0 + c < n) finish(e, m0 + r, n0 + c, n, products[r][c]);
  }
}
