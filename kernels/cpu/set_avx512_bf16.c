// The set with AVX-512, its dot products of bf16 pairs (BF16) and of int8 quadruples (VNNI).
#ifdef __x86_64__
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx512vnni,avx2,fma,bmi2")
#include <immintrin.h>
#include "gemm_body.h"
#include "tiles_avx512.h"

INLINE void rows_bf16(const int rows, int64_t k, const uint16_t *a, const uint16_t *b, float *c, int first, const char *next, int64_t step) {
  __m512 sum[HEIGHT][2];
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++) {
    sum[i][0] = first ? _mm512_setzero_ps() : _mm512_loadu_ps(c + i * WIDTH);
    sum[i][1] = first ? _mm512_setzero_ps() : _mm512_loadu_ps(c + i * WIDTH + 16);
  }
  for (int64_t p = 0; p < k; p++, a += 2 * rows, b += 2 * WIDTH, next += step) {
    __builtin_prefetch(next, 0, 2);
    __m512bh b0 = (__m512bh)_mm512_loadu_si512(b), b1 = (__m512bh)_mm512_loadu_si512(b + 32);
#pragma GCC unroll 12
    for (int i = 0; i < rows; i++) {
      int32_t two;
      memcpy(&two, a + 2 * i, 4);
      __m512bh x = (__m512bh)_mm512_set1_epi32(two);
      sum[i][0] = _mm512_dpbf16_ps(sum[i][0], x, b0);
      sum[i][1] = _mm512_dpbf16_ps(sum[i][1], x, b1);
    }
  }
#pragma GCC unroll 12
  for (int i = 0; i < rows; i++) {
    _mm512_storeu_ps(c + i * WIDTH, sum[i][0]);
    _mm512_storeu_ps(c + i * WIDTH + 16, sum[i][1]);
  }
}

static void fetching_bf16(int64_t rows, int64_t k, const uint16_t *a, const uint16_t *b, float *c, int first, const char *next, int64_t step) {
  BY_ROWS(rows, rows_bf16, k, a, b, c, first, next, step)
}

// tile_bf16 is a tile that has nothing to fetch.
static void tile_bf16(int64_t rows, int64_t k, const uint16_t *a, const uint16_t *b, float *c, int first) { fetching_bf16(rows, k, a, b, c, first, (const char *)b, 0); }

static void line_bf16(int64_t k, const uint16_t *a, const uint16_t *b, size_t panel_bytes, float *c) {
  __m512 sum[2 * SIDE];
  for (int j = 0; j < 2 * SIDE; j++) sum[j] = _mm512_setzero_ps();
  for (int64_t p = 0; p < k; p++, a += 2, b += 2 * WIDTH) {
    int32_t two;
    memcpy(&two, a, 4);
    __m512bh x = (__m512bh)_mm512_set1_epi32(two);
#pragma GCC unroll 4
    for (int j = 0; j < 2 * SIDE; j++) sum[j] = _mm512_dpbf16_ps(sum[j], x, (__m512bh)_mm512_loadu_si512((const char *)b + j / 2 * panel_bytes + 64 * (j % 2)));
  }
  for (int j = 0; j < 2 * SIDE; j++) _mm512_storeu_ps(c + 16 * j, sum[j]);
}

static void pack_b_pairs(void *to, const void *b, int type, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1) {
  pack_b_bf16(to, b, row, col, n, k, p0, p1, WIDTH);
}
static void pack_a_pairs(void *to, float *scales, const struct gemm *g, int64_t m0, int64_t m1, int64_t k0, int64_t k1) {
  pack_a_bf16(to, g, m0, m1, k0, k1, HEIGHT);
}

TILES(tiles_bf16, HEIGHT, WIDTH, 2, uint16_t, uint16_t, WIDTH *round_up(g->k, 2) * 2, fetching_bf16, line_bf16, NULL)

#include "attention_body.h"
#include "attention_bf16.h"
#include "attention_backward_body.h"
#include "rows_body.h"
#include "set.h"

const struct set set_avx512_bf16 = {
    .f32 = {WIDTH, 1, 4, 4, pack_b, pack_a, tiles_f32},
    .bf16 = {WIDTH, 2, 2, 2, pack_b_pairs, pack_a_pairs, tiles_bf16},
    .i8 = {WIDTH, 4, 1, 1, pack_b_int8, pack_a_int8, tiles_i8},
    few_rows,
    attention_scratch, attention_either, attention_few, attention_backward_scratch, attention_backward_unit,
    .rows = ROWS_TABLE,
};
#endif
