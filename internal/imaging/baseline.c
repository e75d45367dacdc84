// Baseline JPEG, strip by strip: codes, inverse DCT, chroma widened, colours.
#include "baseline.h"

#include <stdlib.h>
#include <string.h>

#include "baseline_impl.h"

#if defined(__x86_64__)
// The samples of two strips of blocks: the one that was decoded last and the one before it, whose last rows want its neighbours.
typedef struct {
    uint8_t *y, *cb, *cr;
    size_t luma, chroma;       // bytes of a row
    uint8_t *wide_cb, *wide_cr;  // a row, widened
    uint16_t *sums;
} samples;

// plain copies entropy-coded bytes up to the next marker without the zeros stuffed after 0xFF; it returns their number, or -1
// where that marker does not end the picture.
static ptrdiff_t plain(uint8_t *to, const uint8_t *at, const uint8_t *end) {
    uint8_t *out = to;
    for (;;) {
        const uint8_t *mark = memchr(at, 0xFF, end - at);
        if (!mark || mark + 1 == end) return -1;
        memcpy(out, at, mark - at);
        out += mark - at, at = mark + 2;
        if (mark[1] != 0) return mark[1] == 0xD9 ? out - to : -1;
        *out++ = 0xFF;
    }
}

static void put(uint8_t *to, size_t stride, const uint8_t made[8][16], int from, int n) {
    int y;
    for (y = 0; y < 8; y++) memcpy(to + y * stride, made[y] + from, n);
}

// strip decodes one row of blocks of all components.
static int strip(reader *r, const frame *f, int *dc, const samples *s, int number, int across) {
    const int ring = number & 1;
    uint8_t *y = s->y + (size_t)ring * 8 * f->down * s->luma;
    const size_t chroma = (size_t)ring * 8 * s->chroma;
    uint8_t made[8][16] __attribute__((aligned(64)));
    blocks b;
    int m, v, h;
    for (m = 0; m < across; m++) {
        for (v = 0; v < f->down; v++) {
            memset(&b, 0, sizeof b);
            for (h = 0; h < f->across; h++)
                if (mmc4_baseline_block(r, f, 0, &dc[0], &b, h)) return -1;
            if (mmc4_baseline_dct(made, &b, &f->luma)) return -1;
            put(y + 8 * v * s->luma + 8 * f->across * m, s->luma, made, 0, 8 * f->across);
        }
        memset(&b, 0, sizeof b);
        if (mmc4_baseline_block(r, f, 1, &dc[1], &b, 0) || mmc4_baseline_block(r, f, 2, &dc[2], &b, 1)) return -1;
        if (mmc4_baseline_dct(made, &b, &f->chroma)) return -1;
        put(s->cb + chroma + 8 * m, s->chroma, made, 0, 8);
        put(s->cr + chroma + 8 * m, s->chroma, made, 8, 8);
    }
    return 0;
}

// finish makes row y of the picture.
static void finish(uint8_t *pixels, const frame *f, const samples *s, int y) {
    const int n = (f->width + f->across - 1) / f->across, last = (f->height + f->down - 1) / f->down - 1;
    const int row = y / f->down, next = y % 2 ? row + 1 : row - 1, near = next < 0 ? 0 : next > last ? last : next;
    const size_t here = (size_t)(row % 16) * s->chroma, there = (size_t)(near % 16) * s->chroma;
    const uint8_t *cb = s->cb + here, *cr = s->cr + here;
    if (f->down == 2) {
        mmc4_baseline_widen(s->wide_cb, cb, s->cb + there, n, s->sums);
        mmc4_baseline_widen(s->wide_cr, cr, s->cr + there, n, s->sums);
    } else if (f->across == 2) {
        mmc4_baseline_widen_row(s->wide_cb, cb, n, s->sums);
        mmc4_baseline_widen_row(s->wide_cr, cr, n, s->sums);
    }
    if (f->across == 2) cb = s->wide_cb, cr = s->wide_cr;
    mmc4_baseline_rgb(pixels + (size_t)y * 3 * f->width, s->y + (size_t)(y % (16 * f->down)) * s->luma, cb, cr, f->width);
}

int mmc4_baseline_decode(const uint8_t *data, size_t size, uint8_t *pixels, int width, int height) {
    frame f;
    samples s;
    reader r = {0};
    uint8_t *memory, *codes;
    int dc[3] = {0}, across, strips, i, y = 0, failed = 0;
    ptrdiff_t n;
    size_t at = mmc4_baseline_headers(&f, data, size);
    if (at == 0 || f.width != width || f.height != height) return -1;
    if (f.across == 2 && width <= 4) return -1;  // libjpeg does not smooth so few
    across = (width + 8 * f.across - 1) / (8 * f.across), strips = (height + 8 * f.down - 1) / (8 * f.down);
    s.luma = (size_t)across * 8 * f.across + 64, s.chroma = (size_t)across * 8 + 64;
    memory = malloc(16 * f.down * s.luma + 32 * s.chroma + 6 * s.luma + size - at + BLOCK_ROOM);
    if (!memory) return -1;
    s.y = memory, s.cb = s.y + 16 * f.down * s.luma, s.cr = s.cb + 16 * s.chroma;
    s.wide_cb = s.cr + 16 * s.chroma, s.wide_cr = s.wide_cb + 2 * s.luma, s.sums = (uint16_t *)(s.wide_cr + 2 * s.luma);
    codes = s.wide_cr + 4 * s.luma;
    n = plain(codes, data + at, data + size);
    if (n >= 0) {
        memset(codes + n, 0, BLOCK_ROOM);
        r.at = codes, r.end = codes + n;
    }
    for (i = 0; n >= 0 && !failed && i < strips; i++) {
        const int whole = 8 * f.down * (i + 1), ready = i + 1 == strips ? height : whole - (f.down - 1);
        failed = strip(&r, &f, dc, &s, i, across);
        for (; !failed && y < ready; y++) finish(pixels, &f, &s, y);
    }
    if (n < 0 || (r.end - r.at) * 8 + r.left > 7) failed = -1;  // bytes that nothing used
    free(memory);
    return failed;
}
#else
int mmc4_baseline_decode(const uint8_t *data, size_t size, uint8_t *pixels, int width, int height) { return -1; }
#endif
