// turn transposes a block of 4-byte elements (an fp32, a pair of bf16, four int8): to[c*step + r] = from[r][c], for rows
// r < 16 that lie row_bytes apart. Included once an instruction set.
#ifndef MMC4_TURN_H
#define MMC4_TURN_H

#include <stdint.h>
#include <string.h>

enum { TURN = 16 }; // rows at a time, at most

#ifdef __AVX512F__
// sixteen transposes 16 x 16: pairs of rows, pairs of pairs, then quarters of registers.
static inline __attribute__((always_inline)) void sixteen(__m512i *x) {
  __m512i y[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]), y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]), x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
    x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]), x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; i++) {
    y[i] = _mm512_shuffle_i32x4(x[i], x[i + 4], 0x88), y[i + 4] = _mm512_shuffle_i32x4(x[i], x[i + 4], 0xdd);
    y[i + 8] = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0x88), y[i + 12] = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0xdd);
  }
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++) {
    x[i] = _mm512_shuffle_i32x4(y[i], y[i + 8], 0x88);
    x[i + 8] = _mm512_shuffle_i32x4(y[i], y[i + 8], 0xdd);
  }
}

static void turn(void *to, int64_t step, const void *from, int64_t row_bytes, int64_t rows, int64_t cols) {
  __mmask16 have = (__mmask16)((1u << rows) - 1);
  for (int64_t c0 = 0; c0 < cols; c0 += 16) {
    int64_t n = cols - c0 < 16 ? cols - c0 : 16;
    __mmask16 in = (__mmask16)((1u << n) - 1);
    __m512i x[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
      x[i] = i < rows ? _mm512_maskz_loadu_epi32(in, (const char *)from + i * row_bytes + 4 * c0) : _mm512_setzero_si512();
    sixteen(x);
    int32_t *out = (int32_t *)to + c0 * step;
#pragma GCC unroll 16
    for (int i = 0; i < 16; i++)
      if (i < n) _mm512_mask_storeu_epi32(out + i * step, have, x[i]);
  }
}
#else
static void turn(void *to, int64_t step, const void *from, int64_t row_bytes, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < cols; c++) memcpy((int32_t *)to + c * step + r, (const char *)from + r * row_bytes + 4 * c, 4);
}
#endif

#endif
