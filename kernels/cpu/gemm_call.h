#ifndef MMC4_GEMM_CALL_H
#define MMC4_GEMM_CALL_H
#include "gemm.h"

// gemm_kind is how B of a type (kernels.DType) is multiplied at a level.
const struct gemm_kind *gemm_kind(int level, int type);

void gemm_pack_b(const struct gemm_kind *kind, void *to, const void *b, int type, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1);

// GEMM_SCRATCH is the scratch of a worker without packed A: a tile of sums and the factors of its rows.
enum { GEMM_SCRATCH = (ROWS * 64 + ROWS) * 4 };

// gemm_unit computes rows [m0,m1) of panels [p0,p1). Scratch keeps packed A, so that only the first of several units of the
// same rows has to pack.
void gemm_unit(const struct gemm_kind *kind, const struct gemm *g, int64_t m0, int64_t m1, int64_t p0, int64_t p1, char *scratch, int pack);

#endif
