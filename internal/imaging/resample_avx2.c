// Resampling with AVX2. A weight of up to 24 bits is split as high * 2^15 + low, so that two 16-bit multiply-adds
// (vpmaddwd) give two taps at a time; all sums wrap modulo 2^32 and end where the plain sum ends.
#if defined(__x86_64__)
#include <immintrin.h>
#include <string.h>

#include "resample_impl.h"

#define AVX2 __attribute__((target("avx2")))

// pair puts the low (or high) parts of two weights into one 32-bit lane.
static inline int32_t pair_low(int32_t a, int32_t b) { return (a & 0x7FFF) | (int32_t)((uint32_t)(b & 0x7FFF) << 16); }
static inline int32_t pair_high(int32_t a, int32_t b) {
    return (int32_t)(((uint32_t)(a >> 15) & 0xFFFF) | (uint32_t)(b >> 15) << 16);
}

// Eight taps of one output: taps 0..3 in the lower half of each vector, 4..7 in the upper.
typedef struct {
    int32_t low01[8], low23[8], high01[8], high23[8];
} eight;

static void arrange(void *to, const int32_t *k, int n) {
    eight *e = to;
    int32_t t[8] = {0};
    int half, i;
    memcpy(t, k, (n < 8 ? n : 8) * sizeof *t);
    for (half = 0; half < 2; half++)
        for (i = 0; i < 4; i++) {
            e->low01[4 * half + i] = pair_low(t[4 * half], t[4 * half + 1]);
            e->low23[4 * half + i] = pair_low(t[4 * half + 2], t[4 * half + 3]);
            e->high01[4 * half + i] = pair_high(t[4 * half], t[4 * half + 1]);
            e->high23[4 * half + i] = pair_high(t[4 * half + 2], t[4 * half + 3]);
        }
}

AVX2 static void row(uint8_t *const *dst, const uint8_t *const *src, int bands, const mmc4_weights *w,
                     const void *arranged, int groups) {
    const eight *e = arranged;
    const __m128i shuffle01 = bands == 3 ? _mm_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1)
                                         : _mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1);
    const __m128i shuffle23 = bands == 3
                                  ? _mm_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1)
                                  : _mm_setr_epi8(8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1);
    const __m256i pick01 = _mm256_broadcastsi128_si256(shuffle01), pick23 = _mm256_broadcastsi128_si256(shuffle23);
    int x, g;
    for (x = 0; x < w->outputs; x++, e += groups) {
        const uint8_t *in = src[0] + (size_t)w->first[x] * bands;
        __m256i low = _mm256_setzero_si256(), high = _mm256_setzero_si256();
        __m128i sum;
        int32_t packed;
        for (g = 0; g * 8 < w->count[x]; g++, in += 8 * bands) {
            __m256i v = _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)in)),
                                                _mm_loadu_si128((const __m128i *)(in + 4 * bands)), 1);
            __m256i p01 = _mm256_shuffle_epi8(v, pick01), p23 = _mm256_shuffle_epi8(v, pick23);
            low = _mm256_add_epi32(low, _mm256_madd_epi16(p01, _mm256_loadu_si256((const __m256i *)e[g].low01)));
            low = _mm256_add_epi32(low, _mm256_madd_epi16(p23, _mm256_loadu_si256((const __m256i *)e[g].low23)));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(p01, _mm256_loadu_si256((const __m256i *)e[g].high01)));
            high = _mm256_add_epi32(high, _mm256_madd_epi16(p23, _mm256_loadu_si256((const __m256i *)e[g].high23)));
        }
        low = _mm256_add_epi32(low, _mm256_slli_epi32(high, 15));
        sum = _mm_add_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
        sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(HALF)), PRECISION);
        sum = _mm_packs_epi32(sum, sum);
        packed = _mm_cvtsi128_si32(_mm_packus_epi16(sum, sum));
        mmc4_store(dst[0], &packed, x, bands, w->outputs);
    }
}

const mmc4_row_kernel mmc4_row_avx2 = {sizeof(eight), 8, 1, arrange, row};

AVX2 int mmc4_columns_avx2(uint8_t *dst, const uint8_t *src, int stride, const mmc4_weights *w, int y) {
    const int32_t *k = w->values + (size_t)y * w->taps;
    const uint8_t *top = src + (size_t)w->first[y] * stride;
    const __m256i zero = _mm256_setzero_si256();
    const int count = w->count[y];
    int x, i, v;
    for (x = 0; x + 32 <= stride; x += 32) {
        __m256i low[4] = {zero, zero, zero, zero}, high[4] = {zero, zero, zero, zero};
        for (i = 0; i < count; i += 2) {
            const int two = i + 1 < count;
            const __m256i kl = _mm256_set1_epi32(pair_low(k[i], two ? k[i + 1] : 0));
            const __m256i kh = _mm256_set1_epi32(pair_high(k[i], two ? k[i + 1] : 0));
            const uint8_t *in = top + (size_t)i * stride + x;
            const __m256i a = _mm256_loadu_si256((const __m256i *)in);
            const __m256i b = two ? _mm256_loadu_si256((const __m256i *)(in + stride)) : zero;
            const __m256i ab = _mm256_unpacklo_epi8(a, b), AB = _mm256_unpackhi_epi8(a, b);
            const __m256i p[4] = {_mm256_unpacklo_epi8(ab, zero), _mm256_unpackhi_epi8(ab, zero),
                                  _mm256_unpacklo_epi8(AB, zero), _mm256_unpackhi_epi8(AB, zero)};
            for (v = 0; v < 4; v++) {
                low[v] = _mm256_add_epi32(low[v], _mm256_madd_epi16(p[v], kl));
                high[v] = _mm256_add_epi32(high[v], _mm256_madd_epi16(p[v], kh));
            }
        }
        for (v = 0; v < 4; v++) {
            low[v] = _mm256_add_epi32(low[v], _mm256_slli_epi32(high[v], 15));
            low[v] = _mm256_srai_epi32(_mm256_add_epi32(low[v], _mm256_set1_epi32(HALF)), PRECISION);
        }
        _mm256_storeu_si256((__m256i *)(dst + x), _mm256_packus_epi16(_mm256_packs_epi32(low[0], low[1]),
                                                                      _mm256_packs_epi32(low[2], low[3])));
    }
    return x;
}
#endif
