// The functions of a gemm_kind that differ between instruction sets only in the size of their tiles. Included after
// HEIGHT, WIDTH, HEIGHT_I8, fetching_f32 and fetching_i8.

static void pack_b(void *to, const void *b, int type, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1) {
  pack_b_f32(to, b, type, row, col, n, k, p0, p1, WIDTH);
}
static void pack_a(void *to, float *scales, const struct gemm *g, int64_t m0, int64_t m1, int64_t k0, int64_t k1) {
  pack_a_f32(to, g, m0, m1, k0, k1, HEIGHT, 0);
}
static void pack_a_rounded(void *to, float *scales, const struct gemm *g, int64_t m0, int64_t m1, int64_t k0, int64_t k1) {
  pack_a_f32(to, g, m0, m1, k0, k1, HEIGHT, 1);
}
static void pack_b_int8(void *to, const void *b, int type, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1) {
  pack_b_i8(to, b, row, n, k, p0, p1, WIDTH);
}
static void pack_a_int8(void *to, float *scales, const struct gemm *g, int64_t m0, int64_t m1, int64_t k0, int64_t k1) {
  pack_a_u8(to, scales, g, m0, m1, HEIGHT_I8);
}

TILES(tiles_f32, HEIGHT, WIDTH, 1, float, float, WIDTH *g->k * 4, fetching_f32, line_f32, NULL)
TILES(tiles_i8, HEIGHT_I8, WIDTH, 4, uint8_t, int8_t, panel_bytes_i8(g->k, WIDTH), fetching_i8, line_i8, scales)
