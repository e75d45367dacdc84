// Attention forward: softmax on the fly over tiles of keys, fp32 throughout. A block has 16 queries of one head.
#include "include/attention.cuh"

template <int PARTS> DEV void attend(const AttentionOp &a) {
  DYNAMIC_SHARED(float, memory); // queries [OWN][d], keys [OTHERS][d+1], values [OTHERS][d]
  SHARED(float, weights, [OWN][OTHERS]);
  int d = (int)a.d, lane = threadIdx.x & 31, first = threadIdx.x / 32 * EACH_WARP;
  float *queries = memory, *keys = queries + OWN * d, *values = keys + OTHERS * (d + 1);
  i64 tiles = (a.tq + OWN - 1) / OWN, i0 = blockIdx.x % tiles * OWN, h = blockIdx.x / tiles % a.h, b = blockIdx.x / tiles / a.h, g = h / (a.h / a.hkv);
  for (int at = threadIdx.x; at < OWN * d; at += THREADS) queries[at] = query_feature(a, a.q, b, i0 + at / d, h, at % d);

  float most[EACH_WARP], total[EACH_WARP], sum[EACH_WARP][PARTS] = {};
  bool some[EACH_WARP];
#pragma unroll
  for (int q = 0; q < EACH_WARP; q++) most[q] = -INF, total[q] = 0, some[q] = false;
  for (i64 j0 = 0; j0 < a.tk + a.tk2; j0 += OTHERS) {
    for (int at = threadIdx.x; at < OTHERS * d; at += THREADS) {
      int r = at / d, c = at % d;
      keys[r * (d + 1) + c] = key_feature(a, a.k, a.k2, b, j0 + r, g, c);
      values[at] = key_feature(a, a.v, a.v2, b, j0 + r, g, c);
    }
    __syncthreads();
    i64 j = j0 + lane;
#pragma unroll
    for (int q = 0; q < EACH_WARP; q++) {
      i64 i = i0 + first + q;
      bool seen = i < a.tq && j < a.tk + a.tk2 && sees(a, b, i, j);
      float score = seen ? a.scale * dot_rows(queries + (first + q) * d, keys + lane * (d + 1), d) + bias(a, h, j) : -INF, weight = 0;
      if (any_lane(seen)) {
        float now = fmaxf(most[q], warp_max(score)), shrink = some[q] ? expf(most[q] - now) : 0;
        if (seen) weight = expf(score - now);
        total[q] = total[q] * shrink + warp_sum(weight);
#pragma unroll
        for (int c = 0; c < PARTS; c++) sum[q][c] *= shrink;
        most[q] = now;
        some[q] = true;
      }
      weights[first + q][lane] = weight;
    }
    __syncwarp();
    for (int other = 0; other < OTHERS; other++)
#pragma unroll
      for (int c = 0; c < PARTS; c++)
        if (lane + 32 * c < d) {
          float v = values[other * d + lane + 32 * c];
#pragma unroll
          for (int q = 0; q < EACH_WARP; q++) sum[q][c] += weights[first + q][other] * v;
        }
    __syncthreads();
  }

#pragma unroll
  for (int q = 0; q < EACH_WARP; q++) {
    i64 i = i0 + first + q;
    if (i >= a.tq) continue;
    float by = 1 / total[q], lse = most[q] + logf(total[q]);
    if (blind(a, b, i)) {
      by = 0, lse = -INF;
    } else if (!some[q]) {
      by = weight_alike(a, b, i), lse = INF;
      for (i64 j = 0; j < a.tk; j++) {
        if (!alike(a, b, i, j)) continue;
#pragma unroll
        for (int c = 0; c < PARTS; c++)
          if (lane + 32 * c < d) sum[q][c] += key_feature(a, a.v, a.v2, b, j, g, lane + 32 * c);
      }
    }
#pragma unroll
    for (int c = 0; c < PARTS; c++)
      if (lane + 32 * c < d) store_add(a.out, head_at(a.out, b, i, h) + lane + 32 * c, by == 0 ? 0 : sum[q][c] * by, 0);
    if (a.lse && lane == 0) a.lse[(b * a.h + h) * a.tq + i] = lse;
  }
}

KERNEL(128) attention_64(AttentionOp a) { attend<2>(counted(a)); }
EXPORT_KERNEL(attention_64)
KERNEL(128) attention_128(AttentionOp a) { attend<4>(counted(a)); }
EXPORT_KERNEL(attention_128)
KERNEL(128) attention_256(AttentionOp a) { attend<8>(counted(a)); }
EXPORT_KERNEL(attention_256)
