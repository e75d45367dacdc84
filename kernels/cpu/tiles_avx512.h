// What the two AVX-512 sets share: fp32 tiles, and int8 tiles by VNNI where the set has it, else by int16.

enum { HEIGHT = 12, HEIGHT_I8 = 12, WIDTH = 32 };

INLINE void rows_f32(const int rows, int64_t k, const float *a, const float *b, float *c, int first, const char *next, int64_t step) {
  __m512 sum[HEIGHT][2];
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++) {
    sum[i][0] = _mm512_setzero_ps();
    sum[i][1] = _mm512_setzero_ps();
  }
  for (int64_t p = 0; p < k; p++, a += rows, b += WIDTH, next += step) {
    __builtin_prefetch(next, 0, 2);
    __m512 b0 = _mm512_loadu_ps(b), b1 = _mm512_loadu_ps(b + 16);
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
      __m512 x = _mm512_set1_ps(a[i]);
      sum[i][0] = _mm512_fmadd_ps(x, b0, sum[i][0]);
      sum[i][1] = _mm512_fmadd_ps(x, b1, sum[i][1]);
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++) {
    _mm512_storeu_ps(c + i * WIDTH, first ? sum[i][0] : _mm512_add_ps(_mm512_loadu_ps(c + i * WIDTH), sum[i][0]));
    _mm512_storeu_ps(c + i * WIDTH + 16, first ? sum[i][1] : _mm512_add_ps(_mm512_loadu_ps(c + i * WIDTH + 16), sum[i][1]));
  }
}

static void fetching_f32(int64_t rows, int64_t k, const float *a, const float *b, float *c, int first, const char *next, int64_t step) {
  PIECES(at, n, k) BY_ROWS(rows, rows_f32, n, a + at * rows, b + at * WIDTH, c, first && at == 0, next + at * step, step)
}

// tile_f32 is a tile that has nothing to fetch.
static void tile_f32(int64_t rows, int64_t k, const float *a, const float *b, float *c, int first) { fetching_f32(rows, k, a, b, c, first, (const char *)b, 0); }

static void line_f32(int64_t k, const float *a, const float *b, size_t panel_bytes, float *c) {
  PIECES(at, n, k) {
    __m512 sum[2 * SIDE];
    for (int j = 0; j < 2 * SIDE; j++) sum[j] = _mm512_setzero_ps();
    for (int64_t p = at; p < at + n; p++, b += WIDTH) {
      __m512 x = _mm512_set1_ps(a[p]);
#pragma GCC unroll 4
      for (int j = 0; j < 2 * SIDE; j++) sum[j] = _mm512_fmadd_ps(x, _mm512_loadu_ps((const char *)b + j / 2 * panel_bytes + 64 * (j % 2)), sum[j]);
    }
    for (int j = 0; j < 2 * SIDE; j++) _mm512_storeu_ps(c + 16 * j, at == 0 ? sum[j] : _mm512_add_ps(_mm512_loadu_ps(c + 16 * j), sum[j]));
  }
}

#ifdef __AVX512VNNI__
INLINE void rows_i8(const int rows, int64_t k, const uint8_t *a, const int8_t *b, int32_t *c, int first, const char *next, int64_t step) {
  __m512i sum[HEIGHT][2];
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++) {
    sum[i][0] = first ? _mm512_setzero_si512() : _mm512_loadu_si512(c + i * WIDTH);
    sum[i][1] = first ? _mm512_setzero_si512() : _mm512_loadu_si512(c + i * WIDTH + 16);
  }
  for (int64_t p = 0; p < k; p++, a += 4 * rows, b += 4 * WIDTH, next += step) {
    __builtin_prefetch(next, 0, 2);
    __m512i b0 = _mm512_loadu_si512(b), b1 = _mm512_loadu_si512(b + 64);
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
      int32_t four;
      memcpy(&four, a + 4 * i, 4);
      __m512i x = _mm512_set1_epi32(four);
      // As assembly: from the intrinsic gcc 12 copies and spills every sum, at half the speed.
      __asm__("vpdpbusd %2, %1, %0" : "+v"(sum[i][0]) : "v"(x), "v"(b0));
      __asm__("vpdpbusd %2, %1, %0" : "+v"(sum[i][1]) : "v"(x), "v"(b1));
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++) {
    _mm512_storeu_si512(c + i * WIDTH, sum[i][0]);
    _mm512_storeu_si512(c + i * WIDTH + 16, sum[i][1]);
  }
}

static void line_i8(int64_t k, const uint8_t *a, const int8_t *b, size_t panel_bytes, float *c) {
  __m512i sum[2 * SIDE];
  for (int j = 0; j < 2 * SIDE; j++) sum[j] = _mm512_setzero_si512();
  for (int64_t p = 0; p < k; p++, a += 4, b += 4 * WIDTH) {
    int32_t four;
    memcpy(&four, a, 4);
    __m512i x = _mm512_set1_epi32(four);
#pragma GCC unroll 4
    for (int j = 0; j < 2 * SIDE; j++) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum[j]) : "v"(x), "m"(*(const __m512i *)((const char *)b + j / 2 * panel_bytes + 64 * (j % 2))));
  }
  for (int j = 0; j < 2 * SIDE; j++) _mm512_storeu_si512(c + 16 * j, sum[j]);
}
#else
// Without VNNI: products of int16, pairs of k summed exactly in int32.
INLINE void rows_i8(const int rows, int64_t k, const uint8_t *a, const int8_t *b, int32_t *c, int first, const char *next, int64_t step) {
  for (int i = 0; i < rows; i++) {
    __m512i sum[4] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
    const uint8_t *at = a + 4 * i;
    const int8_t *bt = b;
    for (int64_t p = 0; p < k; p++, at += 4 * rows, bt += 4 * WIDTH) {
      int32_t four;
      memcpy(&four, at, 4);
      __m512i x = _mm512_cvtepu8_epi16(_mm256_set1_epi32(four));
#pragma GCC unroll 4
      for (int q = 0; q < 4; q++) {
        __m512i y = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i *)(bt + 32 * q)));
        sum[q] = _mm512_add_epi32(sum[q], _mm512_madd_epi16(x, y));
      }
    }
    for (int q = 0; q < 4; q++) {
      int32_t s[16];
      _mm512_storeu_si512(s, sum[q]);
      for (int j = 0; j < 8; j++) {
        int32_t both = s[2 * j] + s[2 * j + 1], *to = c + i * WIDTH + 8 * q + j;
        *to = first ? both : *to + both;
      }
    }
  }
}
#endif

static void fetching_i8(int64_t rows, int64_t k, const uint8_t *a, const int8_t *b, float *c, int first, const char *next, int64_t step) {
  BY_ROWS(rows, rows_i8, k, a, b, (int32_t *)c, first, next, step)
}

#ifndef __AVX512VNNI__
PANEL_BY_PANEL(line_i8, uint8_t, int8_t, fetching_i8)
#endif

#include "gemm_kinds.h"
