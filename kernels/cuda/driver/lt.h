// cuBLASLt's products through a library that is loaded at run time: lt.c. Status codes are the library's, 0 is success.
#pragma once
#include <stdint.h>

// lt_load fills the table from a library; -1 and why if that is none of cuBLASLt.
int lt_load(const char *path, char *why, unsigned n);
uint64_t lt_version(void);
int lt_create(void **handle);
int lt_destroy(void *handle);

// lt_shape is D = epilogue(alpha op(A) op(B) + beta C), column-major, A [m,k] and B [k,n] after op. Types are the library's.
typedef struct {
  int64_t m, n, k, lda, ldb, ldc, ldd, aux_ld;
  int32_t type_ab, type_d, transpose_a, transpose_b, epilogue;
  uint32_t align_a, align_b, align_c, align_d;
} lt_shape;

typedef struct {
  void *desc, *a, *b, *c, *d;
  uint64_t algorithm[8];
  uint64_t workspace;
} lt_plan;

// lt_operands are what one call works on; bias and aux are 0 where the epilogue has none.
typedef struct {
  uint64_t a, b, c, d, bias, aux, workspace, workspace_bytes;
  float alpha, beta;
} lt_operands;

// lt_make asks the library for an algorithm. bias and aux stand for the calls' own: only their alignment counts.
int lt_make(void *handle, const lt_shape *s, uint64_t bias, uint64_t aux, uint64_t workspace, lt_plan *plan);
int lt_run(void *handle, const lt_plan *plan, const lt_operands *o, void *stream);
void lt_free(lt_plan *plan);
