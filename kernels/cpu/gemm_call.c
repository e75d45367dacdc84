// Calls through the tables of gemm.h, for Go.
#include "gemm_call.h"
#include "level.h"

const struct gemm_kind *gemm_kind(int level, int type) {
  const struct gemm_set *set = &gemm_generic;
#ifdef __x86_64__
  if (level == AVX2) set = &gemm_avx2;
  if (level == AVX512) set = &gemm_avx512;
  if (level == AVX512_BF16) set = &gemm_avx512_bf16;
#endif
  return type == 3 ? &set->i8 : type == 2 ? &set->bf16 : &set->f32;
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
