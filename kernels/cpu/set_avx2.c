// The set with AVX2 and FMA. Products are in tiles of 6 x 16, twelve sums of eight.
#ifdef __x86_64__
#pragma GCC target("avx2,fma,f16c,bmi2")
#include <immintrin.h>
#include "gemm_body.h"

enum { HEIGHT = 6, WIDTH = 16 };

INLINE void rows_f32(const int rows, int64_t k, const float *a, const float *b, float *c, int first, const char *next, int64_t step) {
  __m256 sum[6][2];
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++) {
    sum[i][0] = _mm256_setzero_ps();
    sum[i][1] = _mm256_setzero_ps();
  }
  for (int64_t p = 0; p < k; p++, a += rows, b += WIDTH, next += step) {
    __builtin_prefetch(next, 0, 2);
    __m256 b0 = _mm256_loadu_ps(b), b1 = _mm256_loadu_ps(b + 8);
#pragma GCC unroll 6
    for (int i = 0; i < rows; i++) {
      __m256 x = _mm256_broadcast_ss(a + i);
      sum[i][0] = _mm256_fmadd_ps(x, b0, sum[i][0]);
      sum[i][1] = _mm256_fmadd_ps(x, b1, sum[i][1]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < rows; i++) {
    _mm256_storeu_ps(c + i * WIDTH, first ? sum[i][0] : _mm256_add_ps(_mm256_loadu_ps(c + i * WIDTH), sum[i][0]));
    _mm256_storeu_ps(c + i * WIDTH + 8, first ? sum[i][1] : _mm256_add_ps(_mm256_loadu_ps(c + i * WIDTH + 8), sum[i][1]));
  }
}

static void fetching_f32(int64_t rows, int64_t k, const float *a, const float *b, float *c, int first, const char *next, int64_t step) {
  PIECES(at, n, k) {
    const float *x = a + at * rows, *y = b + at * WIDTH;
    int begin = first && at == 0;
    const char *ahead = next + at * step;
    switch (rows) {
    case 1: rows_f32(1, n, x, y, c, begin, ahead, step); break;
    case 2: rows_f32(2, n, x, y, c, begin, ahead, step); break;
    case 3: rows_f32(3, n, x, y, c, begin, ahead, step); break;
    case 4: rows_f32(4, n, x, y, c, begin, ahead, step); break;
    case 5: rows_f32(5, n, x, y, c, begin, ahead, step); break;
    default: rows_f32(6, n, x, y, c, begin, ahead, step); break;
    }
  }
}

// tile_f32 is a tile that has nothing to fetch.
static void tile_f32(int64_t rows, int64_t k, const float *a, const float *b, float *c, int first) { fetching_f32(rows, k, a, b, c, first, (const char *)b, 0); }

// int8 by products of int16: each pair of k is summed exactly in int32.
INLINE void rows_i8(const int rows, int64_t k, const uint8_t *a, const int8_t *b, int32_t *c, int first) {
  __m256i sum[3][4];
#pragma GCC unroll 3
  for (int i = 0; i < rows; i++)
    for (int q = 0; q < 4; q++) sum[i][q] = _mm256_setzero_si256();
  for (int64_t p = 0; p < k; p++, a += 4 * rows, b += 4 * WIDTH) {
    __m256i x[3];
#pragma GCC unroll 3
    for (int i = 0; i < rows; i++) {
      int32_t four;
      memcpy(&four, a + 4 * i, 4);
      x[i] = _mm256_cvtepu8_epi16(_mm_set1_epi32(four));
    }
#pragma GCC unroll 4
    for (int q = 0; q < 4; q++) {
      __m256i y = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(b + 16 * q))); // four columns of four k
#pragma GCC unroll 3
      for (int i = 0; i < rows; i++) sum[i][q] = _mm256_add_epi32(sum[i][q], _mm256_madd_epi16(x[i], y));
    }
  }
#pragma GCC unroll 3
  for (int i = 0; i < rows; i++)
    for (int q = 0; q < 4; q++) {
      int32_t s[8];
      _mm256_storeu_si256((__m256i *)s, sum[i][q]);
      for (int j = 0; j < 4; j++) {
        int32_t both = s[2 * j] + s[2 * j + 1];
        c[i * WIDTH + 4 * q + j] = first ? both : c[i * WIDTH + 4 * q + j] + both;
      }
    }
}

enum { HEIGHT_I8 = 3 };

static void fetching_i8(int64_t rows, int64_t k, const uint8_t *a, const int8_t *b, float *c, int first, const char *next, int64_t step) {
  switch (rows) {
  case 1: rows_i8(1, k, a, b, (int32_t *)c, first); break;
  case 2: rows_i8(2, k, a, b, (int32_t *)c, first); break;
  default: rows_i8(3, k, a, b, (int32_t *)c, first); break;
  }
}

static void line_f32(int64_t k, const float *a, const float *b, size_t panel_bytes, float *c) {
  PIECES(at, n, k) {
    __m256 sum[2 * SIDE];
    for (int j = 0; j < 2 * SIDE; j++) sum[j] = _mm256_setzero_ps();
    for (int64_t p = at; p < at + n; p++, b += WIDTH) {
      __m256 x = _mm256_broadcast_ss(a + p);
#pragma GCC unroll 8
      for (int j = 0; j < 2 * SIDE; j++) sum[j] = _mm256_fmadd_ps(x, _mm256_loadu_ps((const float *)((const char *)b + j / 2 * panel_bytes) + 8 * (j % 2)), sum[j]);
    }
    for (int j = 0; j < 2 * SIDE; j++) _mm256_storeu_ps(c + 8 * j, at == 0 ? sum[j] : _mm256_add_ps(_mm256_loadu_ps(c + 8 * j), sum[j]));
  }
}
PANEL_BY_PANEL(line_i8, uint8_t, int8_t, fetching_i8)

#include "gemm_kinds.h"

#include "attention_body.h"
#include "attention_backward_body.h"
#include "rows_body.h"
#include "set.h"

const struct set set_avx2 = {
    .f32 = {WIDTH, 1, 4, 4, pack_b, pack_a, tiles_f32},
    .bf16 = {WIDTH, 1, 4, 4, pack_b, pack_a_rounded, tiles_f32},
    .i8 = {WIDTH, 4, 1, 1, pack_b_int8, pack_a_int8, tiles_i8},
    few_rows,
    ATTENTION_TABLE,
    .rows = ROWS_TABLE,
};
#endif
