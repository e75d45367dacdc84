// Baseline JPEG on processors with AVX-512 VNNI and VBMI: the pixels that libjpeg-turbo makes (accurate DCT, smooth chroma), in
// three quarters of its time. What is unusual or damaged is left to libjpeg-turbo; both agree bit for bit on the rest.
#ifndef MMC4_IMAGING_BASELINE_H
#define MMC4_IMAGING_BASELINE_H

#include <stddef.h>
#include <stdint.h>

// Writes RGB, rows of 3 * width bytes. Returns 0, or -1 where libjpeg-turbo is to decode; pixels are then of any value.
int mmc4_baseline_decode(const uint8_t *data, size_t size, uint8_t *pixels, int width, int height);

#endif
