// Inverse DCT, chroma widening and colours of baseline JPEG with AVX-512. The integers are those of libjpeg's accurate DCT
// (Loeffler, Ligtenberg and Moschytz 1989, 13 fraction bits), its smooth widening and its colour tables, so that all bits agree.
#if defined(__x86_64__)
#include <immintrin.h>

#include "baseline_impl.h"

#define AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")))
#define STEP static inline AVX512 __attribute__((always_inline))

STEP __m512i two(int low, int high) { return _mm512_set1_epi32((int)((uint32_t)high << 16 | (uint16_t)low)); }

// transform does one direction: lanes are 16 columns (or rows), the inputs are in pairs 0 and 4, 2 and 6, 1 and 3, 5 and 7. With
// 13 fraction bits: 10703 = 0.541 + 0.765, -10704 = 0.541 - 1.848, and the odd half's numbers are sums of that figure's likewise.
STEP void transform(__m512i out[8], const __m512i in[4], int round, const int shift) {
    const __m512i half = _mm512_set1_epi32(round), zero = _mm512_setzero_si512();
    const __m512i sum = _mm512_dpwssd_epi32(half, in[0], two(8192, 8192)), difference = _mm512_dpwssd_epi32(half, in[0], two(8192, -8192));
    const __m512i turned = _mm512_madd_epi16(in[1], two(10703, 4433)), across = _mm512_madd_epi16(in[1], two(4433, -10704));
    const __m512i even[4] = {_mm512_add_epi32(sum, turned), _mm512_add_epi32(difference, across), _mm512_sub_epi32(difference, across),
                             _mm512_sub_epi32(sum, turned)};
    const __m512i odd[4] = {
        _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(zero, in[2], two(11363, 9633)), in[3], two(6437, 2260)),
        _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(zero, in[2], two(9633, -2259)), in[3], two(-11362, -6436)),
        _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(zero, in[2], two(6437, -11362)), in[3], two(2261, 9633)),
        _mm512_dpwssd_epi32(_mm512_dpwssd_epi32(zero, in[2], two(2260, -6436)), in[3], two(9633, -11363))};
    int i;
    for (i = 0; i < 4; i++) {
        out[i] = _mm512_srai_epi32(_mm512_add_epi32(even[i], odd[i]), shift);
        out[7 - i] = _mm512_srai_epi32(_mm512_sub_epi32(even[i], odd[i]), shift);
    }
}

// small says that the coefficients of neither block sum up to more than LARGEST_SUM in absolute value.
STEP int small(const blocks *b, const blocks *quant) {
    __m512i sum = _mm512_setzero_si512();
    int i;
    for (i = 0; i < 4; i++) sum = _mm512_dpwssd_epi32(sum, _mm512_abs_epi16(_mm512_load_si512(b->pairs[i])), _mm512_load_si512(quant->pairs[i]));
    sum = _mm512_add_epi32(sum, _mm512_shuffle_i64x2(sum, sum, 0xB1));
    sum = _mm512_add_epi32(sum, _mm512_shuffle_epi32(sum, 0x4E));
    sum = _mm512_add_epi32(sum, _mm512_shuffle_epi32(sum, 0xB1));
    return !_mm512_cmpgt_epu32_mask(sum, _mm512_set1_epi32(LARGEST_SUM));
}

AVX512 int mmc4_baseline_dct(uint8_t out[8][16], const blocks *b, const blocks *quant) {
    // Packed, a quarter has four columns of a row and of the next one; taken are the pairs of columns 0 and 4, 2 and 6 of four
    // rows of both blocks, or 1 and 3, 5 and 7.
    static const int16_t even[32] __attribute__((aligned(64))) = {0, 8, 4, 12, 32, 40, 36, 44, 16, 24, 20, 28, 48, 56, 52, 60,
                                                                  2, 10, 6, 14, 34, 42, 38, 46, 18, 26, 22, 30, 50, 58, 54, 62};
    static const int16_t odd[32] __attribute__((aligned(64))) = {1, 3, 5, 7, 33, 35, 37, 39, 17, 19, 21, 23, 49, 51, 53, 55,
                                                                 9, 11, 13, 15, 41, 43, 45, 47, 25, 27, 29, 31, 57, 59, 61, 63};
    // Packed again, a quarter has four rows of column 0, of column 1, ...; taken are rows of 16 bytes, of both blocks.
    static const uint8_t rows[64] __attribute__((aligned(64))) = {
        0, 4, 8,  12, 64, 68, 72, 76, 16, 20, 24, 28, 80, 84, 88, 92, 1, 5, 9,  13, 65, 69, 73, 77, 17, 21, 25, 29, 81, 85, 89, 93,
        2, 6, 10, 14, 66, 70, 74, 78, 18, 22, 26, 30, 82, 86, 90, 94, 3, 7, 11, 15, 67, 71, 75, 79, 19, 23, 27, 31, 83, 87, 91, 95};
    const __m512i take_even = _mm512_load_si512(even), take_odd = _mm512_load_si512(odd), take_rows = _mm512_load_si512(rows);
    __m512i in[4], w[8], a, c, low, high;
    int i;
    for (i = 0; i < 4; i++) in[i] = _mm512_mullo_epi16(_mm512_load_si512(b->pairs[i]), _mm512_load_si512(quant->pairs[i]));
    transform(w, in, 1 << 10, 11);
    for (i = 0; i < 4; i++) w[i] = _mm512_packs_epi32(w[2 * i], w[2 * i + 1]);  // rows 0 and 1, 2 and 3, 4 and 5, 6 and 7
    a = _mm512_permutex2var_epi16(w[0], take_even, w[1]), c = _mm512_permutex2var_epi16(w[2], take_even, w[3]);
    in[0] = _mm512_shuffle_i64x2(a, c, 0x44), in[1] = _mm512_shuffle_i64x2(a, c, 0xEE);
    a = _mm512_permutex2var_epi16(w[0], take_odd, w[1]), c = _mm512_permutex2var_epi16(w[2], take_odd, w[3]);
    in[2] = _mm512_shuffle_i64x2(a, c, 0x44), in[3] = _mm512_shuffle_i64x2(a, c, 0xEE);
    transform(w, in, (1 << 17) + (128 << 18), 18);
    low = _mm512_packus_epi16(_mm512_packs_epi32(w[0], w[1]), _mm512_packs_epi32(w[2], w[3]));
    high = _mm512_packus_epi16(_mm512_packs_epi32(w[4], w[5]), _mm512_packs_epi32(w[6], w[7]));
    _mm512_storeu_si512(out[0], _mm512_permutex2var_epi8(low, take_rows, high));
    _mm512_storeu_si512(out[4], _mm512_permutex2var_epi8(low, _mm512_add_epi8(take_rows, _mm512_set1_epi8(32)), high));
    return small(b, quant) ? 0 : -1;
}

// spread makes 2 n samples of n sums: three parts of the sum and one of its neighbour on each side.
STEP void spread(uint8_t *out, uint16_t *sums, int n, int even, int odd, const int shift) {
    int x;
    sums[0] = sums[1], sums[n + 1] = sums[n];
    for (x = 0; x < n; x += 32) {
        const __m512i here = _mm512_loadu_si512(sums + 1 + x), left = _mm512_loadu_si512(sums + x), right = _mm512_loadu_si512(sums + 2 + x);
        const __m512i three = _mm512_add_epi16(here, _mm512_add_epi16(here, here));
        const __m512i first = _mm512_srli_epi16(_mm512_add_epi16(_mm512_add_epi16(three, left), _mm512_set1_epi16(even)), shift);
        const __m512i second = _mm512_srli_epi16(_mm512_add_epi16(_mm512_add_epi16(three, right), _mm512_set1_epi16(odd)), shift);
        _mm512_storeu_si512(out + 2 * x, _mm512_or_si512(first, _mm512_slli_epi16(second, 8)));
    }
}

AVX512 void mmc4_baseline_widen(uint8_t *out, const uint8_t *row, const uint8_t *near, int n, uint16_t *sums) {
    int x;
    for (x = 0; x < n; x += 32) {
        const __m512i a = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(row + x)));
        const __m512i b = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(near + x)));
        _mm512_storeu_si512(sums + 1 + x, _mm512_add_epi16(_mm512_add_epi16(a, _mm512_add_epi16(a, a)), b));
    }
    spread(out, sums, n, 8, 7, 4);
}

AVX512 void mmc4_baseline_widen_row(uint8_t *out, const uint8_t *row, int n, uint16_t *sums) {
    int x;
    for (x = 0; x < n; x += 32)
        _mm512_storeu_si512(sums + 1 + x, _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(row + x))));
    spread(out, sums, n, 1, 2, 2);
}

// words gives 32 samples as numbers.
STEP __m512i words(const uint8_t *at) { return _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)at)); }

// colours makes 32 pixels: 1.402, 1.772, -0.34414 and -0.71414 with 16 fraction bits, whole parts apart.
STEP void colours(__m512i out[3], const uint8_t *y, const uint8_t *cb, const uint8_t *cr) {
    const __m512i one = _mm512_set1_epi16(1), half = _mm512_set1_epi32(1 << 15), middle = _mm512_set1_epi16(128);
    const __m512i light = words(y), u = _mm512_sub_epi16(words(cb), middle), v = _mm512_sub_epi16(words(cr), middle);
    const __m512i u2 = _mm512_add_epi16(u, u), v2 = _mm512_add_epi16(v, v);
    const __m512i red = _mm512_srai_epi16(_mm512_add_epi16(_mm512_mulhi_epi16(v2, _mm512_set1_epi16(91881 - 65536)), one), 1);
    const __m512i blue = _mm512_srai_epi16(_mm512_add_epi16(_mm512_mulhi_epi16(u2, _mm512_set1_epi16(116130 - 2 * 65536)), one), 1);
    const __m512i low = _mm512_dpwssd_epi32(half, _mm512_unpacklo_epi16(u, v), two(-22554, 65536 - 46802));
    const __m512i high = _mm512_dpwssd_epi32(half, _mm512_unpackhi_epi16(u, v), two(-22554, 65536 - 46802));
    const __m512i green = _mm512_packs_epi32(_mm512_srai_epi32(low, 16), _mm512_srai_epi32(high, 16));
    out[0] = _mm512_add_epi16(light, _mm512_add_epi16(v, red));
    out[1] = _mm512_add_epi16(light, _mm512_sub_epi16(green, v));
    out[2] = _mm512_add_epi16(light, _mm512_add_epi16(u2, blue));
}

AVX512 void mmc4_baseline_rgb(uint8_t *rgb, const uint8_t *y, const uint8_t *cb, const uint8_t *cr, int n) {
    // Of byte i of 192 of 64 pixels: where packing left the red, green (64 more) or blue sample of pixel i / 3. Packing leaves eight
    // pixels of the first half and eight of the second in every quarter.
    static const uint8_t from[3][64] __attribute__((aligned(64))) = {
        {0, 64, 0, 1, 65, 1, 2, 66, 2, 3, 67, 3, 4, 68, 4, 5, 69, 5, 6, 70, 6, 7, 71, 7, 16, 80, 16, 17, 81, 17, 18, 82,
         18, 19, 83, 19, 20, 84, 20, 21, 85, 21, 22, 86, 22, 23, 87, 23, 32, 96, 32, 33, 97, 33, 34, 98, 34, 35, 99, 35, 36, 100, 36, 37},
        {101, 37, 38, 102, 38, 39, 103, 39, 48, 112, 48, 49, 113, 49, 50, 114, 50, 51, 115, 51, 52, 116, 52, 53, 117, 53, 54, 118, 54, 55, 119, 55,
         8, 72, 8, 9, 73, 9, 10, 74, 10, 11, 75, 11, 12, 76, 12, 13, 77, 13, 14, 78, 14, 15, 79, 15, 24, 88, 24, 25, 89, 25, 26, 90},
        {26, 27, 91, 27, 28, 92, 28, 29, 93, 29, 30, 94, 30, 31, 95, 31, 40, 104, 40, 41, 105, 41, 42, 106, 42, 43, 107, 43, 44, 108, 44, 45,
         109, 45, 46, 110, 46, 47, 111, 47, 56, 120, 56, 57, 121, 57, 58, 122, 58, 59, 123, 59, 60, 124, 60, 61, 125, 61, 62, 126, 62, 63, 127, 63}};
    static const __mmask64 blue[3] = {0x4924924924924924, 0x2492492492492492, 0x9249249249249249};
    __m512i pick[3];
    int x, i, part;
    for (part = 0; part < 3; part++) pick[part] = _mm512_load_si512(from[part]);
    for (x = 0; x < n; x += 64, rgb += 192) {
        __m512i low[3], high[3];
        colours(low, y + x, cb + x, cr + x);
        colours(high, y + x + 32, cb + x + 32, cr + x + 32);
        for (i = 0; i < 3; i++) low[i] = _mm512_packus_epi16(low[i], high[i]);
        for (part = 0; part < 3; part++) {
            const int rest = 3 * (n - x) - 64 * part;
            const __mmask64 there = rest >= 64 ? ~(__mmask64)0 : rest > 0 ? ~(__mmask64)0 >> (64 - rest) : 0;
            const __m512i two_bands = _mm512_permutex2var_epi8(low[0], pick[part], low[1]);
            _mm512_mask_storeu_epi8(rgb + 64 * part, there, _mm512_mask_permutexvar_epi8(two_bands, blue[part], pick[part], low[2]));
        }
    }
}
#endif
