// The horizontal pass with AVX-512 VNNI and VBMI: lanes are sixteen outputs side by side, and one permutation of 128 bytes
// fetches four taps of each. Weights are split into three signed bytes as in resample_avx512.c.
#if defined(__x86_64__)
#include <immintrin.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "resample_impl.h"

#define VBMI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")))

enum { LANES = 16, WINDOW = 128 };

// Sixteen outputs. The inputs of lanes that one window holds are fetched together; strong shrinking takes several windows.
typedef struct {
    int first[LANES];       // of each window: its first input
    __mmask64 lanes[LANES]; // of each window: the bytes of the lanes that it serves
    int windows, groups;    // groups of four taps
    int8_t *digits;         // [groups][3][LANES * 4]
    uint8_t pick[4][LANES * 4];  // of each band: where in its window a lane's four taps lie
} block;

// plan cuts the lanes of outputs x.. into windows and arranges their weights; digits have room for all taps.
static void plan(block *b, const mmc4_weights *w, int x, int bands, int8_t *digits) {
    const int n = w->outputs - x < LANES ? w->outputs - x : LANES;
    const int span = (WINDOW - 4 * bands) / bands;  // how far the first taps of a window's lanes may lie apart
    int lane, tap, band, g, low = 0, high = 0, count = 0;
    memset(b, 0, sizeof *b);
    b->digits = digits;
    for (lane = 0; lane < LANES; lane++) {
        const int at = w->first[x + (lane < n ? lane : n - 1)];
        if (lane == 0 || at - low > span || high - at > span) low = high = at, b->windows++;
        low = at < low ? at : low, high = at > high ? at : high;
        b->first[b->windows - 1] = low;
        b->lanes[b->windows - 1] |= (__mmask64)15 << (4 * lane);
        if (lane < n && w->count[x + lane] > count) count = w->count[x + lane];
    }
    b->groups = (count + 3) / 4;
    memset(digits, 0, (size_t)b->groups * 3 * 4 * LANES);
    for (lane = 0; lane < n; lane++) {
        int window = 0;
        while (!(b->lanes[window] >> (4 * lane) & 1)) window++;
        for (tap = 0; tap < 4; tap++)
            for (band = 0; band < bands; band++)
                b->pick[band][4 * lane + tap] = (w->first[x + lane] - b->first[window] + tap) * bands + band;
        for (tap = 0; tap < w->count[x + lane]; tap++) {
            int8_t digit[3];
            mmc4_split(w->values[(size_t)(x + lane) * w->taps + tap], digit);
            for (g = 0; g < 3; g++) digits[(tap / 4 * 3 + g) * 4 * LANES + 4 * lane + tap % 4] = digit[g];
        }
    }
}

// fetch gives, of each band, four taps of every lane.
VBMI static inline __attribute__((always_inline)) void fetch(__m512i p[4], const uint8_t *src, const int bands, const block *b, int g) {
    int i, v;
    for (i = 0; i < b->windows; i++) {
        const uint8_t *in = src + (ptrdiff_t)(b->first[i] + 4 * g) * bands;
        const __m512i low = _mm512_loadu_si512(in), high = _mm512_loadu_si512(in + 64);
        for (v = 0; v < bands; v++) {
            const __m512i taps = _mm512_permutex2var_epi8(low, _mm512_loadu_si512(b->pick[v]), high);
            p[v] = i == 0 ? taps : _mm512_mask_mov_epi8(p[v], b->lanes[i], taps);
        }
    }
}

// outputs makes one block of a row; src may be read beyond the row's end by a window and all taps.
VBMI static inline __attribute__((always_inline)) void outputs(uint8_t *dst, const uint8_t *src, const int bands, const block *b,
                                                               __m512i order, __mmask64 there) {
    const __m512i zero = _mm512_setzero_si512();
    __m512i p[4] = {zero, zero, zero, zero}, d0[4], d1[4], d2[4];
    int v, g;
    for (v = 0; v < 4; v++) d0[v] = _mm512_set1_epi32(HALF), d1[v] = d2[v] = zero;
    for (g = 0; g < b->groups; g++) {
        const int8_t *k = b->digits + g * 3 * 4 * LANES;
        fetch(p, src, bands, b, g);
        for (v = 0; v < bands; v++) {
            d0[v] = _mm512_dpbusd_epi32(d0[v], p[v], _mm512_loadu_si512(k));
            d1[v] = _mm512_dpbusd_epi32(d1[v], p[v], _mm512_loadu_si512(k + 64));
            d2[v] = _mm512_dpbusd_epi32(d2[v], p[v], _mm512_loadu_si512(k + 128));
        }
    }
    for (v = 0; v < bands; v++) {
        d1[v] = _mm512_add_epi32(d1[v], _mm512_slli_epi32(d2[v], 8));
        d0[v] = _mm512_srai_epi32(_mm512_add_epi32(d0[v], _mm512_slli_epi32(d1[v], 8)), PRECISION);
    }
    d0[0] = _mm512_packus_epi16(_mm512_packs_epi32(d0[0], d0[1]), _mm512_packs_epi32(d0[2], d0[3]));
    _mm512_mask_storeu_epi8(dst, there, _mm512_permutexvar_epi8(order, d0[0]));
}

// FEW groups of taps, of one window, stay in registers with their weights from row to row.
enum { FEW = 4 };

VBMI static inline __attribute__((always_inline)) void few(uint8_t *dst, const uint8_t *src, int rows, size_t in, size_t out, const int bands,
                                                           const int groups, const block *b, __m512i order, __mmask64 there) {
    __m512i k[FEW][3], pick[4], p[FEW][4], sum[4];
    int y, g, v, d;
    src += (ptrdiff_t)b->first[0] * bands;
    for (v = 0; v < bands; v++) pick[v] = _mm512_loadu_si512(b->pick[v]);
    for (g = 0; g < groups; g++)
        for (d = 0; d < 3; d++) k[g][d] = _mm512_loadu_si512(b->digits + (3 * g + d) * 4 * LANES);
    for (v = bands; v < 4; v++) sum[v] = _mm512_setzero_si512();
    for (y = 0; y < rows; y++, src += in, dst += out) {
        for (g = 0; g < groups; g++) {
            const __m512i low = _mm512_loadu_si512(src + 4 * g * bands), high = _mm512_loadu_si512(src + 4 * g * bands + 64);
            for (v = 0; v < bands; v++) p[g][v] = _mm512_permutex2var_epi8(low, pick[v], high);
        }
        for (v = 0; v < bands; v++) {  // by digits from the highest on, as numbers are read
            sum[v] = _mm512_set1_epi32(HALF >> 16);
            for (d = 2; d >= 0; d--) {
                if (d < 2) sum[v] = _mm512_slli_epi32(sum[v], 8);
                for (g = 0; g < groups; g++) sum[v] = _mm512_dpbusd_epi32(sum[v], p[g][v], k[g][d]);
            }
            sum[v] = _mm512_srai_epi32(sum[v], PRECISION);
        }
        sum[0] = _mm512_packus_epi16(_mm512_packs_epi32(sum[0], sum[1]), _mm512_packs_epi32(sum[2], sum[3]));
        _mm512_mask_storeu_epi8(dst, there, _mm512_permutexvar_epi8(order, sum[0]));
    }
}

// some makes a few rows, block by block: what belongs to a block stays in registers, the rows in the first cache.
VBMI static inline __attribute__((always_inline)) void some(uint8_t *dst, const uint8_t *src, int rows, size_t in, const int bands,
                                                            const block *b, const mmc4_weights *w) {
    const size_t out = (size_t)w->outputs * bands;
    uint8_t interleaved[64];
    __m512i order;
    int x, y, i;
    for (i = 0; i < 64; i++) {  // packing leaves four outputs of band 0, of band 1, ... in every quarter
        const int lane = i / bands, band = i % bands;
        interleaved[i] = lane < LANES ? lane / 4 * 16 + band * 4 + lane % 4 : 0;
    }
    order = _mm512_loadu_si512(interleaved);
    for (x = 0; x < w->outputs; x += LANES, b++, dst += LANES * bands) {
        const int bytes = (w->outputs - x < LANES ? w->outputs - x : LANES) * bands;
        const __mmask64 there = ~(__mmask64)0 >> (64 - bytes);
        switch (b->windows == 1 ? b->groups : 0) {
        case 1: few(dst, src, rows, in, out, bands, 1, b, order, there); break;
        case 2: few(dst, src, rows, in, out, bands, 2, b, order, there); break;
        case 3: few(dst, src, rows, in, out, bands, 3, b, order, there); break;
        case 4: few(dst, src, rows, in, out, bands, 4, b, order, there); break;
        default:
            for (y = 0; y < rows; y++) outputs(dst + y * out, src + y * in, bands, b, order, there);
        }
    }
}

typedef void some_rows(uint8_t *dst, const uint8_t *src, int rows, size_t in, const block *b, const mmc4_weights *w);
#define SOME(bands) \
    VBMI static void some##bands(uint8_t *dst, const uint8_t *src, int rows, size_t in, const block *b, const mmc4_weights *w) { some(dst, src, rows, in, bands, b, w); }
SOME(1) SOME(2) SOME(3) SOME(4)

int mmc4_rows_vbmi(uint8_t *dst, const uint8_t *src, int rows, int width, int bands, const mmc4_weights *w) {
    static some_rows *const by_bands[] = {some1, some2, some3, some4};
    const size_t in = (size_t)width * bands, out = (size_t)w->outputs * bands;
    const int n = (w->outputs + LANES - 1) / LANES, groups = (w->taps + 3) / 4;
    const size_t slack = WINDOW + 4 * groups * bands;
    const int together = 24 * 1024 / in > 1 ? 24 * 1024 / in : 1;
    block *blocks = malloc(n * sizeof *blocks);
    int8_t *digits = malloc((size_t)n * groups * 3 * 4 * LANES);
    uint8_t *copy = calloc(1, in + slack);
    int y, i, k;
    if (!blocks || !digits || !copy) {
        free(blocks), free(digits), free(copy);
        return -1;
    }
    for (i = 0; i < n; i++) plan(&blocks[i], w, i * LANES, bands, digits + (size_t)i * groups * 3 * 4 * LANES);
    for (y = 0; y < rows; y += k) {
        const uint8_t *from = src + y * in;
        for (k = 0; k < together && y + k < rows && (rows - 1 - y - k) * in >= slack; k++) {}
        if (k == 0) k = 1, from = memcpy(copy, from, in);  // nothing follows that might be read
        by_bands[bands - 1](dst + y * out, from, k, in, blocks, w);
    }
    free(blocks), free(digits), free(copy);
    return 0;
}
#endif
