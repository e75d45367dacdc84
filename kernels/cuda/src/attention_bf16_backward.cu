// AttentionBackward on tensor cores: dQ by blocks of queries, dK and dV by blocks of keys, as attention_backward.cu has it
// (delta is from there). Weights are computed anew from the scores and LSE.
#include "include/attention_bf16.cuh"
#include "include/attention_grads.cuh"

// What scores are reduced by to become weights: a query of zeros has none, as one that gives all keys the same.
DEV float spread(float lse) { return lse == -INF ? INF : lse * LOG2E; }

template <int D> DEV void dq_bf16(const AttentionOp &a, const AttentionGrads &grads) {
  enum { WIDTH = Features<D>::WIDTH, TILE_SIZE = SIDE * WIDTH, PART = SIDE / 2 };
  DYNAMIC_SHARED(u16, tiles); // queries, dOut, and twice keys and values
  int lane = threadIdx.x & 31, row = threadIdx.x / 32 * 16;
  i64 blocks = (a.tq + SIDE - 1) / SIDE, i0 = (blocks - 1 - blockIdx.x % blocks) * SIDE;
  i64 h = blockIdx.x / blocks % a.h, b = blockIdx.x / blocks / a.h, g = h / (a.h / a.hkv), tiles_of_keys = key_tiles(a);
  auto next_tile = [&](i64 t) {
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
      u16 *to = tiles + (2 + 2 * stage) * TILE_SIZE;
      bring<SIDE, WIDTH, THREADS>(to, rows_of(ks, b, k.at, g), ks.token, k.left, a.d);
      bring<SIDE, WIDTH, THREADS>(to + TILE_SIZE, rows_of(vs, b, k.at, g), vs.token, k.left, a.d);
    }
    copy_commit();
  };
  bring<SIDE, WIDTH, THREADS>(tiles, rows_of(a.q, b, i0, h), a.q.token, a.tq - i0, a.d);
  bring<SIDE, WIDTH, THREADS>(tiles + TILE_SIZE, rows_of(grads.dout, b, i0, h), grads.dout.token, a.tq - i0, a.d);
  i64 t = next_tile(0);
  bring_keys(t, 0);

  float lse[2] = {}, delta[2] = {}, sum[1][D / 8][4] = {};
#pragma unroll
  for (int half = 0; half < 2; half++) {
    i64 i = i0 + row + lane / 4 + half * 8, at = (b * a.h + h) * a.tq + i;
    if (i < a.tq) lse[half] = spread(a.lse[at]), delta[half] = grads.delta[at];
  }
  for (int stage = 0; t < tiles_of_keys; stage ^= 1) {
    i64 next = next_tile(t + 1);
    bring_keys(next, stage ^ 1);
    copy_wait<1>();
    __syncthreads();
    const u16 *ks = tiles + (2 + 2 * stage) * TILE_SIZE, *vs = ks + TILE_SIZE;
    KeyTile k = key_tile(a, t);
    u32 seen = all_seen(a, i0, k) ? ~0u : seen_elements(a, b, i0 + row, k);
    Scoring by = scoring(a, h, k);
#pragma unroll 1 // in two parts, for want of registers
    for (int j = 0; j < SIDE; j += PART, seen >>= PART / 2) {
      float s[1][PART / 8][4] = {}, along[1][PART / 8][4] = {};
      score_tiles<D, PART>(s, tiles, row, ks + j * WIDTH);
      score_tiles<D, PART>(along, tiles + TILE_SIZE, row, vs + j * WIDTH);
#pragma unroll
      for (int f = 0; f < PART / 8; f++)
#pragma unroll
        for (int q = 0; q < 4; q++) {
          float p = exp2_near(score(by, s[0][f][q], j + column_of(f, q)) - lse[q / 2]);
          s[0][f][q] = seen >> (4 * f + q) & 1 ? a.scale * p * (along[0][f][q] - delta[q / 2]) : 0;
        }
      weigh_tiles<D, PART>(sum, s, ks + j * WIDTH);
    }
    t = next;
    __syncthreads();
  }
  copy_wait<0>();
#pragma unroll
  for (int f = 0; f < D / 8; f++)
#pragma unroll
    for (int q = 0; q < 4; q++) {
      i64 i = i0 + row + lane / 4 + q / 2 * 8, c = 8 * f + lane % 4 * 2 + q % 2;
      if (i < a.tq && c < a.d) store_add(grads.dq, head_at(grads.dq, b, i, h) + c, sum[0][f][q], grads.add_q);
    }
}

// A block of SIDE keys goes through the queries of all heads that share them, as many at a time as registers allow.
template <int D> DEV void dkv_bf16(const AttentionOp &a, const AttentionGrads &grads) {
  enum { WIDTH = Features<D>::WIDTH, TILE_SIZE = SIDE * WIDTH, QUERIES = D > 80 ? 16 : 32, PART = QUERIES * WIDTH };
  DYNAMIC_SHARED(u16, tiles); // keys, values, and twice queries and dOut
  SHARED(float, lses, [2][QUERIES]);
  SHARED(float, deltas, [2][QUERIES]);
  SHARED(float, alikes, [2][QUERIES]); // the weight that a query gives to all keys, or 0
  int lane = threadIdx.x & 31, row = threadIdx.x / 32 * 16;
  KeyTile k = key_tile(a, blockIdx.x % key_tiles(a));
  i64 g = blockIdx.x / key_tiles(a) % a.hkv, b = blockIdx.x / key_tiles(a) / a.hkv, group = a.h / a.hkv;
  i64 parts = (a.tq + QUERIES - 1) / QUERIES, steps = group * parts;
  auto next_step = [&](i64 n) { // the first from n on with a query that reaches a key, or gives the same weight to all
    for (; n < steps; n++) {
      i64 i = n % parts * QUERIES + lane, h = g * group + n / parts;
      bool uniform = i < a.tq && !k.second && a.lse[(b * a.h + h) * a.tq + i] == INF;
      if (any_lane(lane < QUERIES && (uniform || reaches(a, b, i, k)))) break;
    }
    return n;
  };
  auto bring_queries = [&](i64 n, int stage) {
    if (n < steps) {
      i64 i0 = n % parts * QUERIES, h = g * group + n / parts;
      u16 *to = tiles + 2 * TILE_SIZE + 2 * stage * PART;
      bring<QUERIES, WIDTH, THREADS>(to, rows_of(a.q, b, i0, h), a.q.token, a.tq - i0, a.d);
      bring<QUERIES, WIDTH, THREADS>(to + PART, rows_of(grads.dout, b, i0, h), grads.dout.token, a.tq - i0, a.d);
      if (threadIdx.x < QUERIES) {
        i64 i = i0 + threadIdx.x, at = (b * a.h + h) * a.tq + i;
        float lse = i < a.tq ? a.lse[at] : 0;
        lses[stage][threadIdx.x] = spread(lse);
        deltas[stage][threadIdx.x] = i < a.tq ? grads.delta[at] : 0;
        alikes[stage][threadIdx.x] = lse == INF ? weight_alike(a, b, i) : 0;
      }
    }
    copy_commit();
  };
  const Heads &ks = k.second ? a.k2 : a.k, &vs = k.second ? a.v2 : a.v;
  bring<SIDE, WIDTH, THREADS>(tiles, rows_of(ks, b, k.at, g), ks.token, k.left, a.d);
  bring<SIDE, WIDTH, THREADS>(tiles + TILE_SIZE, rows_of(vs, b, k.at, g), vs.token, k.left, a.d);
  i64 n = next_step(0);
  bring_queries(n, 0);

  float sum_k[1][D / 8][4] = {}, sum_v[1][D / 8][4] = {};
  for (int stage = 0; n < steps; stage ^= 1) {
    i64 next = next_step(n + 1);
    bring_queries(next, stage ^ 1);
    copy_wait<1>();
    __syncthreads();
    const u16 *qs = tiles + 2 * TILE_SIZE + 2 * stage * PART, *os = qs + PART;
    i64 i0 = n % parts * QUERIES, h = g * group + n / parts;
    u32 seen = ~0u, same = 0;
    if (!all_seen(a, i0, k)) {
      seen = 0;
#pragma unroll 1
      for (int at = 0; at < QUERIES / 8 * 4; at++) {
        int r = row + row_of(at % 4), c = column_of(at / 4, at % 4);
        i64 i = i0 + c, j = k.j + r;
        if (i >= a.tq || r >= k.left) continue;
        seen |= (u32)sees(a, b, i, j) << at;
        same |= (u32)(alikes[stage][c] != 0 && alike(a, b, i, j)) << at;
      }
    }
    Scoring by = scoring(a, h, k);
    float s[1][QUERIES / 8][4] = {}, along[1][QUERIES / 8][4] = {};
    score_tiles<D, QUERIES>(s, tiles, row, qs);
    score_tiles<D, QUERIES>(along, tiles + TILE_SIZE, row, os);
#pragma unroll
    for (int f = 0; f < QUERIES / 8; f++)
#pragma unroll
      for (int q = 0; q < 4; q++) {
        int c = column_of(f, q);
        bool scored = seen >> (4 * f + q) & 1;
        float p = exp2_near(score(by, s[0][f][q], row + row_of(q)) - lses[stage][c]);
        s[0][f][q] = same >> (4 * f + q) & 1 ? alikes[stage][c] : scored ? p : 0;
        along[0][f][q] = scored ? a.scale * p * (along[0][f][q] - deltas[stage][c]) : 0;
      }
    weigh_tiles<D, QUERIES>(sum_v, s, os);
    weigh_tiles<D, QUERIES>(sum_k, along, qs);
    n = next;
    __syncthreads();
  }
  copy_wait<0>();
  const Heads &dk = k.second ? grads.dk2 : grads.dk, &dv = k.second ? grads.dv2 : grads.dv;
  int add_k = k.second ? grads.add_k2 : grads.add_k, add_v = k.second ? grads.add_v2 : grads.add_v;
#pragma unroll
  for (int f = 0; f < D / 8; f++)
#pragma unroll
    for (int q = 0; q < 4; q++) {
      i64 r = row + lane / 4 + q / 2 * 8, c = 8 * f + lane % 4 * 2 + q % 2;
      if (r >= k.left || c >= a.d) continue;
      if (dk.at) store_add(dk, head_at(dk, b, k.at + r, g) + c, sum_k[0][f][q], add_k);
      if (dv.at) store_add(dv, head_at(dv, b, k.at + r, g) + c, sum_v[0][f][q], add_v);
    }
}

#define FOR_GRADIENTS(d)                                                                                          \
  KERNEL_OF(128, 2) attention_bf16_dq_##d(AttentionOp a, AttentionGrads grads) { dq_bf16<d>(a, grads); }         \
  EXPORT_KERNEL(attention_bf16_dq_##d)                                                                           \
  KERNEL_OF(128, 2) attention_bf16_dkv_##d(AttentionOp a, AttentionGrads grads) { dkv_bf16<d>(a, grads); }       \
  EXPORT_KERNEL(attention_bf16_dkv_##d)

FOR_GRADIENTS(64)
FOR_GRADIENTS(80)
FOR_GRADIENTS(128)
