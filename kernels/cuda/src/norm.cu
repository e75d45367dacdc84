// LayerNorm, RMSNorm, L2Norm and their gradients, a block a row: kernels/ops_norm.go.
#include "include/reduce.cuh"
#include "include/tensor.cuh"

// Without `centred`: RMSNorm. The variance is of differences from the mean: E[x^2] - E[x]^2 would lose digits.
KERNEL(256) norm_rows(Vec x, Vec w, Vec b, int centred, float eps, Vec out, float *means, float *rstds, i64 n) {
  i64 row = blockIdx.x, at = row * n;
  float mean = 0, square = 0;
  if (centred) {
    for (i64 i = threadIdx.x; i < n; i += BLOCK) mean += load(x, at + i);
    mean = block_sum(mean) / (float)n;
  }
  for (i64 i = threadIdx.x; i < n; i += BLOCK) {
    float d = load(x, at + i) - mean;
    square += d * d;
  }
  float rstd = 1.0f / sqrtf(block_sum(square) / (float)n + eps);
  for (i64 i = threadIdx.x; i < n; i += BLOCK) store(out, at + i, (load(x, at + i) - mean) * rstd * load(w, i) + (b.at ? load(b, i) : 0));
  if (threadIdx.x == 0) {
    if (means) means[row] = mean;
    if (rstds) rstds[row] = rstd;
  }
}
EXPORT_KERNEL(norm_rows)

// With xhat = (x - mean) rstd and g = w dout: dx = rstd (g - mean(g) - xhat mean(g xhat)); RMSNorm has no mean(g).
KERNEL(256) norm_backward(Vec x, Vec w, const float *means, const float *rstds, Vec dout, Vec dx, int add, i64 n) {
  i64 row = blockIdx.x, at = row * n;
  float mean = means ? means[row] : 0, rstd = rstds[row], sum_g = 0, sum_gx = 0;
  for (i64 i = threadIdx.x; i < n; i += BLOCK) {
    float g = load(w, i) * load(dout, at + i);
    sum_g += g;
    sum_gx += g * (load(x, at + i) - mean) * rstd;
  }
  float mean_g = means ? block_sum(sum_g) / (float)n : 0, mean_gx = block_sum(sum_gx) / (float)n;
  for (i64 i = threadIdx.x; i < n; i += BLOCK) {
    float g = load(w, i) * load(dout, at + i), xhat = (load(x, at + i) - mean) * rstd;
    store_add(dx, at + i, rstd * (g - mean_g - xhat * mean_gx), add);
  }
}
EXPORT_KERNEL(norm_backward)

// The sums of dout xhat (dw) and of dout (db) over 256 rows a block, as sum_rows_pieces in sum.cu has them.
KERNEL(256) norm_backward_pieces(Vec x, const float *means, const float *rstds, Vec dout, float *dw, float *db, i64 rows, i64 cols) {
  SHARED(float, lanes, [2][8][33]);
  int lane = threadIdx.x & 31, step = threadIdx.x >> 5;
  i64 c = (i64)blockIdx.x * 32 + lane, from = (i64)blockIdx.y * 256;
  float sum_w = 0, sum_b = 0;
  if (c < cols)
    for (i64 r = from + step; r < from + 256 && r < rows; r += 8) {
      float d = load(dout, r * cols + c), mean = means ? means[r] : 0;
      sum_w += d * (load(x, r * cols + c) - mean) * rstds[r];
      sum_b += d;
    }
  lanes[0][step][lane] = sum_w;
  lanes[1][step][lane] = sum_b;
  __syncthreads();
  if (step > 1 || c >= cols) return;
  float *out = step == 0 ? dw : db, sum = 0;
  for (int i = 0; i < 8; i++) sum += lanes[step][i][lane];
  out[blockIdx.y * cols + c] = sum;
}
EXPORT_KERNEL(norm_backward_pieces)

KERNEL(256) l2norm(Vec x, Vec out, float *norms, i64 n) {
  i64 row = blockIdx.x, at = row * n;
  float square = 0;
  for (i64 i = threadIdx.x; i < n; i += BLOCK) {
    float v = load(x, at + i);
    square += v * v;
  }
  float norm = sqrtf(block_sum(square));
  for (i64 i = threadIdx.x; i < n; i += BLOCK) store(out, at + i, norm == 0 ? 0 : load(x, at + i) / norm);
  if (threadIdx.x == 0 && norms) norms[row] = norm;
}
EXPORT_KERNEL(l2norm)

KERNEL(256) l2norm_backward(Vec out, const float *norms, Vec dout, Vec dx, int add, i64 n) {
  i64 row = blockIdx.x, at = row * n;
  float along = 0, norm = norms[row];
  for (i64 i = threadIdx.x; i < n; i += BLOCK) along += load(out, at + i) * load(dout, at + i);
  along = block_sum(along);
  for (i64 i = threadIdx.x; i < n; i += BLOCK) {
    float d = norm == 0 ? 0 : (load(dout, at + i) - load(out, at + i) * along) / norm;
    store_add(dx, at + i, d, add);
  }
}
EXPORT_KERNEL(l2norm_backward)
