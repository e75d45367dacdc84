// AttentionBackward in three kernels, no atomics: delta = dOut . out of every query; dQ by blocks of queries; dK and dV by
// blocks of keys. With p = exp(score - LSE): dV = p dOut, ds = scale p (dOut . v - delta), dQ = ds k, dK = ds q.
// A uniform query (LSE +Inf) gives dV alone, one of zeros (LSE -Inf) nothing.
#include "include/attention_grads.cuh"

// A warp a query.
KERNEL(128) attention_delta(AttentionOp a, Heads dout, float *delta, i64 n) {
  i64 at = (i64)blockIdx.x * (THREADS / 32) + threadIdx.x / 32;
  if (at >= n) return;
  i64 b = at / (a.h * a.tq), h = at / a.tq % a.h, i = at % a.tq;
  float sum = 0;
  for (i64 c = threadIdx.x & 31; c < a.d; c += 32) sum += query_feature(a, dout, b, i, h, c) * query_feature(a, a.out, b, i, h, c);
  sum = warp_sum(sum);
  if ((threadIdx.x & 31) == 0) delta[at] = sum;
}
EXPORT_KERNEL(attention_delta)

// The weight of key j for query i, and whether it came from a score.
DEV float weight_of(const AttentionOp &a, i64 b, i64 h, i64 i, i64 j, float lse, float product, bool *scored) {
  *scored = false;
  if (i >= a.tq || j >= a.tk + a.tk2 || lse == -INF) return 0;
  if (lse == INF) return alike(a, b, i, j) ? weight_alike(a, b, i) : 0;
  if (!sees(a, b, i, j)) return 0;
  *scored = true;
  return expf(a.scale * product + bias(a, h, j) - lse);
}

template <int PARTS> DEV void gradient_of_queries(const AttentionOp &a, const AttentionGrads &grads) {
  DYNAMIC_SHARED(float, memory); // queries, douts [OWN][d], keys, values [OTHERS][d+1]
  SHARED(float, slopes, [OWN][OTHERS]);
  int d = (int)a.d, lane = threadIdx.x & 31, first = threadIdx.x / 32 * EACH_WARP;
  float *queries = memory, *douts = queries + OWN * d, *keys = douts + OWN * d, *values = keys + OTHERS * (d + 1);
  i64 tiles = (a.tq + OWN - 1) / OWN, i0 = blockIdx.x % tiles * OWN, h = blockIdx.x / tiles % a.h, b = blockIdx.x / tiles / a.h, g = h / (a.h / a.hkv);
  for (int at = threadIdx.x; at < OWN * d; at += THREADS) {
    queries[at] = query_feature(a, a.q, b, i0 + at / d, h, at % d);
    douts[at] = query_feature(a, grads.dout, b, i0 + at / d, h, at % d);
  }
  float sum[EACH_WARP][PARTS] = {};
  for (i64 j0 = 0; j0 < a.tk + a.tk2; j0 += OTHERS) {
    for (int at = threadIdx.x; at < OTHERS * d; at += THREADS) {
      int r = at / d, c = at % d;
      keys[r * (d + 1) + c] = key_feature(a, a.k, a.k2, b, j0 + r, g, c);
      values[r * (d + 1) + c] = key_feature(a, a.v, a.v2, b, j0 + r, g, c);
    }
    __syncthreads();
#pragma unroll
    for (int q = 0; q < EACH_WARP; q++) {
      i64 i = i0 + first + q, row = (b * a.h + h) * a.tq + i;
      float lse = i < a.tq ? a.lse[row] : -INF, delta = i < a.tq ? grads.delta[row] : 0;
      bool scored;
      float p = weight_of(a, b, h, i, j0 + lane, lse, dot_rows(queries + (first + q) * d, keys + lane * (d + 1), d), &scored);
      float along = dot_rows(douts + (first + q) * d, values + lane * (d + 1), d);
      slopes[first + q][lane] = scored ? a.scale * p * (along - delta) : 0;
    }
    __syncwarp();
    for (int other = 0; other < OTHERS; other++)
#pragma unroll
      for (int c = 0; c < PARTS; c++)
        if (lane + 32 * c < d) {
          float k = keys[other * (d + 1) + lane + 32 * c];
#pragma unroll
          for (int q = 0; q < EACH_WARP; q++) sum[q][c] += slopes[first + q][other] * k;
        }
    __syncthreads();
  }
#pragma unroll
  for (int q = 0; q < EACH_WARP; q++)
#pragma unroll
    for (int c = 0; c < PARTS; c++)
      if (i0 + first + q < a.tq && lane + 32 * c < d) store_add(grads.dq, head_at(grads.dq, b, i0 + first + q, h) + lane + 32 * c, sum[q][c], grads.add_q);
}

template <int PARTS> DEV void gradient_of_keys(const AttentionOp &a, const AttentionGrads &grads) {
  DYNAMIC_SHARED(float, memory); // keys, values [OWN][d], queries, douts [OTHERS][d+1]
  SHARED(float, weights, [OWN][OTHERS]);
  SHARED(float, slopes, [OWN][OTHERS]);
  int d = (int)a.d, lane = threadIdx.x & 31, first = threadIdx.x / 32 * EACH_WARP;
  float *keys = memory, *values = keys + OWN * d, *queries = values + OWN * d, *douts = queries + OTHERS * (d + 1);
  i64 tiles = (a.tk + a.tk2 + OWN - 1) / OWN, j0 = blockIdx.x % tiles * OWN, g = blockIdx.x / tiles % a.hkv, b = blockIdx.x / tiles / a.hkv, group = a.h / a.hkv;
  for (int at = threadIdx.x; at < OWN * d; at += THREADS) {
    keys[at] = key_feature(a, a.k, a.k2, b, j0 + at / d, g, at % d);
    values[at] = key_feature(a, a.v, a.v2, b, j0 + at / d, g, at % d);
  }
  float sum_k[EACH_WARP][PARTS] = {}, sum_v[EACH_WARP][PARTS] = {};
  for (i64 h = g * group; h < (g + 1) * group; h++)
    for (i64 i0 = 0; i0 < a.tq; i0 += OTHERS) {
      for (int at = threadIdx.x; at < OTHERS * d; at += THREADS) {
        int r = at / d, c = at % d;
        queries[r * (d + 1) + c] = query_feature(a, a.q, b, i0 + r, h, c);
        douts[r * (d + 1) + c] = query_feature(a, grads.dout, b, i0 + r, h, c);
      }
      __syncthreads();
      i64 i = i0 + lane, row = (b * a.h + h) * a.tq + i;
      float lse = i < a.tq ? a.lse[row] : -INF, delta = i < a.tq ? grads.delta[row] : 0;
#pragma unroll
      for (int k = 0; k < EACH_WARP; k++) {
        bool scored;
        float p = weight_of(a, b, h, i, j0 + first + k, lse, dot_rows(queries + lane * (d + 1), keys + (first + k) * d, d), &scored);
        float along = dot_rows(douts + lane * (d + 1), values + (first + k) * d, d);
        weights[first + k][lane] = p;
        slopes[first + k][lane] = scored ? a.scale * p * (along - delta) : 0;
      }
      __syncwarp();
      for (int other = 0; other < OTHERS; other++)
#pragma unroll
        for (int c = 0; c < PARTS; c++)
          if (lane + 32 * c < d) {
            float q = queries[other * (d + 1) + lane + 32 * c], o = douts[other * (d + 1) + lane + 32 * c];
#pragma unroll
            for (int k = 0; k < EACH_WARP; k++) {
              sum_k[k][c] += slopes[first + k][other] * q;
              sum_v[k][c] += weights[first + k][other] * o;
            }
          }
      __syncthreads();
    }
#pragma unroll
  for (int k = 0; k < EACH_WARP; k++) {
    i64 j = j0 + first + k;
    if (j >= a.tk + a.tk2) continue;
    bool second = j >= a.tk;
    Heads dk = second ? grads.dk2 : grads.dk, dv = second ? grads.dv2 : grads.dv;
    int add_k = second ? grads.add_k2 : grads.add_k, add_v = second ? grads.add_v2 : grads.add_v;
    i64 t = second ? j - a.tk : j;
#pragma unroll
    for (int c = 0; c < PARTS; c++) {
      if (lane + 32 * c >= d) continue;
      if (dk.at) store_add(dk, head_at(dk, b, t, g) + lane + 32 * c, sum_k[k][c], add_k);
      if (dv.at) store_add(dv, head_at(dv, b, t, g) + lane + 32 * c, sum_v[k][c], add_v);
    }
  }
}

#define FOR_WIDTH(width, parts)                                                                                                       \
  KERNEL(128) attention_dq_##width(AttentionOp a, AttentionGrads grads) { gradient_of_queries<parts>(a, grads); }                     \
  EXPORT_KERNEL(attention_dq_##width)                                                                                                 \
  KERNEL(128) attention_dkv_##width(AttentionOp a, AttentionGrads grads) { gradient_of_keys<parts>(a, grads); }                       \
  EXPORT_KERNEL(attention_dkv_##width)

FOR_WIDTH(64, 2)
FOR_WIDTH(128, 4)
FOR_WIDTH(256, 8)
