// Matrix products with AVX-512: tiles of 12 x 32, 24 sums of sixteen.
#ifdef __x86_64__
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,bmi2")
#include <immintrin.h>
#include "gemm_body.h"
#include "tiles_avx512.h"

static void pack_a_rounded(void *to, float *scales, const struct gemm *g, int64_t m0, int64_t m1) {
  pack_a_f32(to, g, m0, m1, HEIGHT, 1);
}

#include "attention_body.h"
#include "attention_backward_body.h"
#include "rows_body.h"
#include "set.h"

const struct set set_avx512 = {
    .f32 = {WIDTH, 1, 4, 4, pack_b, pack_a, tiles_f32},
    .bf16 = {WIDTH, 1, 4, 4, pack_b, pack_a_rounded, tiles_f32},
    .i8 = {WIDTH, 4, 1, 1, pack_b_int8, pack_a_int8, tiles_i8},
    ATTENTION_TABLE,
    .rows = ROWS_TABLE,
};
#endif
