// Attention over [B,T,H,D] views, forward and backward, a key head at a time, without writing the matrix of scores.
//
// A unit of work is one batch row and one key head with all query heads that read it. It packs the head's keys and values
// for the tiles of the matrix product, then takes strips of queries: scores of the strip, softmax over its keys,
// product with the values. A strip of scores is all that ever exists of the matrix.
#ifndef MMC4_ATTENTION_H
#define MMC4_ATTENTION_H

#include <stdint.h>

// heads is a [B,T,H,D] view whose D elements lie together; strides in elements.
struct heads {
  void *at;
  int type;
  int64_t batch, token, head;
};

struct attention {
  int64_t b, tq, tk, tk2, h, hkv, d;
  struct heads q, k, v, k2, v2, out;
  float scale;
  int causal, hidden_once;
  const float *slopes;     // [H], or NULL
  const uint8_t *key_mask; // [B,Tk], or NULL
  const int32_t *text_time; // [B,Tq], or NULL
  int64_t keys_per_media;
  int previous;
  float *lse; // [B,H,Tq], or NULL
};

struct attention_grads {
  struct heads dout, dq, dk, dv, dk2, dv2; // at is NULL where a gradient is not wanted
  int add_q, add_k, add_v, add_k2, add_v2;
};

#endif
