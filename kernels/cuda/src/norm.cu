// LayerNorm, RMSNorm, L2Norm and their gradients, a block a row: kernels/ops_norm.go. What a row is read for again lies in
// the cache.
#include "include/reduce.cuh"
#include "include/tensor.cuh"

// Without `centred`: RMSNorm. The variance is of differences from the mean: E[x^2] - E[x]^2 would lose digits.
KERNEL(256) norm_rows(Vec x, Vec w, Vec b, int centred, float eps, Vec out, float *means, float *rstds, i64 n) {
  i64 row = blockIdx.x, at = row * n, end = at + n;
  float mean = 0, square = 0;
  if (centred) {
    ROW8(i, n) {
      Eight v = load8(x, at + i, end);
      EIGHT(j) mean += v.v[j];
    }
    mean = block_sum(mean) / (float)n;
  }
  ROW8(i, n) {
    Eight v = load8(x, at + i, end);
    EIGHT(j) {
      float d = i + j < n ? v.v[j] - mean : 0;
      square += d * d;
    }
  }
  float rstd = 1.0f / sqrtf(block_sum(square) / (float)n + eps);
  ROW8(i, n) {
    Eight v = load8(x, at + i, end), by = load8(w, i, n), plus = {};
    if (b.at) plus = load8(b, i, n);
    EIGHT(j) v.v[j] = (v.v[j] - mean) * rstd * by.v[j] + plus.v[j];
    store8(out, at + i, end, v);
  }
  if (threadIdx.x == 0) {
    if (means) means[row] = mean;
    if (rstds) rstds[row] = rstd;
  }
}
EXPORT_KERNEL(norm_rows)

// With xhat = (x - mean) rstd and g = w dout: dx = rstd (g - mean(g) - xhat mean(g xhat)); RMSNorm has no mean(g).
KERNEL(256) norm_backward(Vec x, Vec w, const float *means, const float *rstds, Vec dout, Vec dx, int add, i64 n) {
  i64 row = blockIdx.x, at = row * n, end = at + n;
  float mean = means ? means[row] : 0, rstd = rstds[row], sum_g = 0, sum_gx = 0;
  ROW8(i, n) {
    Eight v = load8(x, at + i, end), by = load8(w, i, n), d = load8(dout, at + i, end); // zeros beyond the end, in d too
    EIGHT(j) {
      float g = by.v[j] * d.v[j];
      sum_g += g;
      sum_gx += g * (v.v[j] - mean) * rstd;
    }
  }
  float mean_g = means ? block_sum(sum_g) / (float)n : 0, mean_gx = block_sum(sum_gx) / (float)n;
  ROW8(i, n) {
    Eight v = load8(x, at + i, end), by = load8(w, i, n), d = load8(dout, at + i, end);
    EIGHT(j) {
      float g = by.v[j] * d.v[j], xhat = (v.v[j] - mean) * rstd;
      v.v[j] = rstd * (g - mean_g - xhat * mean_gx);
    }
    store_add8(dx, at + i, end, v, add);
  }
}
EXPORT_KERNEL(norm_backward)

// The sums of dout xhat (dw) and of dout (db) over `each` rows a block, as sum_rows_pieces in sum.cu has them.
KERNEL(256) norm_backward_pieces(Vec x, const float *means, const float *rstds, Vec dout, float *dw, float *db, i64 each, i64 rows, i64 cols) {
  SHARED(float, lanes, [2][8][256]);
  int lane = threadIdx.x & 31, step = threadIdx.x >> 5;
  i64 c0 = (i64)blockIdx.x * 256, c = c0 + 8 * lane, from = (i64)blockIdx.y * each;
  Eight sum_w = {}, sum_b = {};
  for (i64 r = from + step; r < from + each && r < rows; r += 8) {
    Eight d = load8(dout, r * cols + c, r * cols + cols), v = load8(x, r * cols + c, r * cols + cols);
    float mean = means ? means[r] : 0, rstd = rstds[r];
    EIGHT(j) {
      sum_w.v[j] += d.v[j] * (v.v[j] - mean) * rstd;
      sum_b.v[j] += d.v[j];
    }
  }
  EIGHT(j) {
    lanes[0][step][8 * lane + j] = sum_w.v[j];
    lanes[1][step][8 * lane + j] = sum_b.v[j];
  }
  __syncthreads();
  i64 own = c0 + threadIdx.x;
  if (own >= cols) return;
  float w = 0, b = 0;
  for (int i = 0; i < 8; i++) {
    w += lanes[0][i][threadIdx.x];
    b += lanes[1][i][threadIdx.x];
  }
  dw[blockIdx.y * cols + own] = w;
  db[blockIdx.y * cols + own] = b;
}
EXPORT_KERNEL(norm_backward_pieces)

KERNEL(256) l2norm(Vec x, Vec out, float *norms, i64 n) {
  i64 row = blockIdx.x, at = row * n, end = at + n;
  float square = 0;
  ROW8(i, n) {
    Eight v = load8(x, at + i, end);
    EIGHT(j) square += v.v[j] * v.v[j];
  }
  float norm = sqrtf(block_sum(square));
  ROW8(i, n) {
    Eight v = load8(x, at + i, end);
    EIGHT(j) v.v[j] = norm == 0 ? 0 : v.v[j] / norm;
    store8(out, at + i, end, v);
  }
  if (threadIdx.x == 0 && norms) norms[row] = norm;
}
EXPORT_KERNEL(l2norm)

KERNEL(256) l2norm_backward(Vec out, const float *norms, Vec dout, Vec dx, int add, i64 n) {
  i64 row = blockIdx.x, at = row * n, end = at + n;
  float along = 0, norm = norms[row];
  ROW8(i, n) {
    Eight o = load8(out, at + i, end), d = load8(dout, at + i, end);
    EIGHT(j) along += o.v[j] * d.v[j];
  }
  along = block_sum(along);
  ROW8(i, n) {
    Eight o = load8(out, at + i, end), d = load8(dout, at + i, end);
    EIGHT(j) d.v[j] = norm == 0 ? 0 : (d.v[j] - o.v[j] * along) / norm;
    store_add8(dx, at + i, end, d, add);
  }
}
EXPORT_KERNEL(l2norm_backward)
