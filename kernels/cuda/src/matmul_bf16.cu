// MatMul on tensor cores: A and B are rounded to bf16, sums are fp32. Three kernels from one body: any operands;
// bf16 operands with contiguous K and 16-byte rows, in tiles of 64 x 64 and of 128 x 128.
//
// Legend: a block computes a tile [BM,BN] of Out, a warp of it [WM,WN], in fragments of [16,8]. Shared rows hold 32 of K
// and 16 bytes of air, so that the rows of an 8x8 matrix lie in different banks.
#include "include/matmul.cuh"
#include "include/mma.cuh"

enum { BK = 32, SHARED_ROW = BK + 8 };

// Rows [from, from+ROWS) of a matrix, K from k0 on, as bf16; zeros beyond its ends. Two ways.
template <int ROWS, int THREADS> DEV void bring_any(u16 (*to)[SHARED_ROW], const Matrix &x, i64 from, i64 outer, i64 k0, i64 depth) {
  for (int at = threadIdx.x; at < ROWS * BK; at += THREADS) {
    int r = x.transposed ? at % ROWS : at / BK, k = x.transposed ? at / ROWS : at % BK;
    bool there = from + r < outer && k0 + k < depth;
    to[r][k] = there ? to_bf16(element(x, from + r, k0 + k)) : 0;
  }
}
template <int ROWS, int THREADS> DEV void bring_rows(u16 (*to)[SHARED_ROW], const Matrix &x, i64 from, i64 outer, i64 k0, i64 depth) {
  for (int at = threadIdx.x; at < ROWS * (BK / 8); at += THREADS) {
    int r = at / (BK / 8), k = at % (BK / 8) * 8;
    bool there = from + r < outer && k0 + k < depth;
    copy_async(&to[r][k], (const u16 *)x.at + (there ? (from + r) * x.row + k0 + k : 0), there ? 16 : 0);
  }
}

template <int BM, int BN, int WM, int WN, bool ROWS_LIE_WELL> DEV void multiply(const Matrix &a, const Matrix &b, const Epilogue &e, i64 m, i64 n, i64 depth) {
  enum { THREADS = 32 * (BM / WM) * (BN / WN) };
  SHARED(u16, as, [2][BM][SHARED_ROW]);
  SHARED(u16, bs, [2][BN][SHARED_ROW]);
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, wm = warp % (BM / WM) * WM, wn = warp / (BM / WM) * WN;
  i64 tiles = (n + BN - 1) / BN, m0 = blockIdx.x / tiles * BM, n0 = blockIdx.x % tiles * BN;
  float sum[WM / 16][WN / 8][4] = {};
  auto bring = [&](int stage, i64 k0) {
    if (ROWS_LIE_WELL) {
      bring_rows<BM, THREADS>(as[stage], a, m0, m, k0, depth);
      bring_rows<BN, THREADS>(bs[stage], b, n0, n, k0, depth);
      copy_commit();
    } else {
      bring_any<BM, THREADS>(as[stage], a, m0, m, k0, depth);
      bring_any<BN, THREADS>(bs[stage], b, n0, n, k0, depth);
    }
  };
  bring(0, 0);
  int stage = 0;
  for (i64 k0 = 0; k0 < depth; k0 += BK, stage ^= 1) {
    bool more = k0 + BK < depth;
    if (more) bring(stage ^ 1, k0 + BK);
    if (ROWS_LIE_WELL) {
      if (more) copy_wait<1>();
      else copy_wait<0>();
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < BK; k += 16) {
      u32 af[WM / 16][4], bf[WN / 16][4];
#pragma unroll
      for (int i = 0; i < WM / 16; i++) load_matrices(af[i], &as[stage][wm + 16 * i + (lane & 15)][k + lane / 16 * 8]);
#pragma unroll
      for (int j = 0; j < WN / 16; j++) load_matrices(bf[j], &bs[stage][wn + 16 * j + (lane & 7) + lane / 16 * 8][k + lane / 8 % 2 * 8]);
#pragma unroll
      for (int i = 0; i < WM / 16; i++)
#pragma unroll
        for (int j = 0; j < WN / 8; j++) multiply_add(sum[i][j], af[i], &bf[j / 2][j % 2 * 2]);
    }
    __syncthreads(); // the stage is read; the next turn but one fills it
  }
  // Sixteen rows of a warp at a time through the memory of A's stages, so that lanes write neighbouring columns.
  float *slab = (float *)as + warp * 16 * (WN + 1);
#pragma unroll
  for (int i = 0; i < WM / 16; i++) {
#pragma unroll
    for (int j = 0; j < WN / 8; j++)
#pragma unroll
      for (int q = 0; q < 4; q++) slab[(lane / 4 + q / 2 * 8) * (WN + 1) + 8 * j + lane % 4 * 2 + q % 2] = sum[i][j][q];
    __syncwarp();
#pragma unroll 1
    for (int at = lane; at < 16 * WN; at += 32) {
      i64 r = m0 + wm + 16 * i + at / WN, c = n0 + wn + at % WN;
      if (r < m && c < n) finish(e, r, c, n, slab[at / WN * (WN + 1) + at % WN]);
    }
    __syncwarp();
  }
}

KERNEL(128) matmul_bf16(Matrix a, Matrix b, Epilogue e, i64 m, i64 n, i64 depth) { multiply<64, 64, 32, 32, false>(a, b, e, m, n, depth); }
EXPORT_KERNEL(matmul_bf16)

KERNEL(128) matmul_bf16_64(Matrix a, Matrix b, Epilogue e, i64 m, i64 n, i64 depth) { multiply<64, 64, 32, 32, true>(a, b, e, m, n, depth); }
EXPORT_KERNEL(matmul_bf16_64)

KERNEL(256) matmul_bf16_128(Matrix a, Matrix b, Epilogue e, i64 m, i64 n, i64 depth) { multiply<128, 128, 64, 32, true>(a, b, e, m, n, depth); }
EXPORT_KERNEL(matmul_bf16_128)
