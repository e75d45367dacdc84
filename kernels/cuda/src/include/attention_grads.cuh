// What the kernels of AttentionBackward share.
#pragma once
#include "attention.cuh"

struct AttentionGrads {
  Heads dout, dq, dk, dv, dk2, dv2;
  const float *delta; // [B,H,Tq]
  int add_q, add_k, add_v, add_k2, add_v2, pad;
};
