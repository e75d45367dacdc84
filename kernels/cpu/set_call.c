// Calls through the tables of set.h, for Go, which cannot call a C function pointer.
#include "set_call.h"
#include "level.h"

const struct set *set_of(int level) {
#ifdef __x86_64__
  if (level == AVX2) return &set_avx2;
  if (level == AVX512) return &set_avx512;
  if (level == AVX512_BF16) return &set_avx512_bf16;
#endif
  return &set_generic;
}

void gemm_pack_b(const struct gemm_kind *kind, void *to, int64_t first, size_t panel_bytes, const void *b, int type, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1) {
  kind->pack_b((char *)to - first * panel_bytes, b, type, row, col, n, k, p0, p1);
}

static int64_t rows_at_once(int64_t m) { return m < ROWS ? m : ROWS; }

int64_t gemm_depth(const struct gemm_kind *kind, int64_t m, int64_t k) {
  int64_t deep = DEEP * kind->group;
  return kind->group == 4 || rows_at_once(m) * k <= 4 * ROWS * deep ? k : deep; // up to some length both ways cost the same
}

size_t gemm_scratch(const struct gemm_kind *kind, int64_t m, int64_t k) {
  int64_t depth = gemm_depth(kind, m, k), columns = depth < k ? BROAD : kind->width;
  return 4 * (size_t)(ROWS + ROWS * columns) + rows_at_once(m) * (size_t)((depth + 3) / 4 * 4) * kind->a_size;
}

void gemm_unit(const struct gemm_kind *kind, const struct gemm *g, int64_t m0, int64_t m1, int64_t p0, int64_t p1, char *scratch, int pack) {
  int64_t depth = gemm_depth(kind, g->m, g->k), columns = depth < g->k ? BROAD : kind->width;
  float *c = (float *)scratch, *scales = c + ROWS * columns;
  void *a = scales + ROWS;
  int64_t k0 = 0;
  do {
    int64_t k1 = g->k - k0 < depth ? g->k : k0 + depth;
    if (pack || depth < g->k) kind->pack_a(a, scales, g, m0, m1, k0, k1);
    kind->tiles(g, m0, m1, p0, p1, k0, k1, a, scales, c);
    k0 = k1;
  } while (k0 < g->k);
}
