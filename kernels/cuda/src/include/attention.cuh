// What the kernels of Attention and AttentionBackward share: kernels/ops_attention.go.
//
// Legend: b batch, h query head, i query, j key (keys of the second segment follow those of the first), d feature. A block
// of four warps has OWN rows (queries, or keys for dK and dV), four a warp, and looks at OTHERS rows at a time, one a
// lane. The feature of a lane's part c is lane + 32 c; PARTS parts hold up to 32 PARTS features.
#pragma once
#include "reduce.cuh"
#include "tensor.cuh"

enum { OWN = 16, EACH_WARP = 4, OTHERS = 32, THREADS = 128 };

struct AttentionOp {
  i64 tq, h, d, tk, hkv, tk2;
  Heads q, k, v, k2, v2, out;
  const float *slopes;
  const u8 *key_mask;
  const int *text_time, *keys;
  float *lse;
  i64 keys_per_media, mask_row;
  float scale;
  int causal, previous, hidden_once;
};

// counted is the op with the keys that there are so far, where the device counts them.
DEV AttentionOp counted(AttentionOp a) {
  i64 n = a.keys ? a.keys[0] : a.tk;
  a.tk = n < 1 ? 1 : n < a.tk ? n : a.tk;
  return a;
}

DEV bool sees(const AttentionOp &a, i64 b, i64 i, i64 j) {
  if (j >= a.tk) return true;
  if (a.causal && j > i + a.tk - a.tq) return false;
  if (a.key_mask && a.key_mask[b * a.mask_row + j] == 0) return false;
  if (a.text_time) {
    i64 text = a.text_time[b * a.tq + i], media = j / a.keys_per_media + 1;
    return media == text || (a.previous && media < text);
  }
  return true;
}

// Whether a query sees no image and gets zeros.
DEV bool blind(const AttentionOp &a, i64 b, i64 i) { return a.text_time && !a.previous && a.text_time[b * a.tq + i] == 0; }

// A query that sees nothing gives the same weight to all keys of the first segment; with hidden_once not to those that
// both its masks hide.
DEV bool alike(const AttentionOp &a, i64 b, i64 i, i64 j) {
  return j < a.tk && !(a.hidden_once && j > i + a.tk - a.tq && a.key_mask[b * a.mask_row + j] == 0);
}
DEV float weight_alike(const AttentionOp &a, i64 b, i64 i) {
  if (!a.hidden_once) return 1 / (float)a.tk;
  int n = 0;
  for (i64 j = 0; j < a.tk; j++) n += alike(a, b, i, j);
  return 1 / (float)n;
}

DEV float bias(const AttentionOp &a, i64 h, i64 j) { return a.slopes && j < a.tk ? a.slopes[h] * (float)(j - (a.tk - 1)) : 0; }

// A row of keys or values, whichever segment it lies in; zero beyond both.
DEV float key_feature(const AttentionOp &a, Heads first, Heads second, i64 b, i64 j, i64 g, i64 d) {
  if (j < a.tk) return load(first, head_at(first, b, j, g) + d);
  if (j < a.tk + a.tk2) return load(second, head_at(second, b, j - a.tk, g) + d);
  return 0;
}

DEV float query_feature(const AttentionOp &a, Heads x, i64 b, i64 i, i64 h, i64 d) { return i < a.tq ? load(x, head_at(x, b, i, h) + d) : 0; }

DEV float dot_rows(const float *x, const float *y, int d) {
  float sum = 0;
  for (int i = 0; i < d; i++) sum += x[i] * y[i];
  return sum;
}
