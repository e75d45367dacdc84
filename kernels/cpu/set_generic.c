// The set in portable C: what every processor can run, and what the others are compared with.
#include "gemm_body.h"

enum { HEIGHT = 4, HEIGHT_I8 = 4, WIDTH = 16 };

static void tile_f32(int64_t rows, int64_t k, const float *a, const float *b, float *c, int first) {
  PIECES(at, n, k) {
    float sum[HEIGHT * WIDTH] = {0};
    for (int64_t p = at; p < at + n; p++)
      for (int64_t i = 0; i < rows; i++)
        for (int j = 0; j < WIDTH; j++) sum[i * WIDTH + j] += a[p * rows + i] * b[p * WIDTH + j];
    for (int64_t i = 0; i < rows * WIDTH; i++) c[i] = first && at == 0 ? sum[i] : c[i] + sum[i];
  }
}

// Sums of int8 are int32 in the place of the floats until unshift.
static void tile_i8(int64_t rows, int64_t k, const uint8_t *a, const int8_t *b, float *c, int first) {
  int32_t *s = (int32_t *)c;
  if (first) memset(s, 0, rows * WIDTH * sizeof *s);
  for (int64_t p = 0; p < k; p++, a += 4 * rows, b += 4 * WIDTH)
    for (int64_t i = 0; i < rows; i++)
      for (int j = 0; j < WIDTH; j++)
        for (int q = 0; q < 4; q++) s[i * WIDTH + j] += a[4 * i + q] * b[4 * j + q];
}

// Memory keeps up with portable C: nothing is fetched ahead.
#define fetching_f32(rows, k, a, b, c, first, next, step) tile_f32(rows, k, a, b, c, first)
#define fetching_i8(rows, k, a, b, c, first, next, step) tile_i8(rows, k, a, b, c, first)

PANEL_BY_PANEL(line_f32, float, float, fetching_f32)
PANEL_BY_PANEL(line_i8, uint8_t, int8_t, fetching_i8)

#include "gemm_kinds.h"

#include "attention_body.h"
#include "attention_backward_body.h"
#include "rows_body.h"
#include "set.h"

const struct set set_generic = {
    .f32 = {WIDTH, 1, 4, 4, pack_b, pack_a, tiles_f32},
    .bf16 = {WIDTH, 1, 4, 4, pack_b, pack_a_rounded, tiles_f32},
    .i8 = {WIDTH, 4, 1, 1, pack_b_int8, pack_a_int8, tiles_i8},
    few_rows,
    ATTENTION_TABLE,
    .rows = ROWS_TABLE,
};
