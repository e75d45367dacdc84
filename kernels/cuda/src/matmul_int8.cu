// MatMul with a frozen int8 B [N,K]: rows of A are rounded to int8 first (kernels.QuantizeRow), sums are int32.
#include "include/matmul.cuh"
#include "include/reduce.cuh"

// Row blockIdx.x of x [m, depth] into bytes [m, 4 * words], zeros at the end, and its factor.
KERNEL(256) quantize_rows(Matrix x, signed char *bytes, float *scales, i64 depth, i64 words) {
  i64 row = blockIdx.x;
  float largest = 0;
  int bad = 0;
  for (i64 k = threadIdx.x; k < depth; k += blockDim.x) {
    float v = fabsf(element(x, row, k));
    bad |= !(v < INF);
    largest = fmaxf(largest, v);
  }
  largest = block_max(largest);
  bad = block_sum(bad);
  float inverse = 127 / largest;
  bool none = bad != 0 || !(inverse < INF); // odd values, zeros, or subnormal ones
  for (i64 k = threadIdx.x; k < 4 * words; k += blockDim.x)
    bytes[row * 4 * words + k] = none || k >= depth ? 0 : (signed char)rintf(element(x, row, k) * inverse);
  if (threadIdx.x == 0) scales[row] = bad ? NAN32 : none ? 0 : largest / 127;
}
EXPORT_KERNEL(quantize_rows)

enum { WORDS = 8, AIR8 = TILE + 1 };

// A is [m, words] words of four bytes, B [n, depth] bytes without gaps. A thread computes 4 x 4.
KERNEL(256) matmul_int8(const int *a, const float *a_scales, const signed char *b, const float *b_scales, Epilogue e, i64 m, i64 n, i64 depth, i64 words) {
  SHARED(int, as, [WORDS][AIR8]);
  SHARED(int, bs, [WORDS][AIR8]);
  SHARED(float, products, [TILE][TILE + 8]);
  Tile tile = tile_of_block<TILE, TILE>(m, n);
  i64 m0 = tile.m0, n0 = tile.n0;
  int row = threadIdx.x / 16 * 4, col = threadIdx.x % 16 * 4;
  int sum[4][4] = {};
  for (i64 w0 = 0; w0 < words; w0 += WORDS) {
    for (int at = threadIdx.x; at < TILE * WORDS; at += TILE_THREADS) {
      int r = at / WORDS, w = at % WORDS;
      as[w][r] = m0 + r < m && w0 + w < words ? a[(m0 + r) * words + w0 + w] : 0;
      u32 four = 0;
      for (int i = 0; i < 4; i++) {
        i64 k = (w0 + w) * 4 + i;
        if (n0 + r < n && k < depth) four |= (u32)(u8)b[(n0 + r) * depth + k] << 8 * i;
      }
      bs[w][r] = (int)four;
    }
    __syncthreads();
#pragma unroll
    for (int w = 0; w < WORDS; w++)
#pragma unroll
      for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) sum[i][j] = dot4(as[w][row + i], bs[w][col + j], sum[i][j]);
    __syncthreads();
  }
#pragma unroll
  for (int i = 0; i < 4; i++)
#pragma unroll
    for (int j = 0; j < 4; j++) {
      i64 r = m0 + row + i, c = n0 + col + j;
      products[row + i][col + j] = r < m && c < n ? (float)sum[i][j] * a_scales[r] * b_scales[c] : 0;
    }
  __syncthreads();
  finish_tile<TILE, TILE, TILE + 8, TILE_THREADS>(e, products[0], tile, m, n);
}
EXPORT_KERNEL(matmul_int8)
