// Resampling with AVX-512 VNNI: weights are split into three signed bytes, so that one vpdpbusd gives four taps.
// All sums wrap modulo 2^32 and end where the plain sum ends.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "resample_impl.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

// Four taps of one output: their digits side by side.
typedef struct {
    int8_t digits[3][4];
} four;

static void arrange(void *to, const int32_t *k, int n) {
    four *f = to;
    int tap, d;
    memset(f, 0, sizeof *f);
    for (tap = 0; tap < 4 && tap < n; tap++) {
        int8_t digit[3];
        mmc4_split(k[tap], digit);
        for (d = 0; d < 3; d++) f->digits[d][tap] = digit[d];
    }
}

static inline int32_t lane(const int8_t digits[4]) {
    int32_t v;
    memcpy(&v, digits, sizeof v);
    return v;
}

// Four rows at a time, one in each quarter of a vector.
AVX512 static void rows(uint8_t *const *dst, const uint8_t *const *src, int bands, const mmc4_weights *w,
                        const void *arranged, int groups) {
    const __m128i shuffle = bands == 3 ? _mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1)
                                       : _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    const __m512i pick = _mm512_broadcast_i32x4(shuffle);
    const four *f = arranged;
    int x, g, r;
    for (x = 0; x < w->outputs; x++, f += groups) {
        size_t at = (size_t)w->first[x] * bands;
        __m512i d0 = _mm512_set1_epi32(HALF), d1 = _mm512_setzero_si512(), d2 = d1;
        int32_t made[16];
        for (g = 0; g * 4 < w->count[x]; g++, at += 4 * bands) {
            __m512i p = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)(src[0] + at)));
            p = _mm512_inserti32x4(p, _mm_loadu_si128((const __m128i *)(src[1] + at)), 1);
            p = _mm512_inserti32x4(p, _mm_loadu_si128((const __m128i *)(src[2] + at)), 2);
            p = _mm512_inserti32x4(p, _mm_loadu_si128((const __m128i *)(src[3] + at)), 3);
            p = _mm512_shuffle_epi8(p, pick);
            d0 = _mm512_dpbusd_epi32(d0, p, _mm512_set1_epi32(lane(f[g].digits[0])));
            d1 = _mm512_dpbusd_epi32(d1, p, _mm512_set1_epi32(lane(f[g].digits[1])));
            d2 = _mm512_dpbusd_epi32(d2, p, _mm512_set1_epi32(lane(f[g].digits[2])));
        }
        d1 = _mm512_add_epi32(d1, _mm512_slli_epi32(d2, 8));
        d0 = _mm512_srai_epi32(_mm512_add_epi32(d0, _mm512_slli_epi32(d1, 8)), PRECISION);
        d0 = _mm512_packs_epi32(d0, d0);
        _mm512_storeu_si512(made, _mm512_packus_epi16(d0, d0));
        for (r = 0; r < 4; r++) mmc4_store(dst[r], made + 4 * r, x, bands, w->outputs);
    }
}

const mmc4_row_kernel mmc4_row_avx512 = {sizeof(four), 4, 4, arrange, rows};

// quads gives four rows' bytes side by side, of 64 columns in an order that packing undoes. The first row is at in, the others s1, s2, s3 behind.
AVX512 static inline __attribute__((always_inline)) void quads(__m512i p[4], const uint8_t *in, size_t s1, size_t s2, size_t s3, __mmask64 there) {
    const __m512i a = _mm512_maskz_loadu_epi8(there, in), b = _mm512_maskz_loadu_epi8(there, in + s1);
    const __m512i c = _mm512_maskz_loadu_epi8(there, in + s2), d = _mm512_maskz_loadu_epi8(there, in + s3);
    const __m512i ab = _mm512_unpacklo_epi8(a, b), AB = _mm512_unpackhi_epi8(a, b);
    const __m512i cd = _mm512_unpacklo_epi8(c, d), CD = _mm512_unpackhi_epi8(c, d);
    p[0] = _mm512_unpacklo_epi16(ab, cd), p[1] = _mm512_unpackhi_epi16(ab, cd);
    p[2] = _mm512_unpacklo_epi16(AB, CD), p[3] = _mm512_unpackhi_epi16(AB, CD);
}

// FEW groups of taps and their weights stay in registers.
enum { FEW = 3 };

// columns makes one row of outputs; k has three digits of each group, taps beyond the last are 0 and read the last row again.
AVX512 static inline __attribute__((always_inline)) void columns(uint8_t *dst, const uint8_t *top, int stride, const int groups, int last, const int32_t *k) {
    __m512i digits[FEW][3], p[FEW][4], sum[4];
    const size_t rest = last - 4 * (groups - 1);  // taps of the last group, less one
    const size_t s1 = rest < 1 ? 0 : stride, s2 = rest < 2 ? s1 : 2 * (size_t)stride, s3 = rest < 3 ? s2 : 3 * (size_t)stride;
    int x, g, v, d;
    for (g = 0; g < groups; g++)
        for (d = 0; d < 3; d++) digits[g][d] = _mm512_set1_epi32(k[3 * g + d]);
    for (x = 0; x < stride; x += 64) {
        const __mmask64 there = stride - x < 64 ? ~(__mmask64)0 >> (64 - (stride - x)) : ~(__mmask64)0;
        const uint8_t *in = top + x;
        for (g = 0; g < groups - 1; g++, in += 4 * (size_t)stride) quads(p[g], in, stride, 2 * (size_t)stride, 3 * (size_t)stride, there);
        quads(p[g], in, s1, s2, s3, there);
        for (v = 0; v < 4; v++) {  // by digits from the highest on, as numbers are read
            sum[v] = _mm512_set1_epi32(HALF >> 16);
            for (d = 2; d >= 0; d--) {
                if (d < 2) sum[v] = _mm512_slli_epi32(sum[v], 8);
                for (g = 0; g < groups; g++) sum[v] = _mm512_dpbusd_epi32(sum[v], p[g][v], digits[g][d]);
            }
            sum[v] = _mm512_srai_epi32(sum[v], PRECISION);
        }
        _mm512_mask_storeu_epi8(dst + x, there, _mm512_packus_epi16(_mm512_packs_epi32(sum[0], sum[1]), _mm512_packs_epi32(sum[2], sum[3])));
    }
}

// many is columns for any number of groups.
AVX512 static void many(uint8_t *dst, const uint8_t *top, int stride, int last, const int32_t *digits) {
    const __m512i zero = _mm512_setzero_si512();
    int x, i, v;
    for (x = 0; x < stride; x += 64) {
        const __mmask64 there = stride - x < 64 ? ~(__mmask64)0 >> (64 - (stride - x)) : ~(__mmask64)0;
        __m512i d0[4], d1[4] = {zero, zero, zero, zero}, d2[4] = {zero, zero, zero, zero}, p[4];
        for (v = 0; v < 4; v++) d0[v] = _mm512_set1_epi32(HALF);
        for (i = 0; i <= last; i += 4) {
            const int32_t *k = digits + i / 4 * 3;
            const size_t s1 = last - i < 1 ? 0 : stride, s2 = last - i < 2 ? s1 : 2 * (size_t)stride, s3 = last - i < 3 ? s2 : 3 * (size_t)stride;
            quads(p, top + (size_t)i * stride + x, s1, s2, s3, there);
            for (v = 0; v < 4; v++) {
                d0[v] = _mm512_dpbusd_epi32(d0[v], p[v], _mm512_set1_epi32(k[0]));
                d1[v] = _mm512_dpbusd_epi32(d1[v], p[v], _mm512_set1_epi32(k[1]));
                d2[v] = _mm512_dpbusd_epi32(d2[v], p[v], _mm512_set1_epi32(k[2]));
            }
        }
        for (v = 0; v < 4; v++) {
            d1[v] = _mm512_add_epi32(d1[v], _mm512_slli_epi32(d2[v], 8));
            d0[v] = _mm512_srai_epi32(_mm512_add_epi32(d0[v], _mm512_slli_epi32(d1[v], 8)), PRECISION);
        }
        _mm512_mask_storeu_epi8(dst + x, there, _mm512_packus_epi16(_mm512_packs_epi32(d0[0], d0[1]), _mm512_packs_epi32(d0[2], d0[3])));
    }
}

// digits is scratch for three numbers for every four taps.
AVX512 void mmc4_columns_avx512(uint8_t *dst, const uint8_t *src, int stride, const mmc4_weights *w, int y, int32_t *digits) {
    const uint8_t *top = src + (size_t)w->first[y] * stride;
    const int last = w->count[y] - 1;
    int i;
    for (i = 0; i <= last; i += 4) {
        four f;
        arrange(&f, w->values + (size_t)y * w->taps + i, last + 1 - i);
        memcpy(digits + i / 4 * 3, f.digits, sizeof f.digits);
    }
    switch ((last + 4) / 4) {
    case 1: columns(dst, top, stride, 1, last, digits); break;
    case 2: columns(dst, top, stride, 2, last, digits); break;
    case 3: columns(dst, top, stride, 3, last, digits); break;
    default: many(dst, top, stride, last, digits);
    }
}
#endif
