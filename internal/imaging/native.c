// Loads libturbojpeg.so.0 and libwebp.so.7 at run time and calls them. Nothing of them is needed to compile or link.
#define _GNU_SOURCE
#include "native.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>

enum {  // from turbojpeg.h, which promises never to change them
    flag_noRealloc = 1024,
    flag_accurateDCT = 4096,
    flag_limitScans = 32768,
    subsampling_420 = 2,
    colourspace_ycbcr = 1,
    error_warning = 0,
};

static struct {
    void *(*init_decompress)(void);
    void *(*init_compress)(void);
    int (*decompress)(void *, const unsigned char *, unsigned long, unsigned char *, int, int, int, int, int);
    int (*header)(void *, const unsigned char *, unsigned long, int *, int *, int *, int *);
    int (*planes)(void *, const unsigned char *, unsigned long, unsigned char **, int, int *, int, int);
    int (*compress)(void *, const unsigned char *, int, int, int, int, unsigned char **, unsigned long *, int, int, int);
    unsigned long (*bound)(int, int, int);
    int (*destroy)(void *);
    char *(*error_text)(void *);
    int (*error_code)(void *);
} tj;

static struct {
    uint8_t *(*rgb)(const uint8_t *, size_t, uint8_t *, size_t, int);
    uint8_t *(*rgba)(const uint8_t *, size_t, uint8_t *, size_t, int);
    int (*version)(void);
} webp;

static void *open_library(const char *name, char *path, size_t path_size, char *why, size_t why_size) {
    void *library = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    struct link_map *map;
    if (!library) {
        snprintf(why, why_size, "%s", dlerror());
        return NULL;
    }
    if (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0) snprintf(path, path_size, "%s", map->l_name);
    return library;
}

static int find(void *library, const char *name, void *target, char *why, size_t why_size) {
    void *symbol = dlsym(library, name);
    if (!symbol) {
        snprintf(why, why_size, "%s", dlerror());
        return -1;
    }
    memcpy(target, &symbol, sizeof symbol);
    return 0;
}

int mmc4_load_jpeg(char *path, size_t path_size, char *why, size_t why_size) {
    void *library = open_library("libturbojpeg.so.0", path, path_size, why, why_size);
    if (!library) return -1;
    if (find(library, "tjInitDecompress", &tj.init_decompress, why, why_size)) return -1;
    if (find(library, "tjInitCompress", &tj.init_compress, why, why_size)) return -1;
    if (find(library, "tjDecompress2", &tj.decompress, why, why_size)) return -1;
    if (find(library, "tjDecompressHeader3", &tj.header, why, why_size)) return -1;
    if (find(library, "tjDecompressToYUVPlanes", &tj.planes, why, why_size)) return -1;
    if (find(library, "tjCompress2", &tj.compress, why, why_size)) return -1;
    if (find(library, "tjBufSize", &tj.bound, why, why_size)) return -1;
    if (find(library, "tjDestroy", &tj.destroy, why, why_size)) return -1;
    if (find(library, "tjGetErrorStr2", &tj.error_text, why, why_size)) return -1;
    return find(library, "tjGetErrorCode", &tj.error_code, why, why_size);
}

int mmc4_load_webp(char *path, size_t path_size, char *why, size_t why_size, int *version) {
    void *library = open_library("libwebp.so.7", path, path_size, why, why_size);
    if (!library) return -1;
    if (find(library, "WebPDecodeRGBInto", &webp.rgb, why, why_size)) return -1;
    if (find(library, "WebPDecodeRGBAInto", &webp.rgba, why, why_size)) return -1;
    if (find(library, "WebPGetDecoderVersion", &webp.version, why, why_size)) return -1;
    *version = webp.version();
    return 0;
}

// only_warned says whether the last call produced the whole picture. TurboJPEG reports "a warning was given" also when a
// fatal error followed; the text is then the error's, else it is the first warning's.
static int only_warned(void *handle) {
    static const char *const warnings[] = {
        "Corrupt JPEG data",  "Premature end of JPEG file", "Inconsistent progression sequence",
        "Invalid SOS parameters for sequential", "Unknown Adobe color transform", "Warning: unknown JFIF",
        "Application transferred too many",
    };
    const char *text = tj.error_text(handle);
    size_t i;
    if (tj.error_code(handle) != error_warning) return 0;
    for (i = 0; i < sizeof warnings / sizeof *warnings; i++)
        if (!strncmp(text, warnings[i], strlen(warnings[i]))) return 1;
    return 0;
}

// finish closes the handle of a decoding that said failed.
static int finish(void *handle, int failed, char *why, size_t why_size) {
    if (failed && only_warned(handle)) failed = 0;
    if (failed) snprintf(why, why_size, "%s", tj.error_text(handle));
    tj.destroy(handle);
    return failed ? -1 : 0;
}

int mmc4_jpeg_decode(const uint8_t *data, size_t size, uint8_t *pixels, int width, int height, int format, int bands,
                     char *why, size_t why_size) {
    void *handle = tj.init_decompress();
    if (!handle) {
        snprintf(why, why_size, "no memory");
        return -1;
    }
    return finish(handle,
                  tj.decompress(handle, data, size, pixels, width, width * bands, height, format,
                                flag_accurateDCT | flag_limitScans),
                  why, why_size);
}

int mmc4_jpeg_chroma(const uint8_t *data, size_t size) {
    void *handle = tj.init_decompress();
    int width, height, subsampling = MMC4_OTHER, colourspace, failed;
    if (!handle) return MMC4_OTHER;
    failed = tj.header(handle, data, size, &width, &height, &subsampling, &colourspace);
    tj.destroy(handle);
    if (failed || colourspace != colourspace_ycbcr || (subsampling != MMC4_422 && subsampling != MMC4_420)) return MMC4_OTHER;
    return subsampling;
}

int mmc4_jpeg_planes(const uint8_t *data, size_t size, uint8_t *y, uint8_t *cb, uint8_t *cr, int width, int height, int stride,
                     char *why, size_t why_size) {
    void *handle = tj.init_decompress();
    unsigned char *planes[3] = {y, cb, cr};
    int strides[3] = {stride, stride / 2, stride / 2};
    if (!handle) {
        snprintf(why, why_size, "no memory");
        return -1;
    }
    return finish(handle, tj.planes(handle, data, size, planes, width, strides, height, flag_accurateDCT | flag_limitScans), why, why_size);
}

size_t mmc4_jpeg_bound(int width, int height) { return tj.bound(width, height, subsampling_420); }

int mmc4_jpeg_encode(const uint8_t *rgb, int width, int height, int quality, uint8_t *out, size_t *size, char *why,
                     size_t why_size) {
    void *handle = tj.init_compress();
    unsigned long length = *size;
    unsigned char *target = out;
    int failed;
    if (!handle) {
        snprintf(why, why_size, "no memory");
        return -1;
    }
    failed = tj.compress(handle, rgb, width, 3 * width, height, MMC4_RGB, &target, &length, subsampling_420, quality,
                         flag_accurateDCT | flag_noRealloc);
    if (failed) snprintf(why, why_size, "%s", tj.error_text(handle));
    *size = length;
    tj.destroy(handle);
    return failed;
}

int mmc4_webp_decode(const uint8_t *data, size_t size, uint8_t *pixels, int width, int height, int bands) {
    uint8_t *(*decode)(const uint8_t *, size_t, uint8_t *, size_t, int) = bands == 4 ? webp.rgba : webp.rgb;
    return decode(data, size, pixels, (size_t)width * height * bands, width * bands) ? 0 : -1;
}
