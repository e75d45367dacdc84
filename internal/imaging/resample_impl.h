// What the files of resampling share.
#ifndef MMC4_IMAGING_RESAMPLE_IMPL_H
#define MMC4_IMAGING_RESAMPLE_IMPL_H

#include <stddef.h>
#include <string.h>

#include "resample.h"

enum { PRECISION = 32 - 8 - 2, HALF = 1 << (PRECISION - 1) };

static inline uint8_t mmc4_clip8(int32_t sum) {
    sum >>= PRECISION;
    return sum < 0 ? 0 : sum > 255 ? 255 : (uint8_t)sum;
}

// mmc4_split gives digits with k = digit[0] + 2^8 digit[1] + 2^16 digit[2], each -128..127.
static inline void mmc4_split(int32_t k, int8_t digit[3]) {
    digit[0] = (int8_t)k;
    k = (k - digit[0]) >> 8;
    digit[1] = (int8_t)k;
    digit[2] = (int8_t)((k - digit[1]) >> 8);
}

// One row of the vertical pass, from byte `from` on.
void mmc4_columns_portable(uint8_t *dst, const uint8_t *src, int stride, const mmc4_weights *w, int y, int from);

#if defined(__x86_64__)
// Some rows of the horizontal pass together, for 3 or 4 bands. The weights are arranged once, so many taps a group; run
// may read MMC4_ROW_SLACK bytes beyond the end of a row.
typedef struct {
    size_t size;   // of an arranged group
    int taps;      // of a group
    int together;  // rows that run makes, at most 4
    void (*arrange)(void *group, const int32_t *weights, int n);
    void (*run)(uint8_t *const *dst, const uint8_t *const *src, int bands, const mmc4_weights *w, const void *arranged,
                int groups);
} mmc4_row_kernel;

enum { MMC4_ROW_SLACK = 64 };

// Stores output x; the fourth byte of 3 bands is overwritten by the next output, and the last output is careful.
static inline void mmc4_store(uint8_t *dst, const int32_t *made, int x, int bands, int outputs) {
    if (x + 1 < outputs)
        memcpy(dst + (size_t)x * bands, made, 4);
    else
        memcpy(dst + (size_t)x * bands, made, bands);
}

extern const mmc4_row_kernel mmc4_row_avx2, mmc4_row_avx512;

// All rows of the horizontal pass, for any bands. Returns -1 when memory is short.
int mmc4_rows_vbmi(uint8_t *dst, const uint8_t *src, int rows, int width, int bands, const mmc4_weights *w);

// One row of the vertical pass. mmc4_columns_avx2 returns how many bytes of it it made; digits are scratch for three
// numbers for every four taps.
int mmc4_columns_avx2(uint8_t *dst, const uint8_t *src, int stride, const mmc4_weights *w, int y);
void mmc4_columns_avx512(uint8_t *dst, const uint8_t *src, int stride, const mmc4_weights *w, int y, int32_t *digits);
#endif

#endif
