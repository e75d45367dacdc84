// The headers and codes of baseline JPEG (ITU-T T.81, annexes B and F).
#if defined(__x86_64__)
#include <string.h>

#include "baseline_impl.h"

static const uint8_t zigzag[64] = {0,  1,  8,  16, 9,  2,  3,  10, 17, 24, 32, 25, 18, 11, 4,  5,  12, 19, 26, 33, 40, 48,
                                   41, 34, 27, 20, 13, 6,  7,  14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23,
                                   30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63};

// entry is what huffman.fast says of a symbol.
static inline uint32_t entry(int length, int symbol, int is_dc) {
    const int bits = symbol & 15, ends = symbol == 0 && !is_dc;
    return length << 18 | (63 - bits) << 12 | (ends ? 0 : (symbol >> 4) + 1) << 6 | (length + bits);
}

// build makes a table of the 16 counts and the symbols of a DHT segment; it returns how many bytes they are, 0 for a bad table.
static size_t build(huffman *h, const uint8_t *spec, size_t size, int is_dc) {
    int length, i, n = 0, total = 0, code = 0;
    if (size < 16) return 0;
    for (i = 0; i < 16; i++) total += spec[i];
    if (total > 256 || size < 16 + (size_t)total) return 0;
    memset(h, 0, sizeof *h);
    memcpy(h->symbols, spec + 16, total);
    for (length = 1; length <= 16; length++, code <<= 1) {
        h->at[length] = n - code;
        for (i = 0; i < spec[length - 1]; i++, n++, code++) {
            const int symbol = h->symbols[n], rest = LOOKUP - length;
            const uint32_t e = entry(length, symbol, is_dc);
            int k;
            if (code >= (1 << length) - 1) return 0;  // no code may be all ones
            if (is_dc ? symbol > 11 : !(symbol & 15) && symbol && symbol != 0xF0) return 0;
            for (k = 0; rest >= 0 && k < 1 << rest; k++) h->fast[(code << rest) + k] = e;
        }
        h->beyond[length] = code << (16 - length);
    }
    h->beyond[17] = 1 << 16;
    h->there = 1;
    return 16 + total;
}

static int quantities(int16_t tables[4][64], int *there, const uint8_t *at, size_t size) {
    int i;
    for (; size >= 65 && at[0] < 4; at += 65, size -= 65) {
        for (i = 0; i < 64; i++) tables[at[0]][i] = at[1 + i];
        *there |= 1 << at[0];
    }
    return size == 0;
}

static int codes(frame *f, const uint8_t *at, size_t size) {
    while (size > 0) {
        const int is_dc = at[0] < 16;
        size_t n;
        if ((at[0] & 15) > 1 || at[0] > 17) return 0;
        n = build(is_dc ? &f->dc[at[0]] : &f->ac[at[0] & 15], at + 1, size - 1, is_dc);
        if (n == 0) return 0;
        at += 1 + n, size -= 1 + n;
    }
    return 1;
}

size_t mmc4_baseline_headers(frame *f, const uint8_t *data, size_t size) {
    static const uint8_t pair[8] = {0, 2, 1, 2, 0, 3, 1, 3}, half[8] = {0, 0, 0, 1, 1, 0, 1, 1};  // of a row
    int16_t tables[4][64];
    int there = 0, jfif = 0, c, k, quant_of[3] = {0};
    uint8_t ids[3] = {0};
    size_t at = 2;
    for (k = 0; k < 64; k++) f->place[k] = pair[zigzag[k] >> 3] * 32 + (zigzag[k] & 7) * 2 + half[zigzag[k] >> 3];
    f->width = f->dc[0].there = f->dc[1].there = f->ac[0].there = f->ac[1].there = 0;
    for (;;) {
        const uint8_t *body;
        size_t length;
        int marker;
        if (at + 4 > size || data[at] != 0xFF) return 0;
        marker = data[at + 1], length = data[at + 2] << 8 | data[at + 3], body = data + at + 4;
        if (length < 2 || at + 2 + length > size) return 0;
        at += 2 + length, length -= 2;
        switch (marker) {
        case 0xE0:
            if (length >= 5 && !memcmp(body, "JFIF", 5)) jfif = length >= 14;
            break;
        case 0xEE:
            if (length >= 12 && !memcmp(body, "Adobe", 5) && body[11] != 1) return 0;
            break;
        case 0xDB:
            if (!quantities(tables, &there, body, length)) return 0;
            break;
        case 0xC4:
            if (!codes(f, body, length)) return 0;
            break;
        case 0xC0:
        case 0xC1:
            if (f->width || length != 15 || body[0] != 8 || body[5] != 3) return 0;
            f->height = body[1] << 8 | body[2], f->width = body[3] << 8 | body[4];
            f->across = body[7] >> 4, f->down = body[7] & 15;
            if (body[10] != 0x11 || body[13] != 0x11 || f->across > 2 || f->down > f->across || f->across < 1 || f->down < 1) return 0;
            for (c = 0; c < 3; c++) {
                ids[c] = body[6 + 3 * c];
                if ((quant_of[c] = body[8 + 3 * c]) > 3) return 0;
            }
            if (!jfif && (ids[0] != 1 || ids[1] != 2 || ids[2] != 3)) return 0;  // it may be RGB
            break;
        case 0xDA:
            if (!f->width || !f->height || length != 10 || body[0] != 3 || body[7] != 0 || body[8] != 63 || body[9] != 0) return 0;
            for (c = 0; c < 3; c++) {
                f->dc_of[c] = body[2 + 2 * c] >> 4, f->ac_of[c] = body[2 + 2 * c] & 15;
                if (body[1 + 2 * c] != ids[c] || f->dc_of[c] > 1 || f->ac_of[c] > 1) return 0;
                if (!f->dc[f->dc_of[c]].there || !f->ac[f->ac_of[c]].there || !(there >> quant_of[c] & 1)) return 0;
                for (k = 0; k < 64; k++) {
                    int16_t *to = &(c == 0 ? &f->luma : &f->chroma)->pairs[0][0][0][0] + f->place[k];
                    if (c < 2) to[0] = tables[quant_of[c]][k];
                    if (c != 1) to[16] = tables[quant_of[c]][k];
                }
            }
            return at;
        default:
            if (marker != 0xFE && (marker & 0xF0) != 0xE0) return 0;  // neither comment nor application data
        }
    }
}

// refill makes at least 56 bits ready.
BMI static inline void refill(reader *r) {
    uint64_t more;
    memcpy(&more, r->at, 8);
    r->bits |= __builtin_bswap64(more) >> r->left;
    r->at += (63 - r->left) >> 3;
    r->left |= 56;
}

// lookup gives the entry of the next code, long ones too; 0 for none.
BMI static inline uint32_t lookup(const reader *r, const huffman *h, int is_dc) {
    const uint32_t e = h->fast[r->bits >> (64 - LOOKUP)];
    const int code = r->bits >> 48;
    int length = LOOKUP + 1;
    if (__builtin_expect(e != 0, 1)) return e;
    while (length <= 16 && code >= h->beyond[length]) length++;
    return length > 16 ? 0 : entry(length, h->symbols[((code >> (16 - length)) + h->at[length]) & 255], is_dc);
}

// take gives the value after a code, and is done with both. What decides on the next code is their length alone.
BMI static inline int take(reader *r, uint32_t e) {
    const uint64_t x = r->bits << (e >> 18 & 63);
    const int64_t sign = ~((int64_t)x >> 63);  // a value that begins with 0 is negative, its bits turned round
    const int64_t v = (x ^ sign) >> 1 >> (e >> 12 & 63);
    r->bits <<= e & 63, r->left -= e & 63;
    return (v ^ sign) - sign;
}

BMI int mmc4_baseline_block(reader *reading, const frame *f, int c, int *dc, blocks *to, int which) {
    const huffman *h = &f->ac[f->ac_of[c]];
    int16_t *out = &to->pairs[0][which][0][0];
    reader r = *reading;
    uint32_t e, k = 1;
    refill(&r);
    if (!(e = lookup(&r, &f->dc[f->dc_of[c]], 1))) return -1;
    *dc += take(&r, e);
    out[0] = *dc;
    do {
        int v;
        if (r.left < 31) refill(&r);  // a code and its value
        if (!(e = lookup(&r, h, 0))) return -1;
        v = take(&r, e);
        if (!(e >> 6 & 63)) break;
        k += e >> 6 & 63;
        if (k > 64) return -1;
        out[f->place[k - 1]] = v;
    } while (k < 64);
    *reading = r;
    return *dc < -32767 || *dc > 32767 || r.at - (r.left >> 3) > r.end ? -1 : 0;
}
#endif
