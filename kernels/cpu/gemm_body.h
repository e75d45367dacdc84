// The parts of a matrix product that do not depend on the tile's shape. Included once an instruction set, after it
// has been chosen, with NAME(x) to make names of its own.
#include "gemm.h"
#include "turn.h"
#include "vmath.h"
#include <stddef.h>

enum { BLOCK = 1024 }; // elements of k summed before the next block: a panel of B stays in the second cache

INLINE int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }
INLINE int64_t round_up(int64_t a, int64_t to) { return (a + to - 1) / to * to; }

// PIECES cuts a sum of k products: n of them from `at` on begin at zero, and are then added to the pieces before. One fp32 chain over all
// of a long k errs twice as much: the last states of a Flamingo of twelve layers were 1.1e-6 off, and are 5.6e-7.
enum { PIECE = 256 }; // divides BLOCK
#define PIECES(at, n, k) for (int64_t at = 0, n; (n = least(PIECE, (k) - at)) > 0 || at == 0; at += PIECE)

INLINE float element(const void *x, int type, int64_t at) {
  return type == F32 ? ((const float *)x)[at] : from_bf16(((const uint16_t *)x)[at]);
}

// is_plain says that sums leave as they are, but for factors of rows.
INLINE int is_plain(const struct gemm *g) {
  return g->alpha == 1 && !g->b_scale && !g->bias && !g->pre && !g->act && !g->residual && !g->add;
}

// finish takes a tile of sums through the epilogue to Out: rows [m0,m1), n <= width columns from n0 on.
INLINE void finish_columns(const struct gemm *g, int64_t m0, int64_t m1, int64_t n0, const int64_t n, const int width, const float *c, const float *row_scale) {
  float bias[64], scale[64];
  if (n > width || width > 64) __builtin_unreachable();
  if (!row_scale && is_plain(g)) {
    for (int64_t m = m0; m < m1; m++, c += width) store_row(g->out, g->out_type, m * g->out_row + n0, c, n);
    return;
  }
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

INLINE void finish(const struct gemm *g, int64_t m0, int64_t m1, int64_t n0, const int width, const float *c, const float *row_scale) {
  if (n0 + width <= g->n) finish_columns(g, m0, m1, n0, width, width, c, row_scale); // a constant number of columns: no calls to copy them
  else finish_columns(g, m0, m1, n0, g->n - n0, width, c, row_scale);
}

// Packed B: [panel][group of k][width][elements of a group], columns beyond n and elements beyond k being zeros. A group is
// one fp32, two bf16 or four int8: 4 bytes. pack_columns packs a weight [n,k] (col is 1) of which a group is 4 bytes in memory
// too; `panel` is the bytes of a panel.
INLINE void pack_columns(char *to, const char *b, int64_t row_bytes, int64_t n, int64_t k_bytes, int64_t p0, int64_t p1, size_t panel, const int width) {
  int64_t whole = k_bytes / 4, rest = k_bytes % 4;
  for (int64_t p = p0; p < p1; p++)
    for (int64_t j = 0; j < width; j += TURN) {
      char *at = to + p * panel + 4 * j;
      const char *from = b + (p * width + j) * row_bytes;
      int64_t have = least(TURN, n - p * width - j);
      if (have < TURN)
        for (int64_t i = 0; i < whole + (rest > 0); i++) memset(at + 4 * i * width, 0, 4 * least(TURN, width - j));
      if (have <= 0) continue;
      turn(at, width, from, row_bytes, have, whole);
      for (int64_t r = 0; rest && r < have; r++) {
        char last[4] = {0};
        memcpy(last, from + r * row_bytes + 4 * whole, rest);
        memcpy(at + 4 * (whole * width + r), last, 4);
      }
    }
}

INLINE void pack_b_f32(float *to, const void *b, int type, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1, const int width) {
  if (col == 1 && type == F32) {
    pack_columns((char *)to, b, 4 * row, n, 4 * k, p0, p1, 4 * width * k, width);
    return;
  }
  for (int64_t p = p0; p < p1; p++) {
    float *panel = to + p * width * k;
    int64_t have = least(width, n - p * width);
    if (have < width) memset(panel, 0, width * k * sizeof *panel);
    if (row == 1 && have == width) {
      for (int64_t i = 0; i < k; i++) load_row(panel + i * width, b, type, p * width + i * col, width);
    } else if (row == 1) {
      for (int64_t i = 0; i < k; i++) load_row(panel + i * width, b, type, p * width + i * col, have);
    } else {
      for (int64_t j = 0; j < have; j++)
        for (int64_t i = 0; i < k; i++) panel[i * width + j] = element(b, type, (p * width + j) * row + i * col);
    }
  }
}

// Packed A: [block of k][panel of height rows][group of k][row][elements of a group]; the last panel has as many rows as are
// left. Rows are brought to the packed type side by side, then turned.

// a_block is kn elements of a row of A from k0 on, zeros up to `padded`: where they lie, or in room.
INLINE const float *a_block(float *room, const struct gemm *g, int64_t m, int64_t k0, int64_t kn, int64_t padded) {
  int64_t at = m * g->a_row + k0 * g->a_col;
  if (g->a_col == 1 && g->a_type == F32 && kn == padded) return (const float *)g->a + at;
  if (g->a_col == 1) {
    load_row(room, g->a, g->a_type, at, kn);
  } else {
    for (int64_t j = 0; j < kn; j++) room[j] = element(g->a, g->a_type, at + j * g->a_col);
  }
  for (int64_t j = kn; j < padded; j++) room[j] = 0;
  return room;
}

// pack_a_f32 rounds elements to bf16 when `round`: A meets a bf16 B.
INLINE void pack_a_f32(float *to, const struct gemm *g, int64_t m0, int64_t m1, int64_t k0, int64_t k1, const int height, const int round) {
  for (; k0 < k1; k0 += BLOCK) {
    int64_t kn = least(BLOCK, k1 - k0);
    for (int64_t r = m0, rows; r < m1; r += rows, to += rows * kn) {
      rows = least(height, m1 - r);
      if (g->a_row == 1 && g->a_type == F32 && !round) { // transposed: rows lie together already
        const float *a = (const float *)g->a + r + k0 * g->a_col;
        for (int64_t j = 0; j < kn; j++) load_row(to + j * rows, a, F32, j * g->a_col, rows);
        continue;
      }
      if (g->a_col == 1 && g->a_type == F32 && !round) {
        turn(to, rows, (const float *)g->a + r * g->a_row + k0, 4 * g->a_row, rows, kn);
        continue;
      }
      float room[TURN * BLOCK];
      for (int64_t i = 0; i < rows; i++) {
        float *x = room + i * BLOCK;
        const float *from = a_block(x, g, r + i, k0, kn, kn);
        for (int64_t j = 0; j < kn; j++) x[j] = round ? from_bf16(to_bf16(from[j])) : from[j];
      }
      turn(to, rows, room, sizeof *room * BLOCK, rows, kn);
    }
  }
}

INLINE void pack_a_bf16(uint16_t *to, const struct gemm *g, int64_t m0, int64_t m1, int64_t k0, int64_t k1, const int height) {
  for (; k0 < k1; k0 += BLOCK) {
    int64_t kn = least(BLOCK, k1 - k0), padded = round_up(kn, 2);
    for (int64_t r = m0, rows; r < m1; r += rows, to += rows * padded) {
      rows = least(height, m1 - r);
      if (g->a_col == 1 && g->a_type == BF16 && kn == padded) {
        turn(to, rows, (const uint16_t *)g->a + r * g->a_row + k0, 2 * g->a_row, rows, kn / 2);
        continue;
      }
      uint16_t room[TURN * BLOCK];
      for (int64_t i = 0; i < rows; i++) {
        float x[BLOCK];
        const float *from = a_block(x, g, r + i, k0, kn, padded);
        for (int64_t j = 0; j < padded; j++) room[i * BLOCK + j] = to_bf16(from[j]);
      }
      turn(to, rows, room, sizeof *room * BLOCK, rows, padded / 2);
    }
  }
}

// largest is the largest magnitude of a row of A, NaN if there is one.
INLINE float largest(const struct gemm *g, int64_t m) {
  float most[16] = {0}, top = 0;
  for (int64_t k0 = 0; k0 < g->k; k0 += BLOCK) {
    int64_t kn = least(BLOCK, g->k - k0), padded = round_up(kn, 16);
    float room[BLOCK];
    const float *x = a_block(room, g, m, k0, kn, padded);
    for (int64_t j = 0; j < padded; j += 16)
      for (int q = 0; q < 16; q++) most[q] = fabsf(x[j + q]) > most[q] || x[j + q] != x[j + q] ? fabsf(x[j + q]) : most[q];
  }
  for (int q = 0; q < 16; q++) top = most[q] > top || most[q] != most[q] ? most[q] : top;
  return top;
}

// pack_a_u8 packs A as int8 shifted to unsigned; scales[row] = largest magnitude / 127.
INLINE void pack_a_u8(uint8_t *to, float *scales, const struct gemm *g, int64_t m0, int64_t m1, const int height) {
  for (int64_t r = m0, rows; r < m1; r += rows) {
    float inverse[TURN];
    rows = least(height, m1 - r);
    for (int64_t i = 0; i < rows; i++) {
      float top = largest(g, r + i);
      scales[r + i - m0] = top / 127.0f;
      inverse[i] = top > 0 ? 127.0f / top : 0;
    }
    for (int64_t k0 = 0; k0 < g->k; k0 += BLOCK) {
      int64_t kn = least(BLOCK, g->k - k0), padded = round_up(kn, 4);
      uint8_t q[TURN * BLOCK];
      for (int64_t i = 0; i < rows; i++) {
        float room[BLOCK], inv = inverse[i];
        const float *x = a_block(room, g, r + i, k0, kn, padded);
        for (int64_t j = 0; j < padded; j++) {
          float y = x[j] * inv;
          q[i * BLOCK + j] = (uint8_t)((int32_t)((y == y ? y : 0) + 12582912.0f - 12582912.0f) + 128);
        }
      }
      turn(to + k0 * (m1 - m0) + (r - m0) * padded, rows, q, BLOCK, rows, padded / 4);
    }
  }
}

// Packed int8 B has behind each panel int32 [width]: 128 * the sum of each column, which undoes the shift of A.
INLINE size_t panel_bytes_i8(int64_t k, int width) { return (size_t)width * round_up(k, 4) + (size_t)width * 4; }

INLINE void pack_b_i8(int8_t *to, const int8_t *b, int64_t row, int64_t n, int64_t k, int64_t p0, int64_t p1, const int width) {
  pack_columns((char *)to, (const char *)b, row, n, k, p0, p1, panel_bytes_i8(k, width), width);
  for (int64_t p = p0; p < p1; p++)
    for (int64_t j = 0; j < width; j++) {
      int32_t sum = 0;
      if (p * width + j < n)
        for (int64_t i = 0; i < k; i++) sum += b[(p * width + j) * row + i];
      memcpy(to + p * panel_bytes_i8(k, width) + width * round_up(k, 4) + 4 * j, &(int32_t){128 * sum}, 4);
    }
}

INLINE void pack_b_bf16(uint16_t *to, const uint16_t *b, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1, const int width) {
  int64_t padded = round_up(k, 2);
  if (col == 1) {
    pack_columns((char *)to, (const char *)b, 2 * row, n, 2 * k, p0, p1, 2 * width * padded, width);
    return;
  }
  for (int64_t p = p0; p < p1; p++) {
    uint16_t *panel = to + p * width * padded;
    for (int64_t i = 0; i < padded; i++)
      for (int64_t j = 0; j < width; j++) {
        int64_t c = p * width + j;
        panel[(i / 2 * width + j) * 2 + i % 2] = c < n && i < k ? b[c * row + i * col] : 0;
      }
  }
}

// TILES makes the loop over panels, blocks of k and tiles around TILE(rows, groups, a, b, c, first, next, step), which adds
// `groups` groups of k to a tile of `rows` x WIDTH sums, or starts them when `first`, and meanwhile fetches the tile's share of
// the next block of B, `step` bytes for each group from next on: else the first tile of a block would wait for memory. A tile
// whose sums are complete leaves at once, so that its stores go out while the next is computed.
//
// A single row is nothing but a stream of B. LINE(groups, a, b, panel_bytes, c) sums it for SIDE panels at once: with the sums of
// one panel alone each product would wait for the one before. It fetches nothing: one more stream would slow it.
#define SIDE (64 / WIDTH)
#define TILES(function, HEIGHT, WIDTH, GROUP, ATYPE, BTYPE, PANEL_BYTES, TILE, LINE, SCALES)                                      \
  static void function(const struct gemm *g, int64_t m0, int64_t m1, int64_t p0, int64_t p1, int64_t from, int64_t end,           \
                       const void *packed, const float *scales, float *c) {                                                       \
    int64_t whole = from == 0 && end == g->k, tall = (m1 - m0 + HEIGHT - 1) / HEIGHT, step = m1 - m0 > 1 ? (4 * WIDTH + tall - 1) / tall : 0; \
    for (; whole && m1 - m0 == 1 && p0 + SIDE <= p1; p0 += SIDE) {                                                                \
      const char *b = (const char *)g->b + (p0 - g->b_first) * (PANEL_BYTES);                                                     \
      LINE((end + GROUP - 1) / GROUP, packed, (const BTYPE *)b, PANEL_BYTES, c);                                                  \
      for (int q = 0; GROUP == 4 && q < SIDE; q++) unshift((const int32_t *)(b + (q + 1) * (PANEL_BYTES)) - WIDTH, c + q * WIDTH, 1, WIDTH); \
      finish(g, m0, m1, p0 * WIDTH, SIDE * WIDTH, c, SCALES);                                                                     \
    }                                                                                                                             \
    for (int64_t p = p0; p < p1; p++, c += whole ? 0 : ROWS * WIDTH) {                                                            \
      const ATYPE *a = packed;                                                                                                    \
      const char *panel = (const char *)g->b + (p - g->b_first) * (PANEL_BYTES), *b = panel + from * WIDTH * sizeof(BTYPE);       \
      int64_t k0 = from;                                                                                                          \
      do {                                                                                                                        \
        int64_t groups = (least(BLOCK, end - k0) + GROUP - 1) / GROUP;                                                            \
        const char *after = b + 4 * groups * WIDTH, *next = step == 0 ? b : k0 + BLOCK < end ? after : panel + (PANEL_BYTES) + from * WIDTH * sizeof(BTYPE); \
        float *to = c;                                                                                                            \
        for (int64_t r = m0; r < m1; r += HEIGHT) {                                                                               \
          int64_t rows = least(HEIGHT, m1 - r);                                                                                   \
          TILE(rows, groups, a, (const BTYPE *)b, to, k0 == 0, next, step);                                                       \
          next += step * groups;                                                                                                  \
          a += rows * groups * GROUP;                                                                                             \
          if (k0 + BLOCK >= g->k) {                                                                                               \
            if (GROUP == 4) unshift((const int32_t *)after, to, rows, WIDTH);                                                     \
            finish(g, r, r + rows, p * WIDTH, WIDTH, to, SCALES ? (const float *)SCALES + (r - m0) : NULL);                       \
          }                                                                                                                       \
          to += rows * WIDTH;                                                                                                     \
        }                                                                                                                         \
        b = after;                                                                                                                \
        k0 += BLOCK;                                                                                                              \
      } while (k0 < end);                                                                                                         \
    }                                                                                                                             \
  }

// PANEL_BY_PANEL makes a LINE that gains nothing from panels side by side, of a TILE.
#define PANEL_BY_PANEL(line, ATYPE, BTYPE, TILE)                                                    \
  static void line(int64_t k, const ATYPE *a, const BTYPE *b, size_t panel_bytes, float *c) {       \
    for (int q = 0; q < SIDE; q++, b = (const BTYPE *)((const char *)b + panel_bytes), c += WIDTH)  \
      TILE(1, k, a, b, c, 1, (const char *)b, 0);                                                   \
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

// A vector of WIDE floats, and how many rows of A share one reading of B: four sums each.
#if defined(__AVX512F__)
enum { WIDE = 16, DOTS = 4 };
#elif defined(__AVX2__)
enum { WIDE = 8, DOTS = 2 };
#else
enum { WIDE = 4, DOTS = 2 };
#endif
typedef float wide __attribute__((vector_size(4 * WIDE)));
INLINE wide load_wide(const float *x) { wide v; memcpy(&v, x, sizeof v); return v; }

// total adds up a vector, halves upon halves.
INLINE float total(wide v) {
#ifdef __AVX512F__
  return _mm512_reduce_add_ps((__m512)v);
#else
  float x[WIDE];
  memcpy(x, &v, sizeof x);
  for (int half = WIDE / 2; half > 0; half /= 2)
    for (int j = 0; j < half; j++) x[j] += x[j + half];
  return x[0];
#endif
}

// dots are sums of k products of `rows` rows of A, a_row apart, with n columns of B, b_row apart, each contiguous; sums of a row are
// COLUMNS apart. Four are open for each, so that no product waits for the one before; memory gives columns that follow each other
// faster as one stream than side by side.
enum { COLUMNS = 32 };
INLINE void dots(const int rows, int64_t k, int64_t n, const float *a, int64_t a_row, const float *b, int64_t b_row, float *sums) {
  enum { OPEN = 4 };
  for (; n > 0; n--, b += b_row, sums++) {
    wide s[DOTS][OPEN] = {{{0}}};
    int64_t i = 0;
    for (; i + OPEN * WIDE <= k; i += OPEN * WIDE) {
#pragma GCC unroll 4
      for (int q = 0; q < OPEN; q++) {
        wide y = load_wide(b + i + q * WIDE);
#pragma GCC unroll 4
        for (int r = 0; r < rows; r++) s[r][q] += load_wide(a + r * a_row + i + q * WIDE) * y;
      }
    }
#pragma GCC unroll 4
    for (int r = 0; r < rows; r++) sums[r * COLUMNS] = total((s[r][0] + s[r][2]) + (s[r][1] + s[r][3]));
    for (; i < k; i++)
      for (int r = 0; r < rows; r++) sums[r * COLUMNS] += a[r * a_row + i] * b[i];
  }
}

// few_columns computes columns [n0,n1), at most COLUMNS, where a column of B is contiguous.
INLINE void few_columns(const struct gemm *g, int64_t n0, int64_t n1) {
  float sums[FEW][COLUMNS];
  const float *a = (const float *)g->a, *b = (const float *)g->b + n0 * g->b_row;
  for (int64_t m = 0, rows; m < g->m; m += rows, a += rows * g->a_row) {
    rows = g->m - m >= DOTS ? DOTS : g->m - m >= 2 ? 2 : 1;
    if (rows == DOTS) dots(DOTS, g->k, n1 - n0, a, g->a_row, b, g->b_row, sums[m]);
    else if (rows == 2) dots(2, g->k, n1 - n0, a, g->a_row, b, g->b_row, sums[m]);
    else dots(1, g->k, n1 - n0, a, g->a_row, b, g->b_row, sums[m]);
  }
  for (int64_t m = 0; m < g->m; m++) finish(g, m, m + 1, n0, COLUMNS, sums[m], NULL);
}

// few_rows computes columns [n0,n1), at most RUN, of a product with at most FEW rows, all fp32 and B as it lies: sums of
// products where a column of B is contiguous, else sums of rows of B.
static void few_rows(const struct gemm *g, int64_t n0, int64_t n1) {
  if (g->b_col == 1) {
    for (int64_t n = n0; n < n1; n += COLUMNS) few_columns(g, n, least(n1, n + COLUMNS));
    return;
  }
  float sums[FEW][RUN] = {{0}};
  const float *a = (const float *)g->a, *b = (const float *)g->b + n0;
  for (int64_t m = 0; m < g->m; m++)
    for (int64_t k = 0; k < g->k; k++)
      for (int64_t n = 0; n < n1 - n0; n++) sums[m][n] = fmaf(a[m * g->a_row + k], b[k * g->b_col + n], sums[m][n]);
  for (int64_t m = 0; m < g->m; m++)
    for (int64_t n = n0; n < n1; n += COLUMNS) finish(g, m, m + 1, n, COLUMNS, sums[m] + n - n0, NULL);
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
