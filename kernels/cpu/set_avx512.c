// The set with AVX-512. Products are in tiles of 12 x 32, 24 sums of sixteen.
#ifdef __x86_64__
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma,bmi2")
#include <immintrin.h>
#include "gemm_body.h"
#include "tiles_avx512.h"

#include "attention_body.h"
#include "attention_backward_body.h"
#include "rows_body.h"
#include "set.h"

const struct set set_avx512 = {
    .f32 = {WIDTH, 1, 4, 4, pack_b, pack_a, tiles_f32},
    .bf16 = {WIDTH, 1, 4, 4, pack_b, pack_a_rounded, tiles_f32},
    .i8 = {WIDTH, 4, 1, 1, pack_b_int8, pack_a_int8, tiles_i8},
    few_rows,
    ATTENTION_TABLE,
    .rows = ROWS_TABLE,
};
#endif
