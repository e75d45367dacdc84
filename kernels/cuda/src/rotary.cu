// Rotary: kernels/ops_attention.go. A thread turns one pair of features of one token in all heads.
#include "include/tensor.cuh"

// The angle is position / base^(2i/dims), in fp64 and in half turns: fp32 would be off by 1e-4 at position 2048, and a
// cosine of large angles needs memory for its slow path.
KERNEL(256) rotary(Heads x, const int *positions, i64 tokens, i64 heads, int dims, double log2_base, int inverse, i64 n) {
  int half = dims / 2;
  EACH(at, n) {
    i64 row = at / half, i = at % half, b = row / tokens, t = row % tokens;
    double turn = positions[row] * exp2(-2.0 * i / dims * log2_base) * 0.31830988618379067154; // 1/pi
    turn -= 2 * rint(turn / 2);
    float c = cos_pi((float)turn), s = sin_pi((float)turn);
    if (inverse) s = -s;
    for (i64 h = 0; h < heads; h++) {
      i64 first = head_at(x, b, t, h) + i, second = first + half;
      float u = load(x, first), v = load(x, second);
      store_add(x, first, u * c - v * s, 0);
      store_add(x, second, v * c + u * s, 0);
    }
  }
}
EXPORT_KERNEL(rotary)
