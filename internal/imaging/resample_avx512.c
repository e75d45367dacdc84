// Resampling with AVX-512 VNNI: weights are split into three signed bytes, so that one vpdpbusd gives four taps.
// All sums wrap modulo 2^32 and end where the plain sum ends.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "resample_impl.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")))

// split gives digits with k = digit[0] + 2^8 digit[1] + 2^16 digit[2], each -128..127.
static inline void split(int32_t k, int8_t digit[3]) {
    digit[0] = (int8_t)k;
    k = (k - digit[0]) >> 8;
    digit[1] = (int8_t)k;
    digit[2] = (int8_t)((k - digit[1]) >> 8);
}

// Sixteen taps of one output: four in each quarter, once for each band.
typedef struct {
    int8_t digits[3][64];
} sixteen;

static void arrange(void *to, const int32_t *k, int n) {
    sixteen *s = to;
    int tap, band, d;
    memset(s, 0, sizeof *s);
    for (tap = 0; tap < 16 && tap < n; tap++) {
        int8_t digit[3];
        split(k[tap], digit);
        for (band = 0; band < 4; band++)
            for (d = 0; d < 3; d++) s->digits[d][tap / 4 * 16 + band * 4 + tap % 4] = digit[d];
    }
}

AVX512 static inline __m512i gather(int bands) {
    uint8_t pick[64];
    int tap, band;
    for (tap = 0; tap < 16; tap++)
        for (band = 0; band < 4; band++)
            pick[tap / 4 * 16 + band * 4 + tap % 4] = (uint8_t)(tap * bands + (band < bands ? band : 0));
    return _mm512_loadu_si512(pick);
}

AVX512 static void row(uint8_t *dst, const uint8_t *src, int bands, const mmc4_weights *w, const void *arranged,
                       int groups) {
    const sixteen *s = arranged;
    const __m512i pick = gather(bands);
    int x, g;
    for (x = 0; x < w->outputs; x++, s += groups) {
        const uint8_t *in = src + (size_t)w->first[x] * bands;
        __m512i d0 = _mm512_setzero_si512(), d1 = d0, d2 = d0;
        __m256i half;
        __m128i sum;
        int32_t packed;
        for (g = 0; g * 16 < w->count[x]; g++, in += 16 * bands) {
            const __m512i p = _mm512_permutexvar_epi8(pick, _mm512_loadu_si512(in));
            d0 = _mm512_dpbusd_epi32(d0, p, _mm512_loadu_si512(s[g].digits[0]));
            d1 = _mm512_dpbusd_epi32(d1, p, _mm512_loadu_si512(s[g].digits[1]));
            d2 = _mm512_dpbusd_epi32(d2, p, _mm512_loadu_si512(s[g].digits[2]));
        }
        d1 = _mm512_add_epi32(d1, _mm512_slli_epi32(d2, 8));
        d0 = _mm512_add_epi32(d0, _mm512_slli_epi32(d1, 8));
        half = _mm256_add_epi32(_mm512_castsi512_si256(d0), _mm512_extracti64x4_epi64(d0, 1));
        sum = _mm_add_epi32(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
        sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(HALF)), PRECISION);
        sum = _mm_packs_epi32(sum, sum);
        packed = _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
        memcpy(dst + (size_t)x * bands, &packed, 4); // with 3 bands the next output overwrites the fourth byte
    }
}

const mmc4_row_kernel mmc4_row_avx512 = {sizeof(sixteen), 16, arrange, row};

AVX512 int mmc4_columns_avx512(uint8_t *dst, const uint8_t *src, int stride, const mmc4_weights *w, int y) {
    const int32_t *k = w->values + (size_t)y * w->taps;
    const uint8_t *top = src + (size_t)w->first[y] * stride;
    const __m512i zero = _mm512_setzero_si512();
    const int count = w->count[y];
    int x, i, v, tap;
    for (x = 0; x + 64 <= stride; x += 64) {
        __m512i d0[4] = {zero, zero, zero, zero}, d1[4] = {zero, zero, zero, zero}, d2[4] = {zero, zero, zero, zero};
        for (i = 0; i < count; i += 4) {
            const int n = count - i < 4 ? count - i : 4;
            __m512i r[4] = {zero, zero, zero, zero}, ab, AB, cd, CD, p[4], k0, k1, k2;
            int8_t digits[3][4] = {{0}};
            int32_t lane[3];
            for (tap = 0; tap < n; tap++) {
                int8_t digit[3];
                r[tap] = _mm512_loadu_si512(top + (size_t)(i + tap) * stride + x);
                split(k[i + tap], digit);
                digits[0][tap] = digit[0], digits[1][tap] = digit[1], digits[2][tap] = digit[2];
            }
            memcpy(lane, digits, sizeof lane);
            k0 = _mm512_set1_epi32(lane[0]), k1 = _mm512_set1_epi32(lane[1]), k2 = _mm512_set1_epi32(lane[2]);
            ab = _mm512_unpacklo_epi8(r[0], r[1]), AB = _mm512_unpackhi_epi8(r[0], r[1]);
            cd = _mm512_unpacklo_epi8(r[2], r[3]), CD = _mm512_unpackhi_epi8(r[2], r[3]);
            p[0] = _mm512_unpacklo_epi16(ab, cd), p[1] = _mm512_unpackhi_epi16(ab, cd);
            p[2] = _mm512_unpacklo_epi16(AB, CD), p[3] = _mm512_unpackhi_epi16(AB, CD);
            for (v = 0; v < 4; v++) {
                d0[v] = _mm512_dpbusd_epi32(d0[v], p[v], k0);
                d1[v] = _mm512_dpbusd_epi32(d1[v], p[v], k1);
                d2[v] = _mm512_dpbusd_epi32(d2[v], p[v], k2);
            }
        }
        for (v = 0; v < 4; v++) {
            d1[v] = _mm512_add_epi32(d1[v], _mm512_slli_epi32(d2[v], 8));
            d0[v] = _mm512_add_epi32(d0[v], _mm512_slli_epi32(d1[v], 8));
            d0[v] = _mm512_srai_epi32(_mm512_add_epi32(d0[v], _mm512_set1_epi32(HALF)), PRECISION);
        }
        _mm512_storeu_si512(dst + x, _mm512_packus_epi16(_mm512_packs_epi32(d0[0], d0[1]),
                                                         _mm512_packs_epi32(d0[2], d0[3])));
    }
    return x;
}
#endif
