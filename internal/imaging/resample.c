// Resampling passes: portable C and the choice of instructions. resample_avx2.c, resample_avx512.c and resample_vbmi.c hold the fast ones.
#include "resample.h"

#include <stdlib.h>
#include <string.h>

#include "resample_impl.h"

int mmc4_resample_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512vnni"))
        return __builtin_cpu_supports("avx512vbmi") ? 3 : 2;
    if (__builtin_cpu_supports("avx2")) return 1;
#endif
    return 0;
}

static void rows_portable(uint8_t *dst, const uint8_t *src, int rows, int width, int bands, const mmc4_weights *w) {
    int y, x, i, b;
    for (y = 0; y < rows; y++, src += (size_t)width * bands) {
        for (x = 0; x < w->outputs; x++, dst += bands) {
            const uint8_t *in = src + (size_t)w->first[x] * bands;
            const int32_t *k = w->values + (size_t)x * w->taps;
            uint32_t sum[4] = {HALF, HALF, HALF, HALF};  // unsigned: wraps
            for (i = 0; i < w->count[x]; i++)
                for (b = 0; b < bands; b++) sum[b] += in[i * bands + b] * (uint32_t)k[i];
            for (b = 0; b < bands; b++) dst[b] = mmc4_clip8((int32_t)sum[b]);
        }
    }
}

#if defined(__x86_64__)
static int rows_by(const mmc4_row_kernel *kernel, uint8_t *dst, const uint8_t *src, int rows, int width, int bands,
                   const mmc4_weights *w) {
    const size_t in = (size_t)width * bands, out = (size_t)w->outputs * bands, spare = in + MMC4_ROW_SLACK;
    const int groups = (w->taps + kernel->taps - 1) / kernel->taps;
    uint8_t *arranged = malloc(kernel->size * groups * w->outputs);
    uint8_t *copies = calloc(4, spare), *unwanted = malloc(out);
    int x, y, g, r;
    if (!arranged || !copies || !unwanted) {
        free(arranged);
        free(copies);
        free(unwanted);
        return -1;
    }
    for (x = 0; x < w->outputs; x++)
        for (g = 0; g < groups; g++)
            kernel->arrange(arranged + kernel->size * ((size_t)x * groups + g),
                            w->values + (size_t)x * w->taps + kernel->taps * g, w->taps - kernel->taps * g);
    for (y = 0; y < rows; y += kernel->together) {
        uint8_t *to[4];
        const uint8_t *from[4];
        for (r = 0; r < kernel->together; r++) {
            to[r] = y + r < rows ? dst + (y + r) * out : unwanted;
            from[r] = src + (y + r) * in;
            if (y + r < rows && (size_t)(rows - 1 - y - r) * in >= MMC4_ROW_SLACK) continue;  // what follows is the slack
            if (y + r < rows) memcpy(copies + r * spare, from[r], in);
            from[r] = copies + r * spare;
        }
        kernel->run(to, from, bands, w, arranged, groups);
    }
    free(arranged);
    free(copies);
    free(unwanted);
    return 0;
}
#endif

int mmc4_resample_rows(int level, uint8_t *dst, const uint8_t *src, int rows, int width, int bands,
                       const int32_t *first, const int32_t *count, const int32_t *values, int taps, int outputs) {
    mmc4_weights w = {first, count, values, taps, outputs};
#if defined(__x86_64__)
    if (level >= 3) return mmc4_rows_vbmi(dst, src, rows, width, bands, &w);
    if (bands >= 3 && level == 2) return rows_by(&mmc4_row_avx512, dst, src, rows, width, bands, &w);
    if (bands >= 3 && level == 1) return rows_by(&mmc4_row_avx2, dst, src, rows, width, bands, &w);
#endif
    rows_portable(dst, src, rows, width, bands, &w);
    return 0;
}

int mmc4_resample_columns(int level, uint8_t *dst, const uint8_t *src, int stride, const int32_t *first,
                          const int32_t *count, const int32_t *values, int taps, int outputs) {
    mmc4_weights w = {first, count, values, taps, outputs};
    int y, done;
#if defined(__x86_64__)
    if (level >= 2) {
        int32_t *digits = malloc(((size_t)taps + 3) / 4 * 3 * sizeof *digits);
        if (!digits) return -1;
        for (y = 0; y < outputs; y++) mmc4_columns_avx512(dst + (size_t)y * stride, src, stride, &w, y, digits);
        free(digits);
        return 0;
    }
#endif
    for (y = 0; y < outputs; y++, dst += stride) {
        done = 0;
#if defined(__x86_64__)
        if (level == 1) done = mmc4_columns_avx2(dst, src, stride, &w, y);
#endif
        mmc4_columns_portable(dst, src, stride, &w, y, done);
    }
    return 0;
}

void mmc4_columns_portable(uint8_t *dst, const uint8_t *src, int stride, const mmc4_weights *w, int y, int from) {
    const int32_t *k = w->values + (size_t)y * w->taps;
    uint32_t sums[256];
    int x, i, n, block;
    for (x = from; x < stride; x += block) {
        const uint8_t *in = src + (size_t)w->first[y] * stride + x;
        block = stride - x < 256 ? stride - x : 256;
        for (n = 0; n < block; n++) sums[n] = HALF;
        for (i = 0; i < w->count[y]; i++, in += stride)
            for (n = 0; n < block; n++) sums[n] += in[n] * (uint32_t)k[i];
        for (n = 0; n < block; n++) dst[x + n] = mmc4_clip8((int32_t)sums[n]);
    }
}
