// Attention forward on tensor cores: include/attention_bf16.cuh. Scores and weights stay in registers; the softmax is taken
// on the fly, every lane having a quarter of the scores of two queries of each 16.
#include "include/attention_bf16.cuh"

// A block has M times SIDE queries, M times 16 a warp.
template <int D, int M> DEV void attend_bf16(const AttentionOp &a) {
  enum { WIDTH = Features<D>::WIDTH, TILE_SIZE = SIDE * WIDTH, QUERIES = M * SIDE, PART = D > 64 && M > 1 ? SIDE / 2 : SIDE };
  DYNAMIC_SHARED(u16, tiles); // queries, and twice keys and values
  u16 *tiles_of_stages = tiles + M * TILE_SIZE;
  int lane = threadIdx.x & 31, row = threadIdx.x / 32 * 16 * M;
  i64 blocks = (a.tq + QUERIES - 1) / QUERIES, i0 = (blocks - 1 - blockIdx.x % blocks) * QUERIES; // the longest of a causal mask first
  i64 h = blockIdx.x / blocks % a.h, b = blockIdx.x / blocks / a.h, g = h / (a.h / a.hkv);
  i64 tiles_of_keys = key_tiles(a);
  auto next_tile = [&](i64 t) { // the first from t on that a query of the block reaches
    for (; t < tiles_of_keys; t++) {
      KeyTile k = key_tile(a, t);
      bool reached = false;
      for (int r = lane; r < QUERIES; r += 32) reached |= reaches(a, b, i0 + r, k);
      if (any_lane(reached)) break;
    }
    return t;
  };
  auto bring_keys = [&](i64 t, int stage) {
    if (t < tiles_of_keys) {
      KeyTile k = key_tile(a, t);
      Heads ks = k.second ? a.k2 : a.k, vs = k.second ? a.v2 : a.v;
      u16 *to = tiles_of_stages + stage * 2 * TILE_SIZE;
      bring<SIDE, WIDTH, THREADS>(to, rows_of(ks, b, k.at, g), ks.token, k.left, a.d);
      bring<SIDE, WIDTH, THREADS>(to + TILE_SIZE, rows_of(vs, b, k.at, g), vs.token, k.left, a.d);
    }
    copy_commit();
  };
  bring<QUERIES, WIDTH, THREADS>(tiles, rows_of(a.q, b, i0, h), a.q.token, a.tq - i0, a.d);
  i64 t = next_tile(0);
  bring_keys(t, 0);

  float most[M][2], total[M][2], sum[M][D / 8][4] = {};
#pragma unroll
  for (int m = 0; m < M; m++)
    for (int half = 0; half < 2; half++) most[m][half] = -INF, total[m][half] = 0;
  for (int stage = 0; t < tiles_of_keys; stage ^= 1) {
    i64 next = next_tile(t + 1);
    bring_keys(next, stage ^ 1);
    copy_wait<1>();
    __syncthreads();
    const u16 *ks = tiles_of_stages + stage * 2 * TILE_SIZE, *vs = ks + TILE_SIZE;
    KeyTile k = key_tile(a, t);
    bool all = all_seen(a, i0, k);
    u32 seen[M];
#pragma unroll
    for (int m = 0; m < M; m++) seen[m] = all ? ~0u : seen_elements(a, b, i0 + row + 16 * m, k);
    Scoring by = scoring(a, h, k);
#pragma unroll 1
    for (int j = 0; j < SIDE; j += PART) { // in parts where registers are short
      float s[M][PART / 8][4] = {};
      score_tiles<D, PART>(s, tiles, row, ks + j * WIDTH);
#pragma unroll
      for (int m = 0; m < M; m++) {
        float now[2] = {most[m][0], most[m][1]};
#pragma unroll
        for (int f = 0; f < PART / 8; f++)
#pragma unroll
          for (int q = 0; q < 4; q++) {
            s[m][f][q] = seen[m] >> (4 * f + q) & 1 ? score(by, s[m][f][q], j + column_of(f, q)) : -INF;
            now[q / 2] = fmaxf(now[q / 2], s[m][f][q]);
          }
#pragma unroll
        for (int half = 0; half < 2; half++) {
          now[half] = fmaxf(now[half], lane_xor(now[half], 1));
          now[half] = fmaxf(now[half], lane_xor(now[half], 2));
          float shrink = now[half] == -INF ? 1 : exp2_near(most[m][half] - now[half]);
          most[m][half] = now[half];
          total[m][half] *= shrink;
#pragma unroll
          for (int f = 0; f < D / 8; f++) sum[m][f][2 * half] *= shrink, sum[m][f][2 * half + 1] *= shrink;
          if (now[half] == -INF) now[half] = 0; // nothing was seen yet
        }
#pragma unroll
        for (int f = 0; f < PART / 8; f++)
#pragma unroll
          for (int q = 0; q < 4; q++) {
            s[m][f][q] = exp2_near(s[m][f][q] - now[q / 2]);
            total[m][q / 2] += s[m][f][q];
          }
        seen[m] = seen[m] >> (PART / 4) >> (PART / 4);
      }
      weigh_tiles<D, PART>(sum, s, vs + j * WIDTH);
    }
    t = next;
    __syncthreads(); // the tile is read; the next turn fills its place
  }
  copy_wait<0>();
  __syncthreads(); // queries are read, or there was no key at all

  // Through the queries' tile, whose rows of this warp nobody else reads, to whole rows of Out.
#pragma unroll
  for (int m = 0; m < M; m++)
#pragma unroll
    for (int half = 0; half < 2; half++) {
      int r = row + 16 * m + row_of(2 * half);
      i64 i = i0 + r;
      float all = total[m][half];
      all += lane_xor(all, 1);
      all += lane_xor(all, 2);
      bool inside = i < a.tq, none = inside && blind(a, b, i), uniform = inside && !none && all == 0;
      float by = none ? 0 : uniform ? weight_alike(a, b, i) : 1 / all;
      if (uniform)
        for (i64 j = 0; j < a.tk; j++) {
          if (!alike(a, b, i, j)) continue;
          const u16 *v = rows_of(a.v, b, j, g) + lane % 4 * 2;
#pragma unroll
          for (int f = 0; f < D / 8; f++)
            if (8 * f < a.d) sum[m][f][2 * half] += from_bf16(v[8 * f]), sum[m][f][2 * half + 1] += from_bf16(v[8 * f + 1]);
        }
#pragma unroll
      for (int f = 0; f < D / 8; f++) {
        float low = none ? 0 : sum[m][f][2 * half] * by, high = none ? 0 : sum[m][f][2 * half + 1] * by;
        *(u32 *)(tiles + place<WIDTH>(r, 8 * f) + lane % 4 * 2) = pack_bf16(low, high);
      }
      if (a.lse && inside && lane % 4 == 0)
        a.lse[(b * a.h + h) * a.tq + i] = none ? -INF : uniform ? INF : most[m][half] / LOG2E + logf(all);
    }
  __syncwarp();
  int pieces = (int)(a.d / 8);
  for (int at = lane; at < 16 * M * pieces; at += 32) {
    int r = row + at / pieces, c = at % pieces * 8;
    if (i0 + r < a.tq) *(Sixteen *)((u16 *)a.out.at + head_at(a.out, b, i0 + r, h) + c) = *(const Sixteen *)(tiles + place<WIDTH>(r, c));
  }
}

// Heads of 128 features have no registers for twice as many queries, and those no registers for a count of keys.
#define FOR_FEATURES(queries, d, blocks, op)                                                                                    \
  KERNEL_OF(128, blocks) attention_bf16_##queries##_##d(AttentionOp a) { attend_bf16<d, queries / SIDE>(op); }              \
  EXPORT_KERNEL(attention_bf16_##queries##_##d)

FOR_FEATURES(64, 64, 3, counted(a))
FOR_FEATURES(64, 80, 2, counted(a))
FOR_FEATURES(64, 128, 2, counted(a))
FOR_FEATURES(128, 64, 2, a)
FOR_FEATURES(128, 80, 2, a)
