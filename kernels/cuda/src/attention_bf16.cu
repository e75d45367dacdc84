// Attention forward on tensor cores: include/attention_bf16.cuh. Scores and weights stay in registers; the softmax is taken
// on the fly, every lane having a quarter of two queries' scores.
#include "include/attention_bf16.cuh"

template <int D> DEV void attend_bf16(const AttentionOp &a) {
  enum { WIDTH = Features<D>::WIDTH, TILE_SIZE = SIDE * WIDTH };
  DYNAMIC_SHARED(u16, tiles); // queries, and twice keys and values
  int lane = threadIdx.x & 31, row = threadIdx.x / 32 * 16;
  i64 blocks = (a.tq + SIDE - 1) / SIDE, i0 = (blocks - 1 - blockIdx.x % blocks) * SIDE; // the longest of a causal mask first
  i64 h = blockIdx.x / blocks % a.h, b = blockIdx.x / blocks / a.h, g = h / (a.h / a.hkv);
  i64 tiles_of_keys = key_tiles(a);
  auto next_tile = [&](i64 t) { // the first from t on that a query of the block reaches
    for (; t < tiles_of_keys; t++) {
      KeyTile k = key_tile(a, t);
      if (any_lane(reaches(a, b, i0 + lane, k) || reaches(a, b, i0 + 32 + lane, k))) break;
    }
    return t;
  };
  auto bring_keys = [&](i64 t, int stage) {
    if (t < tiles_of_keys) {
      KeyTile k = key_tile(a, t);
      const Heads &ks = k.second ? a.k2 : a.k, &vs = k.second ? a.v2 : a.v;
      u16 *to = tiles + TILE_SIZE + stage * 2 * TILE_SIZE;
      bring<SIDE, WIDTH, THREADS>(to, rows_of(ks, b, k.at, g), ks.token, k.left, a.d);
      bring<SIDE, WIDTH, THREADS>(to + TILE_SIZE, rows_of(vs, b, k.at, g), vs.token, k.left, a.d);
    }
    copy_commit();
  };
  bring<SIDE, WIDTH, THREADS>(tiles, rows_of(a.q, b, i0, h), a.q.token, a.tq - i0, a.d);
  i64 t = next_tile(0);
  bring_keys(t, 0);

  float most[2] = {-INF, -INF}, total[2] = {}, sum[D / 8][4] = {};
  for (int stage = 0; t < tiles_of_keys; stage ^= 1) {
    i64 next = next_tile(t + 1);
    bring_keys(next, stage ^ 1);
    copy_wait<1>();
    __syncthreads();
    const u16 *ks = tiles + TILE_SIZE + stage * 2 * TILE_SIZE, *vs = ks + TILE_SIZE;
    KeyTile k = key_tile(a, t);
    u32 seen = all_seen(a, i0, k) ? ~0u : seen_elements(a, b, i0 + row, k);
    Scoring by = scoring(a, h, k);
    float s[SIDE / 8][4] = {}, now[2] = {most[0], most[1]};
    score_tile<D, SIDE>(s, tiles, row, ks);
#pragma unroll
    for (int f = 0; f < SIDE / 8; f++)
#pragma unroll
      for (int q = 0; q < 4; q++) {
        s[f][q] = seen >> (4 * f + q) & 1 ? score(by, s[f][q], column_of(f, q)) : -INF;
        now[q / 2] = fmaxf(now[q / 2], s[f][q]);
      }
#pragma unroll
    for (int half = 0; half < 2; half++) {
      now[half] = fmaxf(now[half], lane_xor(now[half], 1));
      now[half] = fmaxf(now[half], lane_xor(now[half], 2));
      float shrink = now[half] == -INF ? 1 : exp2_near(most[half] - now[half]);
      most[half] = now[half];
      total[half] *= shrink;
#pragma unroll
      for (int f = 0; f < D / 8; f++) sum[f][2 * half] *= shrink, sum[f][2 * half + 1] *= shrink;
    }
#pragma unroll
    for (int f = 0; f < SIDE / 8; f++)
#pragma unroll
      for (int q = 0; q < 4; q++) {
        s[f][q] = exp2_near(s[f][q] - (most[q / 2] == -INF ? 0 : most[q / 2]));
        total[q / 2] += s[f][q];
      }
    weigh_tile<D, SIDE>(sum, s, vs);
    t = next;
    __syncthreads(); // the tile is read; the next turn fills its place
  }
  copy_wait<0>();
  __syncthreads(); // queries are read, or there was no key at all

  // Through the queries' tile, whose rows of this warp nobody else reads, to whole rows of Out.
#pragma unroll
  for (int half = 0; half < 2; half++) {
    int r = row + lane / 4 + half * 8;
    i64 i = i0 + r;
    total[half] += lane_xor(total[half], 1);
    total[half] += lane_xor(total[half], 2);
    bool inside = i < a.tq, none = inside && blind(a, b, i), uniform = inside && !none && total[half] == 0;
    float by = none ? 0 : uniform ? weight_alike(a, b, i) : 1 / total[half];
    if (uniform)
      for (i64 j = 0; j < a.tk; j++)
        if (alike(a, b, i, j))
#pragma unroll
          for (int f = 0; f < D / 8; f++)
#pragma unroll
            for (int e = 0; e < 2; e++) {
              int c = 8 * f + lane % 4 * 2 + e;
              if (c < a.d) sum[f][2 * half + e] += key_feature(a, a.v, a.v2, b, j, g, c);
            }
#pragma unroll
    for (int f = 0; f < D / 8; f++) {
      float low = none ? 0 : sum[f][2 * half] * by, high = none ? 0 : sum[f][2 * half + 1] * by;
      *(u32 *)(tiles + place<WIDTH>(r, 8 * f) + lane % 4 * 2) = pack_bf16(low, high);
    }
    if (a.lse && inside && lane % 4 == 0)
      a.lse[(b * a.h + h) * a.tq + i] = none ? -INF : uniform ? INF : most[half] / LOG2E + logf(total[half]);
  }
  __syncwarp();
  int pieces = (int)(a.d / 8);
  for (int at = lane; at < 16 * pieces; at += 32) {
    int r = row + at / pieces, c = at % pieces * 8;
    if (i0 + r < a.tq) *(Sixteen *)((u16 *)a.out.at + head_at(a.out, b, i0 + r, h) + c) = *(const Sixteen *)(tiles + place<WIDTH>(r, c));
  }
}

KERNEL_OF(128, 3) attention_bf16_64(AttentionOp a) { attend_bf16<64>(a); }
EXPORT_KERNEL(attention_bf16_64)
KERNEL_OF(128, 2) attention_bf16_80(AttentionOp a) { attend_bf16<80>(a); }
EXPORT_KERNEL(attention_bf16_80)
KERNEL_OF(128, 2) attention_bf16_128(AttentionOp a) { attend_bf16<128>(a); }
EXPORT_KERNEL(attention_bf16_128)
