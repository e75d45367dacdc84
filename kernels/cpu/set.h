// Everything the device computes in C, once for each instruction set.
#ifndef MMC4_SET_H
#define MMC4_SET_H

#include "attention.h"
#include "gemm.h"
#include "rows.h"

struct set {
  struct gemm_kind f32, bf16, i8;
  void (*few_rows)(const struct gemm *g, int64_t n0, int64_t n1);
  int64_t (*attention_scratch)(const struct attention *a); // in floats; of either forward function
  void (*attention_unit)(const struct attention *a, int64_t b, int64_t g, float *scratch);
  void (*attention_few)(const struct attention *a, int64_t b, int64_t g, float *scratch);
  int64_t (*attention_backward_scratch)(const struct attention *a);
  void (*attention_backward_unit)(const struct attention *a, const struct attention_grads *grads, int64_t b, int64_t g, float *scratch);
  struct rows rows;
};

extern const struct set set_generic, set_avx2, set_avx512, set_avx512_bf16;

#define ATTENTION_TABLE attention_scratch, attention_unit, attention_few, attention_backward_scratch, attention_backward_unit

#endif
