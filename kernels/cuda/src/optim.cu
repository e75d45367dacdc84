// AdamW and ClipScale: kernels/ops_optim.go. (SumSquares is in sum.cu.)
#include "include/tensor.cuh"

KERNEL(256) adamw(float *w, float *m, float *v, Vec grad, const float *scale, Vec rounded, const float *hyper, i64 n) {
  float lr = hyper[0], b1 = hyper[1], b2 = hyper[2], eps = hyper[3], decay = hyper[4], correct1 = hyper[5], root = sqrtf(hyper[6]);
  float by = scale ? scale[0] : 1;
  EACH(i, n) {
    float g = load(grad, i) * by;
    float mi = b1 * m[i] + (1 - b1) * g, vi = b2 * v[i] + (1 - b2) * g * g;
    m[i] = mi;
    v[i] = vi;
    w[i] = w[i] - lr * decay * w[i] - lr / correct1 * mi / (sqrtf(vi) / root + eps);
    if (rounded.at) store(rounded, i, w[i]);
  }
}
EXPORT_KERNEL(adamw)

KERNEL(32) clip_scale(const float *square, float most, float *out) {
  if (threadIdx.x != 0) return;
  float by = most / (sqrtf(square[0]) + 1e-6f);
  out[0] = by > 1 ? 1 : by; // NaN stays
}
EXPORT_KERNEL(clip_scale)
