// CrossEntropy and its gradient, LogSoftmax and ArgMax, a block a row: kernels/ops_loss.go.
#include "include/reduce.cuh"
#include "include/tensor.cuh"

enum { IGNORE_LABEL = -100 };

// The log of the sum of exponentials of a row: one pass, in which each thread knows its largest element so far and the sum
// with that taken out. A row of -Inf alone gives NaN.
DEV float log_sum_exp(Vec x, i64 at, i64 n) {
  float most = -INF, sum = 0;
  ROW8(i, n) {
    Eight v = load8(x, at + i, at + n);
    float now = most;
    EIGHT(j) {
      if (i + j >= n) v.v[j] = -INF;
      now = fmaxf(now, v.v[j]);
    }
    float base = now == -INF ? 0 : now;
    sum *= expf(most - base);
    EIGHT(j) sum += expf(v.v[j] - base);
    most = now;
  }
  float all = block_max(most);
  return all + logf(block_sum(sum * expf(most - all)));
}

// A label outside [0,n) makes the loss NaN.
KERNEL(256) cross_entropy(Vec logits, const int *labels, float *lse, float *losses, i64 n) {
  i64 row = blockIdx.x;
  float l = log_sum_exp(logits, row * logits.row, n);
  if (threadIdx.x != 0) return;
  int label = labels[row];
  lse[row] = l;
  losses[row] = label == IGNORE_LABEL ? 0 : label < 0 || label >= n ? NAN32 : l - load(logits, row * logits.row + label);
}
EXPORT_KERNEL(cross_entropy)

// loss[0] is the mean over rows with a label, loss[1] their number. One block.
KERNEL(256) cross_entropy_mean(const float *losses, const int *labels, float *loss, i64 rows) {
  double sum = 0;
  int count = 0;
  for (i64 i = threadIdx.x; i < rows; i += blockDim.x) {
    if (labels[i] == IGNORE_LABEL) continue;
    sum += losses[i];
    count++;
  }
  sum = block_sum(sum);
  count = block_sum(count);
  if (threadIdx.x == 0) {
    loss[0] = (float)(sum / count);
    loss[1] = (float)count;
  }
}
EXPORT_KERNEL(cross_entropy_mean)

KERNEL(256) cross_entropy_backward(Vec logits, const int *labels, const float *lse, const float *loss, const float *dloss, Vec dlogits, int add, i64 n) {
  i64 row = blockIdx.x;
  float by = dloss[0] / loss[1];
  int label = labels[row];
  i64 at = row * logits.row, to = row * dlogits.row;
  float l = lse[row];
  ROW8(i, n) {
    Eight d = load8(logits, at + i, at + n);
    EIGHT(j) d.v[j] = label == IGNORE_LABEL ? 0 : (expf(d.v[j] - l) - (i + j == label ? 1.0f : 0.0f)) * by;
    store_add8(dlogits, to + i, to + n, d, add);
  }
}
EXPORT_KERNEL(cross_entropy_backward)

KERNEL(256) log_softmax(Vec x, Vec out, i64 n) {
  i64 at = blockIdx.x * n;
  float lse = log_sum_exp(x, at, n);
  ROW8(i, n) {
    Eight v = load8(x, at + i, at + n);
    EIGHT(j) v.v[j] -= lse;
    store8(out, at + i, at + n, v);
  }
}
EXPORT_KERNEL(log_softmax)

// Whether element (v, i) comes before (w, j): NaN is larger than all, then the larger, then the first.
DEV bool before(float v, int i, float w, int j) {
  bool nan = v != v, other = w != w;
  if (nan != other) return nan;
  if (!nan && v != w) return v > w;
  return i < j;
}

KERNEL(256) argmax(Vec x, int *out, i64 n) {
  SHARED(float, values, [256]);
  SHARED(int, places, [256]);
  i64 at = blockIdx.x * n;
  float best = -INF;
  int place = 0x7fffffff;
  ROW8(i, n) {
    Eight v = load8(x, at + i, at + n);
    EIGHT(j)
      if (i + j < n && before(v.v[j], (int)i + j, best, place)) best = v.v[j], place = (int)i + j;
  }
  values[threadIdx.x] = best;
  places[threadIdx.x] = place;
  for (int half = (int)blockDim.x / 2; half; half /= 2) {
    __syncthreads();
    int own = (int)threadIdx.x, other = own + half;
    if (own < half && before(values[other], places[other], values[own], places[own])) {
      values[own] = values[other];
      places[own] = places[other];
    }
  }
  if (threadIdx.x == 0) out[blockIdx.x] = places[0];
}
EXPORT_KERNEL(argmax)
