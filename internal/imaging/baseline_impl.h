// What the files of the baseline decoder share.
#ifndef MMC4_IMAGING_BASELINE_IMPL_H
#define MMC4_IMAGING_BASELINE_IMPL_H

#include "baseline.h"

// Only such processors come here.
#define BMI __attribute__((target("bmi,bmi2,movbe")))

enum {
    LOOKUP = 10,        // bits that find a code at once
    BLOCK_ROOM = 320,   // more bytes than a block's codes can take
    LARGEST_SUM = 5800, // of a block's coefficients in absolute value: below it no 16-bit step of any DCT overflows
};

// A Huffman table. fast tells, by the next LOOKUP bits, what a code means: bits 0..5 how long code and value are, 6..11 how far the
// code goes on in the block (0 ends it), 12..17 63 less the length of the value, 18..23 how long the code is. 0: the code is longer.
typedef struct {
    uint32_t fast[1 << LOOKUP];
    int32_t beyond[18];  // of each length: the first code of 16 bits that is longer
    int32_t at[17];      // of each length: what leads from a code to its symbol
    uint8_t symbols[256];
    int there;
} huffman;

// Coefficients of two blocks side by side, as the DCT takes them: rows 0 and 4, 2 and 6, 1 and 3, 5 and 7 in pairs.
typedef struct {
    int16_t pairs[4][2][8][2];  // [pair of rows][block][column][row of the pair]
} __attribute__((aligned(64))) blocks;

typedef struct {
    int width, height;
    int across, down;  // luma samples of a chroma sample: 1 1, 2 1 or 2 2
    blocks luma, chroma;  // the steps, of two luma blocks, of one of each chroma
    huffman dc[2], ac[2];
    int dc_of[3], ac_of[3];
    uint8_t place[64];  // of a coefficient, in the order of the file, within the first of two blocks
} frame;

// The entropy-coded bytes without stuffing, followed by BLOCK_ROOM zeros.
typedef struct {
    const uint8_t *at, *end;
    uint64_t bits;  // the next ones on top
    int left;       // how many of them are there
} reader;

// Reads the headers; returns where the entropy-coded data begin, 0 where the file is not for us.
size_t mmc4_baseline_headers(frame *f, const uint8_t *data, size_t size);

// Reads a block of component c; which says the block of the two. Returns -1 on a code that there is not.
int mmc4_baseline_block(reader *r, const frame *f, int c, int *dc, blocks *to, int which);

// Pixels of both blocks: 8 rows of 8 bytes and 8 bytes. quant are the two blocks' steps. Returns -1 where a block may overflow.
int mmc4_baseline_dct(uint8_t out[8][16], const blocks *b, const blocks *quant);

// Widens a row of n chroma samples to 2 n, from it and the row that is nearer (the row itself where rows are not widened); sums
// are n + 66 numbers of scratch. Both rows may be read, out written 64 bytes beyond the end.
void mmc4_baseline_widen(uint8_t *out, const uint8_t *row, const uint8_t *near, int n, uint16_t *sums);
void mmc4_baseline_widen_row(uint8_t *out, const uint8_t *row, int n, uint16_t *sums);

// A row of n pixels; y, cb and cr may be read 64 bytes beyond the end.
void mmc4_baseline_rgb(uint8_t *rgb, const uint8_t *y, const uint8_t *cb, const uint8_t *cr, int n);

#endif
