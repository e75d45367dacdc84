// What this package uses of libjpeg-turbo's TurboJPEG API (libturbojpeg.so.0) and libwebp's decoder (libwebp.so.7),
// loaded at run time. Both interfaces have been stable for many versions; the declarations are our own.
#ifndef MMC4_IMAGING_NATIVE_H
#define MMC4_IMAGING_NATIVE_H

#include <stddef.h>
#include <stdint.h>

enum { MMC4_GREY = 6, MMC4_RGB = 0, MMC4_CMYK = 11 };  // TJPF_*

// Each loads its library once (call under a lock) and returns 0, or leaves the loader's words in why and returns -1.
// path receives the file that was loaded.
int mmc4_load_jpeg(char *path, size_t path_size, char *why, size_t why_size);
int mmc4_load_webp(char *path, size_t path_size, char *why, size_t why_size, int *version);

// Returns 0 when the pixels are there (warnings, such as wrong entropy-coded data, are passed over as Pillow does), else
// -1 with the library's words in why.
int mmc4_jpeg_decode(const uint8_t *data, size_t size, uint8_t *pixels, int width, int height, int format, int bands,
                     char *why, size_t why_size);

// The chroma of a JPEG in YCbCr with MMC4_422 or MMC4_420, else MMC4_OTHER.
enum { MMC4_OTHER = -1, MMC4_422 = 1, MMC4_420 = 2 };  // TJSAMP_*
int mmc4_jpeg_chroma(const uint8_t *data, size_t size);

// As mmc4_jpeg_decode, the planes as they are stored; rows of stride bytes, of the chroma half of them.
int mmc4_jpeg_planes(const uint8_t *data, size_t size, uint8_t *y, uint8_t *cb, uint8_t *cr, int width, int height, int stride,
                     char *why, size_t why_size);

// Upper limit of the bytes of a JPEG with 4:2:0 chroma.
size_t mmc4_jpeg_bound(int width, int height);

// Writes at most *size bytes to out, and the number of them to *size.
int mmc4_jpeg_encode(const uint8_t *rgb, int width, int height, int quality, uint8_t *out, size_t *size, char *why,
                     size_t why_size);

// bands is 3 or 4. Returns 0, or -1.
int mmc4_webp_decode(const uint8_t *data, size_t size, uint8_t *pixels, int width, int height, int bands);

#endif
