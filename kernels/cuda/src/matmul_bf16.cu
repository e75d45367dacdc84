// MatMul on tensor cores: bf16 operands, fp32 sums. A block computes a tile [BM,BN] of Out, a warp of it [WM,WN], in
// fragments of [16,8]. BK of K at a time run through STAGES buffers: while one is multiplied, the next ones arrive.
#include "include/matmul.cuh"
#include "include/tiles.cuh"

enum { BK = 64, STAGES = 3 };

// An operand's rows in memory begin at multiples of 16 bytes. Its tile is [SIDE,BK], or [BK,SIDE] where it is transposed.
template <int SIDE, bool TURNED, int THREADS> DEV void bring_stage(u16 *to, const Matrix &x, i64 from, i64 outer, i64 k0, i64 depth) {
  const u16 *at = (const u16 *)x.at;
  if (TURNED) bring<BK, SIDE, THREADS>(to, at + k0 * x.row + from, x.row, depth - k0, outer - from);
  else bring<SIDE, BK, THREADS>(to, at + from * x.row + k0, x.row, outer - from, depth - k0);
}

template <int BM, int BN, int WM, int WN, bool TURN_A, bool TURN_B> DEV void multiply(const Matrix &a, const Matrix &b, const Epilogue &e, i64 m, i64 n, i64 depth) {
  enum { THREADS = 32 * (BM / WM) * (BN / WN), STAGE = (BM + BN) * BK, SLAB = BN + 8 };
  DYNAMIC_SHARED(u16, stages); // STAGES times A's tile and B's, then fp32 products [BM][SLAB]
  int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, wm = warp % (BM / WM) * WM, wn = warp / (BM / WM) * WN;
  Tile t = tile_of_block<BM, BN>(m, n);
  float sum[WM / 16][WN / 8][4] = {};
  i64 steps = (depth + BK - 1) / BK;
  auto bring_step = [&](i64 step) {
    u16 *stage = stages + step % STAGES * STAGE;
    if (step < steps) {
      bring_stage<BM, TURN_A, THREADS>(stage, a, t.m0, m, step * BK, depth);
      bring_stage<BN, TURN_B, THREADS>(stage + BM * BK, b, t.n0, n, step * BK, depth);
    }
    copy_commit(); // of nothing at the end, so that groups are counted alike
  };
#pragma unroll
  for (int step = 0; step < STAGES - 1; step++) bring_step(step);
  for (i64 step = 0; step < steps; step++) {
    copy_wait<STAGES - 2>();
    __syncthreads(); // the step's stage is there for all, and the one before is read
    bring_step(step + STAGES - 1);
    const u16 *as = stages + step % STAGES * STAGE, *bs = as + BM * BK;
#pragma unroll
    for (int k = 0; k < BK; k += 16) {
      u32 af[WM / 16][4], bf[WN / 16][4];
#pragma unroll
      for (int i = 0; i < WM / 16; i++) TURN_A ? left_turned<BM>(af[i], as, wm + 16 * i, k) : left<BK>(af[i], as, wm + 16 * i, k);
#pragma unroll
      for (int j = 0; j < WN / 16; j++) TURN_B ? right_turned<BN>(bf[j], bs, wn + 16 * j, k) : right<BK>(bf[j], bs, wn + 16 * j, k);
#pragma unroll
      for (int i = 0; i < WM / 16; i++)
#pragma unroll
        for (int j = 0; j < WN / 8; j++) multiply_add(sum[i][j], af[i], &bf[j / 2][j % 2 * 2]);
    }
  }
  copy_wait<0>();
  __syncthreads(); // the stages are read; products go where they were
  float *products = (float *)stages;
#pragma unroll
  for (int i = 0; i < WM / 16; i++)
#pragma unroll
    for (int j = 0; j < WN / 8; j++)
#pragma unroll
      for (int q = 0; q < 4; q++) products[(wm + 16 * i + lane / 4 + q / 2 * 8) * SLAB + wn + 8 * j + lane % 4 * 2 + q % 2] = sum[i][j][q];
  __syncthreads();
  finish_tile<BM, BN, SLAB, THREADS>(e, products, t, m, n);
}

// Letters say how A and B lie: n as [outer,K], t transposed. The tiles of 128 are for products that fill the GPU with them.
#define FOR_LAYOUT(name, turn_a, turn_b)                                                             \
  KERNEL_OF(128, 4) matmul_bf16_64_##name(Matrix a, Matrix b, Epilogue e, i64 m, i64 n, i64 depth) { \
    multiply<64, 64, 32, 32, turn_a, turn_b>(a, b, e, m, n, depth);                                  \
  }                                                                                                  \
  EXPORT_KERNEL(matmul_bf16_64_##name)                                                               \
  KERNEL_OF(128, 2) matmul_bf16_128_##name(Matrix a, Matrix b, Epilogue e, i64 m, i64 n, i64 depth) {\
    multiply<128, 128, 64, 64, turn_a, turn_b>(a, b, e, m, n, depth);                                \
  }                                                                                                  \
  EXPORT_KERNEL(matmul_bf16_128_##name)

FOR_LAYOUT(nn, false, false)
FOR_LAYOUT(nt, false, true)
FOR_LAYOUT(tn, true, false)
FOR_LAYOUT(tt, true, true)

// round_rows makes an operand that tensor cores cannot read into one they can: bf16 [rows,cols] as it lies in memory, with
// rows of `width` elements, a multiple of 8.
KERNEL(256) round_rows(Matrix x, u16 *to, i64 rows, i64 cols, i64 width) {
  Vec from = {x.at, x.row, x.type, 0}, out = {to, width, BF16, 0};
  EACH8(i, rows * width) {
    i64 r = i / width, c = i % width;
    Eight v = {};
    if (x.type != I8) v = load8(from, r * x.row + c, r * x.row + cols);
    else EIGHT(j)
      if (c + j < cols) v.v[j] = (float)((const signed char *)x.at)[r * x.row + c + j] * x.scales[r];
    store8(out, i, rows * width, v);
  }
}
EXPORT_KERNEL(round_rows)

// The end of a product that a library has computed: out = act(x), without gaps or in rows at a distance.
KERNEL(256) matmul_tail(int kind, Vec x, Vec out, i64 n, i64 eights, i64 rows) {
  EACH(i, rows * eights) {
    i64 r = i / eights, c = i % eights * 8;
    store8(out, r * out.row + c, r * out.row + n, activate8(kind, load8(x, r * x.row + c, r * x.row + n)));
  }
}
EXPORT_KERNEL(matmul_tail)
