// AdamW, StepGuard and ClipScale: kernels/ops_optim.go. (SumSquares is in sum.cu.)
#include "include/many.cuh"
#include "include/tensor.cuh"

// A parameter of AdamW; w, m and v are fp32, rounded is bf16 or null.
struct Update {
  float *w, *m, *v;
  void *grad;
  u16 *rounded;
  i64 n;
  int end, type; // where its pieces end among all; of the gradient
  float decay;
  int pad;
};
struct Updates {
  int count, pad;
  Update of[MANY_UPDATES];
};

// A block takes one piece of one parameter.
KERNEL(256) adamw(GRID_CONSTANT Updates all, const float *scale, const float *hyper, const int *go) {
  if (go && go[0] == 0) return;
  int k = piece_of(all.of, all.count, blockIdx.x);
  const Update &u = all.of[k];
  Vec w = {u.w, 0, F32, 0}, m = {u.m, 0, F32, 0}, v = {u.v, 0, F32, 0}, grad = {u.grad, 0, u.type, 0}, rounded = {u.rounded, 0, BF16, 0};
  float lr = hyper[0], b1 = hyper[1], b2 = hyper[2], eps = hyper[3], correct1 = hyper[4], root = sqrtf(hyper[5]), decay = u.decay;
  float by = scale ? scale[0] : 1;
  i64 n = u.n, from = (i64)(blockIdx.x - (k ? all.of[k - 1].end : 0)) * PIECE;
  PIECE8(i, from, n) {
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

// One thread; there are a few losses.
KERNEL(32) step_guard(const float *found, i64 n, const float *table, i64 rows, i64 first, int *count, float *hyper, int *go) {
  if (threadIdx.x != 0) return;
  i64 row = count[0] - first;
  int taken = row >= 0 && row < rows;
  for (int i = 0; i < 6; i++) hyper[i] = taken ? table[6 * row + i] : 0;
  for (i64 i = 0; i < n; i++)
    if (!(fabsf(found[i]) < INF)) taken = 0;
  count[0] += taken;
  go[0] = taken;
}
EXPORT_KERNEL(step_guard)

KERNEL(32) clip_scale(const float *square, float most, float *out) {
  if (threadIdx.x != 0) return;
  float by = most / (sqrtf(square[0]) + 1e-6f);
  out[0] = by > 1 ? 1 : by; // NaN stays
}
EXPORT_KERNEL(clip_scale)
