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

void gemm_pack_b(const struct gemm_kind *kind, void *to, const void *b, int type, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1) {
  kind->pack_b(to, b, type, row, col, n, k, p0, p1);
}

void gemm_unit(const struct gemm_kind *kind, const struct gemm *g, int64_t m0, int64_t m1, int64_t p0, int64_t p1, char *scratch, int pack) {
  float *c = (float *)scratch, *scales = c + ROWS * 64;
  void *a = scales + ROWS;
  if (pack) kind->pack_a(a, scales, g, m0, m1);
  kind->tiles(g, m0, m1, p0, p1, a, scales, c);
}
