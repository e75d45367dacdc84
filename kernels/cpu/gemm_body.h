// The parts of a matrix product that do not depend on the tile's shape. Included once an instruction set, after it
// has been chosen, with NAME(x) to make names of its own.
#include "gemm.h"
#include "vmath.h"
#include <stddef.h>

enum { BLOCK = 512 }; // elements of k summed before the next block: a panel of B stays in the first cache

INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t round_up(int64_t a, int64_t to) { return (a + to - 1) / to * to; }

INLINE float element(const void *x, int type, int64_t at) {
  return type == F32 ? ((const float *)x)[at] : from_bf16(((const uint16_t *)x)[at]);
}

// finish takes a tile of sums through the epilogue to Out: rows [m0,m1), columns [n0, n0+width) as far as they exist.
INLINE void finish(const struct gemm *g, int64_t m0, int64_t m1, int64_t n0, const int width, const float *c, const float *row_scale) {
  int64_t n = least(width, g->n - n0);
  float bias[64], scale[64];
  for (int j = 0; j < width; j++) bias[j] = 0, scale[j] = g->alpha;
  if (g->bias) load_row(bias, g->bias, g->bias_type, n0, n);
  if (g->b_scale) for (int64_t j = 0; j < n; j++) scale[j] *= g->b_scale[n0 + j];
  for (int64_t m = m0; m < m1; m++, c += width) {
    float y[64], other[64];
    float rs = row_scale ? row_scale[m - m0] : 1.0f;
    for (int j = 0; j < width; j++) y[j] = fmaf(c[j], scale[j] * rs, bias[j]);
    if (g->pre) store_row(g->pre, g->pre_type, m * g->n + n0, y, n);
    switch (g->act) {
#define ACT(kind) case kind: for (int j = 0; j < width; j++) y[j] = activate(kind, y[j]); break;
    ACT(GELU) ACT(GELU_TANH) ACT(QUICK_GELU) ACT(RELU) ACT(SQUARED_RELU) ACT(SILU) ACT(TANH) ACT(SIGMOID)
#undef ACT
    }
    if (g->residual) {
      load_row(other, g->residual, g->residual_type, m * g->residual_row + n0, n);
      for (int64_t j = 0; j < n; j++) y[j] += other[j];
    }
    if (g->add) {
      load_row(other, g->out, g->out_type, m * g->out_row + n0, n);
      for (int64_t j = 0; j < n; j++) y[j] += other[j];
    }
    store_row(g->out, g->out_type, m * g->out_row + n0, y, n);
  }
}

// Packed B, fp32: [panel][k][width]; columns beyond n are zeros. A weight [n,k] (col is 1) is turned TURN elements of k at
// a time: a whole column of a panel would touch more lines than the first cache has.
enum { TURN = 64 };

INLINE void pack_b_f32(float *to, const void *b, int type, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1, const int width) {
  for (int64_t p = p0; p < p1; p++) {
    float *panel = to + p * width * k;
    int64_t have = least(width, n - p * width);
    if (have < width) memset(panel, 0, width * k * sizeof *panel);
    if (col == 1) {
      for (int64_t i0 = 0; i0 < k; i0 += TURN) {
        int64_t in = least(TURN, k - i0);
        for (int64_t j = 0; j < have; j++) {
          float x[TURN];
          load_row(x, b, type, (p * width + j) * row + i0, in);
          for (int64_t i = 0; i < in; i++) panel[(i0 + i) * width + j] = x[i];
        }
      }
    } else if (row == 1) {
      for (int64_t i = 0; i < k; i++) load_row(panel + i * width, b, type, p * width + i * col, have);
    } else {
      for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < have; j++) panel[i * width + j] = element(b, type, (p * width + j) * row + i * col);
    }
  }
}

// a_block reads kn elements of a row of A from k0 on, and zeros up to `padded`.
INLINE void a_block(float *x, const struct gemm *g, int64_t m, int64_t k0, int64_t kn, int64_t padded) {
  int64_t at = m * g->a_row + k0 * g->a_col;
  if (g->a_col == 1) {
    load_row(x, g->a, g->a_type, at, kn);
  } else {
    for (int64_t j = 0; j < kn; j++) x[j] = element(g->a, g->a_type, at + j * g->a_col);
  }
  for (int64_t j = kn; j < padded; j++) x[j] = 0;
}

// Packed A, fp32: [block of k][panel of height rows][k][row]; the last panel has as many rows as are left. When `round`,
// elements are rounded to bf16: A meets a bf16 B.
INLINE void pack_a_f32(float *to, const struct gemm *g, int64_t m0, int64_t m1, const int height, const int round) {
  for (int64_t k0 = 0; k0 < g->k; k0 += BLOCK) {
    int64_t kn = least(BLOCK, g->k - k0);
    for (int64_t r = m0; r < m1; r += height) {
      int64_t rows = least(height, m1 - r);
      for (int64_t i = 0; i < rows; i++) {
        float x[BLOCK];
        a_block(x, g, r + i, k0, kn, kn);
        if (round)
          for (int64_t j = 0; j < kn; j++) x[j] = from_bf16(to_bf16(x[j]));
        for (int64_t j = 0; j < kn; j++) to[j * rows + i] = x[j];
      }
      to += rows * kn;
    }
  }
}

// Packed A, int8 shifted to unsigned: [block][panel][k/4][row][4]; scales[row] = largest magnitude / 127.
INLINE void pack_a_u8(uint8_t *to, float *scales, const struct gemm *g, int64_t m0, int64_t m1, const int height) {
  float inverse[ROWS];
  for (int64_t m = m0; m < m1; m++) {
    float top = 0;
    for (int64_t k0 = 0; k0 < g->k; k0 += BLOCK) {
      float x[BLOCK], most[16] = {0};
      int64_t kn = least(BLOCK, g->k - k0);
      a_block(x, g, m, k0, kn, round_up(kn, 16));
      for (int64_t j = 0; j < round_up(kn, 16); j += 16)
        for (int q = 0; q < 16; q++) most[q] = fabsf(x[j + q]) > most[q] || x[j + q] != x[j + q] ? fabsf(x[j + q]) : most[q];
      for (int q = 0; q < 16; q++) top = most[q] > top || most[q] != most[q] ? most[q] : top;
    }
    scales[m - m0] = top / 127.0f;
    inverse[m - m0] = top > 0 ? 127.0f / top : 0;
  }
  for (int64_t k0 = 0; k0 < g->k; k0 += BLOCK) {
    int64_t kn = least(BLOCK, g->k - k0), padded = round_up(kn, 4);
    for (int64_t r = m0; r < m1; r += height) {
      int64_t rows = least(height, m1 - r);
      for (int64_t i = 0; i < rows; i++) {
        float x[BLOCK], inv = inverse[r + i - m0];
        uint8_t q[BLOCK];
        a_block(x, g, r + i, k0, kn, padded);
        for (int64_t j = 0; j < padded; j++) {
          float y = x[j] * inv;
          q[j] = (uint8_t)((int32_t)((y == y ? y : 0) + 12582912.0f - 12582912.0f) + 128);
        }
        for (int64_t j = 0; j < padded; j += 4) memcpy(to + (j * rows + i * 4), q + j, 4);
      }
      to += rows * padded;
    }
  }
}

// Packed B, int8: [panel][k/4][width][4], then for each panel int32 [width]: 128 * the sum of each column, which undoes
// the shift of A.
INLINE size_t panel_bytes_i8(int64_t k, int width) { return (size_t)width * round_up(k, 4) + (size_t)width * 4; }

INLINE void pack_b_i8(int8_t *to, const int8_t *b, int64_t row, int64_t n, int64_t k, int64_t p0, int64_t p1, const int width) {
  int64_t padded = round_up(k, 4);
  for (int64_t p = p0; p < p1; p++) {
    int8_t *panel = to + p * panel_bytes_i8(k, width);
    int32_t *sums = (int32_t *)(panel + width * padded);
    for (int64_t j = 0; j < width; j++) {
      int32_t sum = 0;
      int64_t c = p * width + j;
      for (int64_t i = 0; i < padded; i++) {
        int8_t x = c < n && i < k ? b[c * row + i] : 0;
        panel[(i / 4 * width + j) * 4 + i % 4] = x;
        sum += x;
      }
      sums[j] = 128 * sum;
    }
  }
}

// Packed bf16 of both sides: pairs of k lie together, [..][k/2][column or row][2], a missing last one is zero.
INLINE void pack_b_bf16(uint16_t *to, const uint16_t *b, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1, const int width) {
  int64_t padded = round_up(k, 2);
  for (int64_t p = p0; p < p1; p++) {
    uint16_t *panel = to + p * width * padded;
    for (int64_t j = 0; j < width; j++) {
      int64_t c = p * width + j;
      for (int64_t i = 0; i < padded; i++) panel[(i / 2 * width + j) * 2 + i % 2] = c < n && i < k ? b[c * row + i * col] : 0;
    }
  }
}

INLINE void pack_a_bf16(uint16_t *to, const struct gemm *g, int64_t m0, int64_t m1, const int height) {
  for (int64_t k0 = 0; k0 < g->k; k0 += BLOCK) {
    int64_t kn = least(BLOCK, g->k - k0), padded = round_up(kn, 2);
    for (int64_t r = m0; r < m1; r += height) {
      int64_t rows = least(height, m1 - r);
      for (int64_t i = 0; i < rows; i++) {
        float x[BLOCK];
        uint16_t h[BLOCK];
        a_block(x, g, r + i, k0, kn, padded);
        for (int64_t j = 0; j < padded; j++) h[j] = to_bf16(x[j]);
        for (int64_t j = 0; j < padded; j += 2) memcpy(to + (j * rows + i * 2), h + j, 4);
      }
      to += rows * padded;
    }
  }
}

// TILES makes the loop over panels, blocks of k and tiles around TILE(rows, groups, a, b, c, first), which adds `groups`
// groups of k to a tile of `rows` x WIDTH sums, or starts them when `first`.
#define TILES(function, HEIGHT, WIDTH, GROUP, ATYPE, BTYPE, PANEL_BYTES, TILE, SCALES)                                            \
  static void function(const struct gemm *g, int64_t m0, int64_t m1, int64_t p0, int64_t p1, const void *packed, const float *scales, \
                       float *c) {                                                                                                \
    if (g->k == 0) memset(c, 0, (m1 - m0) * WIDTH * sizeof *c);                                                                   \
    for (int64_t p = p0; p < p1; p++) {                                                                                           \
      const ATYPE *a = packed;                                                                                                    \
      const BTYPE *b = (const BTYPE *)((const char *)g->b + p * (PANEL_BYTES));                                                   \
      for (int64_t k0 = 0; k0 < g->k; k0 += BLOCK) {                                                                              \
        int64_t groups = (least(BLOCK, g->k - k0) + GROUP - 1) / GROUP;                                                           \
        float *to = c;                                                                                                            \
        for (int64_t r = m0; r < m1; r += HEIGHT) {                                                                               \
          int64_t rows = least(HEIGHT, m1 - r);                                                                                   \
          TILE(rows, groups, a, b, to, k0 == 0);                                                                                  \
          a += rows * groups * GROUP;                                                                                             \
          to += rows * WIDTH;                                                                                                     \
        }                                                                                                                         \
        b += groups * GROUP * WIDTH;                                                                                              \
      }                                                                                                                           \
      if (GROUP == 4) unshift((const int32_t *)b, c, m1 - m0, WIDTH);                                                             \
      finish(g, m0, m1, p * WIDTH, WIDTH, c, SCALES);                                                                             \
    }                                                                                                                             \
  }

// unshift turns int32 sums of shifted A into floats.
INLINE void unshift(const int32_t *sums, float *c, int64_t rows, const int width) {
  for (int64_t i = 0; i < rows; i++, c += width)
    for (int j = 0; j < width; j++) {
      int32_t x;
      memcpy(&x, c + j, 4);
      c[j] = (float)(x - sums[j]);
    }
}

// BY_ROWS calls a function of a constant number of rows.
#define BY_ROWS(rows, f, ...) \
  switch (rows) {             \
  case 1: f(1, __VA_ARGS__); break; \
  case 2: f(2, __VA_ARGS__); break; \
  case 3: f(3, __VA_ARGS__); break; \
  case 4: f(4, __VA_ARGS__); break; \
  case 5: f(5, __VA_ARGS__); break; \
  case 6: f(6, __VA_ARGS__); break; \
  case 7: f(7, __VA_ARGS__); break; \
  case 8: f(8, __VA_ARGS__); break; \
  case 9: f(9, __VA_ARGS__); break; \
  case 10: f(10, __VA_ARGS__); break; \
  case 11: f(11, __VA_ARGS__); break; \
  default: f(12, __VA_ARGS__); break; \
  }
