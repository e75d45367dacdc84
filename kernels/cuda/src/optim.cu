// AdamW and ClipScale: kernels/ops_optim.go. (SumSquares is in sum.cu.)
#include "include/tensor.cuh"

// w, m and v are fp32.
KERNEL(256) adamw(Vec w, Vec m, Vec v, Vec grad, const float *scale, Vec rounded, const float *hyper, i64 n) {
  float lr = hyper[0], b1 = hyper[1], b2 = hyper[2], eps = hyper[3], decay = hyper[4], correct1 = hyper[5], root = sqrtf(hyper[6]);
  float by = scale ? scale[0] : 1;
  EACH8(i, n) {
    Eight g = load8(grad, i, n), mi = load8(m, i, n), vi = load8(v, i, n), wi = load8(w, i, n);
    EIGHT(j) {
      float gj = g.v[j] * by;
      mi.v[j] = b1 * mi.v[j] + (1 - b1) * gj;
      vi.v[j] = b2 * vi.v[j] + (1 - b2) * gj * gj;
      wi.v[j] = wi.v[j] - lr * decay * wi.v[j] - lr / correct1 * mi.v[j] / (sqrtf(vi.v[j]) / root + eps);
    }
    store8(m, i, n, mi);
    store8(v, i, n, vi);
    store8(w, i, n, wi);
    if (rounded.at) store8(rounded, i, n, wi);
  }
}
EXPORT_KERNEL(adamw)

KERNEL(32) clip_scale(const float *square, float most, float *out) {
  if (threadIdx.x != 0) return;
  float by = most / (sqrtf(square[0]) + 1e-6f);
  out[0] = by > 1 ? 1 : by; // NaN stays
}
EXPORT_KERNEL(clip_scale)
