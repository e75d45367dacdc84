// MatMul with an fp32 B: a block computes 64 x 64, a thread 4 x 4, all in fp32.
#include "include/matmul.cuh"

enum { DEPTH = 16, AIR = TILE + 4 };

DEV void bring_f32(float (*to)[AIR], const Matrix &x, i64 from, i64 outer, i64 k0, i64 depth) {
  for (int at = threadIdx.x; at < TILE * DEPTH; at += TILE_THREADS) {
    int r = x.transposed ? at % TILE : at / DEPTH, k = x.transposed ? at / TILE : at % DEPTH;
    bool there = from + r < outer && k0 + k < depth;
    to[k][r] = there ? element(x, from + r, k0 + k) : 0;
  }
}

KERNEL(256) matmul_f32(Matrix a, Matrix b, Epilogue e, i64 m, i64 n, i64 depth) {
  SHARED(float, as, [DEPTH][AIR]);
  SHARED(float, bs, [DEPTH][AIR]);
  SHARED(float, products, [TILE][TILE + 8]);
  Tile tile = tile_of_block<TILE, TILE>(m, n);
  i64 m0 = tile.m0, n0 = tile.n0;
  int row = threadIdx.x / 16 * 4, col = threadIdx.x % 16 * 4;
  float sum[4][4] = {};
  for (i64 k0 = 0; k0 < depth; k0 += DEPTH) {
    bring_f32(as, a, m0, m, k0, depth);
    bring_f32(bs, b, n0, n, k0, depth);
    __syncthreads();
#pragma unroll
    for (int k = 0; k < DEPTH; k++)
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) sum[i][j] += as[k][row + i] * bs[k][col + j];
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int j = 0; j < 4; j++) products[row + i][col + j] = sum[i][j];
  __syncthreads();
  finish_tile<TILE, TILE, TILE + 8, TILE_THREADS>(e, products[0], tile, m, n);
}
EXPORT_KERNEL(matmul_f32)
