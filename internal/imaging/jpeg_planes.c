// Chroma of half the width, enlarged and made RGB with AVX-512 VBMI, equal in every bit to libjpeg-turbo (its jdsample.c and jdcolor.c tell the
// rules): a chroma sample is 3/4 of the nearer and 1/4 of the farther one in each direction; edges are repeated. Even and odd
// columns stay apart, in lanes of 16 bits, until the colours are there.
#include "jpeg_planes.h"

#if defined(__x86_64__)
#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#define VBMI static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512vl,avx512vbmi")))

// near_rows gives sums[k+1] = 3 * near[k] + far[k] of columns from - 1 up to to, with the edges repeated.
VBMI void near_rows(int16_t *sums, const uint8_t *near, const uint8_t *far, int from, int to, int width) {
    int k;
    for (k = from - 1; k <= to; k += 32) {
        const __m512i n = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(near + k)));
        const __m512i f = _mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)(far + k)));
        _mm512_storeu_si512(sums + k + 1, _mm512_add_epi16(_mm512_add_epi16(n, f), _mm512_slli_epi16(n, 1)));
    }
    if (from == 0) sums[0] = sums[1];
    if (to == width) sums[width + 1] = sums[width];
}

// enlarge gives chroma - 128 of the even and the odd columns of 32 samples.
VBMI void enlarge(__m512i chroma[2], const int16_t *sums, const __m512i round[2]) {
    const __m512i before = _mm512_loadu_si512(sums), here = _mm512_loadu_si512(sums + 1), after = _mm512_loadu_si512(sums + 2);
    const __m512i three = _mm512_add_epi16(here, _mm512_slli_epi16(here, 1));
    chroma[0] = _mm512_srai_epi16(_mm512_add_epi16(_mm512_add_epi16(three, before), round[0]), 4);
    chroma[1] = _mm512_srai_epi16(_mm512_add_epi16(_mm512_add_epi16(three, after), round[1]), 4);
}

// times is x * factor / 65536, rounded; 2x and the factor have to fit into 16 bits.
VBMI __m512i times(__m512i twice, int factor) {
    const __m512i one = _mm512_set1_epi16(1);
    return _mm512_srai_epi16(_mm512_add_epi16(_mm512_mulhi_epi16(twice, _mm512_set1_epi16(factor)), one), 1);
}

// colours: R = Y + 1.402 Cr, G = Y - 0.34414 Cb - 0.71414 Cr, B = Y + 1.772 Cb, with 16 bits of fraction; not clipped.
VBMI void colours(__m512i rgb[3], __m512i y, __m512i cb, __m512i cr) {
    const __m512i cb2 = _mm512_slli_epi16(cb, 1), cr2 = _mm512_slli_epi16(cr, 1);
    const __m512i factors = _mm512_set1_epi32((65536 - 46802) << 16 | (-22554 & 0xffff)), half = _mm512_set1_epi32(1 << 15);
    const __m512i low = _mm512_madd_epi16(_mm512_unpacklo_epi16(cb, cr), factors), high = _mm512_madd_epi16(_mm512_unpackhi_epi16(cb, cr), factors);
    const __m512i g = _mm512_packs_epi32(_mm512_srai_epi32(_mm512_add_epi32(low, half), 16), _mm512_srai_epi32(_mm512_add_epi32(high, half), 16));
    rgb[0] = _mm512_add_epi16(_mm512_add_epi16(y, cr), times(cr2, 91881 - 65536));
    rgb[1] = _mm512_add_epi16(_mm512_sub_epi16(y, cr), g);
    rgb[2] = _mm512_add_epi16(_mm512_add_epi16(y, cb2), times(cb2, 116130 - 131072));
}

// Where in 64 packed bytes of each colour the bytes of 64 pixels lie: packing leaves eight even and then eight odd columns in every quarter.
typedef struct {
    __m512i red_green[3], blue[3];
    __mmask64 blues[3];
} order;

VBMI void arrange(order *o) {
    uint8_t red_green[3][64], blue[3][64];
    int i;
    memset(o->blues, 0, sizeof o->blues);
    for (i = 0; i < 192; i++) {
        const int pixel = i / 3, colour = i % 3, at = pixel / 16 * 16 + pixel % 2 * 8 + pixel / 2 % 8;
        red_green[i / 64][i % 64] = colour == 1 ? 64 + at : at;
        blue[i / 64][i % 64] = at;
        o->blues[i / 64] |= (__mmask64)(colour == 2) << i % 64;
    }
    for (i = 0; i < 3; i++) {
        o->red_green[i] = _mm512_loadu_si512(red_green[i]);
        o->blue[i] = _mm512_loadu_si512(blue[i]);
    }
}

// pixels makes 64 pixels.
VBMI void pixels(uint8_t *dst, const uint8_t *y, const int16_t *cb_sums, const int16_t *cr_sums, const __m512i round[2], const order *o) {
    const __m512i luma = _mm512_loadu_si512(y);
    __m512i cb[2], cr[2], even[3], odd[3], packed[3];
    int i;
    enlarge(cb, cb_sums, round);
    enlarge(cr, cr_sums, round);
    colours(even, _mm512_and_si512(luma, _mm512_set1_epi16(255)), cb[0], cr[0]);
    colours(odd, _mm512_srli_epi16(luma, 8), cb[1], cr[1]);
    for (i = 0; i < 3; i++) packed[i] = _mm512_packus_epi16(even[i], odd[i]);
    for (i = 0; i < 3; i++) {
        const __m512i red_green = _mm512_permutex2var_epi8(packed[0], o->red_green[i], packed[1]);
        _mm512_storeu_si512(dst + 64 * i, _mm512_mask_permutexvar_epi8(red_green, o->blues[i], o->blue[i], packed[2]));
    }
}

__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi")))
int mmc4_planes_to_rgb(uint8_t *dst, const uint8_t *luma, const uint8_t *cb, const uint8_t *cr, int stride, int chroma_width,
                       int chroma_height, int halved, int left, int upper, int right, int lower) {
    const int from = left / 2, to = (right + 1) / 2;
    const __m512i round[2] = {_mm512_set1_epi16((halved ? 8 : 4) - 16 * 128), _mm512_set1_epi16((halved ? 7 : 8) - 16 * 128)};
    const size_t room = chroma_width + 2 + 32;
    int16_t *cb_sums = malloc(2 * room * sizeof *cb_sums), *cr_sums = cb_sums + room;
    int x, y;
    order o;
    if (!cb_sums) return -1;
    arrange(&o);
    for (y = upper; y < lower; y++, dst += 3 * (right - left)) {
        int near = y, far = y;
        if (halved) {
            near = y / 2, far = y % 2 ? near + 1 : near - 1;
            if (far < 0 || far >= chroma_height) far = near;
        }
        near_rows(cb_sums, cb + (size_t)near * (stride / 2), cb + (size_t)far * (stride / 2), from, to, chroma_width);
        near_rows(cr_sums, cr + (size_t)near * (stride / 2), cr + (size_t)far * (stride / 2), from, to, chroma_width);
        for (x = left; x < right; x += 64)  // what goes beyond the row's end is the next row's place
            pixels(dst + 3 * (x - left), luma + (size_t)y * stride + x, cb_sums + x / 2, cr_sums + x / 2, round, &o);
    }
    free(cb_sums);
    return 0;
}
#else
int mmc4_planes_to_rgb(uint8_t *dst, const uint8_t *luma, const uint8_t *cb, const uint8_t *cr, int stride, int chroma_width,
                       int chroma_height, int halved, int left, int upper, int right, int lower) {
    return -1;  // nobody asks
}
#endif
