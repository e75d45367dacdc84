// Y, Cb and Cr as a JPEG stores them, to packed RGB as libjpeg makes it: smooth ("fancy") enlarging of the chroma, colours in fixed point.
#ifndef MMC4_IMAGING_JPEG_PLANES_H
#define MMC4_IMAGING_JPEG_PLANES_H

#include <stdint.h>

// Y has rows of stride bytes, Cb and Cr have rows of half as many, chroma_width of them samples. Halved: the chroma has half the
// height too (4:2:0), else it is 4:2:2. 64 bytes before and behind each plane may be read.
// dst: the pixels of columns left (even) to right and rows upper to lower; 192 bytes behind them may be written.
// Needs AVX-512 VBMI. Returns -1 when memory is short.
int mmc4_planes_to_rgb(uint8_t *dst, const uint8_t *luma, const uint8_t *cb, const uint8_t *cr, int stride, int chroma_width,
                       int chroma_height, int halved, int left, int upper, int right, int lower);

#endif
