// The two passes of Pillow's resampling on bytes, in fixed point; resize_ref.go is their reference, bit for bit.
#ifndef MMC4_IMAGING_RESAMPLE_H
#define MMC4_IMAGING_RESAMPLE_H

#include <stdint.h>

// What one pass does: outputs sums, sum i over count[i] inputs from first[i] on with weights values[i * taps ...].
typedef struct {
    const int32_t *first, *count, *values;
    int taps, outputs;
} mmc4_weights;

// Which instructions are used: 0 portable C, 1 AVX2, 2 AVX-512 with VNNI, 3 with VBMI too.
int mmc4_resample_level(void);

// dst: rows x (w.outputs * bands) bytes; src: rows x (width * bands) bytes. Returns -1 when memory is short.
int mmc4_resample_rows(int level, uint8_t *dst, const uint8_t *src, int rows, int width, int bands,
                       const int32_t *first, const int32_t *count, const int32_t *values, int taps, int outputs);

// dst: outputs x stride bytes; src: rows of stride bytes. Returns -1 when memory is short.
int mmc4_resample_columns(int level, uint8_t *dst, const uint8_t *src, int stride, const int32_t *first,
                          const int32_t *count, const int32_t *values, int taps, int outputs);

#endif
