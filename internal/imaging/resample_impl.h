// What the files of resampling share.
#ifndef MMC4_IMAGING_RESAMPLE_IMPL_H
#define MMC4_IMAGING_RESAMPLE_IMPL_H

#include "resample.h"

enum { PRECISION = 32 - 8 - 2, HALF = 1 << (PRECISION - 1) };

static inline uint8_t mmc4_clip8(int32_t sum) {
    sum >>= PRECISION;
    return sum < 0 ? 0 : sum > 255 ? 255 : (uint8_t)sum;
}

// One row of the vertical pass, from byte `from` on.
void mmc4_columns_portable(uint8_t *dst, const uint8_t *src, int stride, const mmc4_weights *w, int y, int from);

#if defined(__x86_64__)
int mmc4_rows_avx2(uint8_t *dst, const uint8_t *src, int rows, int width, int bands, const mmc4_weights *w);
int mmc4_rows_avx512(uint8_t *dst, const uint8_t *src, int rows, int width, int bands, const mmc4_weights *w);

// One row of the vertical pass; they return how many bytes of it they made.
int mmc4_columns_avx2(uint8_t *dst, const uint8_t *src, int stride, const mmc4_weights *w, int y);
int mmc4_columns_avx512(uint8_t *dst, const uint8_t *src, int stride, const mmc4_weights *w, int y);
#endif

#endif
