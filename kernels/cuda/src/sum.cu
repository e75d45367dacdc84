// Sums with a fixed order: products of all elements (ScaleByBackward, TanhGateBackward), SumSquares and SumRows. All go by
// pieces of a fixed size into scratch memory, and then over the pieces.
#include "include/many.cuh"
#include "include/reduce.cuh"
#include "include/tensor.cuh"

// part[block] = the sum of x y over the block's piece. A thread's products are summed in fp32, the rest in fp64.
KERNEL(256) dot_pieces(Vec x, Vec y, double *part, i64 n) {
  i64 from = (i64)blockIdx.x * PIECE;
  float sum = 0;
#pragma unroll
  for (int k = 0; k < PIECE / 2048; k++) {
    i64 i = from + 2048 * k + 8 * threadIdx.x;
    Eight v = load8(x, i, n), w = load8(y, i, n);
    EIGHT(j) sum += v.v[j] * w.v[j];
  }
  double all = block_sum((double)sum);
  if (threadIdx.x == 0) part[blockIdx.x] = all;
}
EXPORT_KERNEL(dot_pieces)

// A tensor whose squares are summed.
struct Square {
  void *at;
  i64 n;
  int end, type; // where its pieces end among all
};
struct Squares {
  int count, pad;
  Square of[MANY_SQUARES];
};

// part[block] = the sum of the squares of a piece of one of many tensors.
KERNEL(256) squares_pieces(GRID_CONSTANT Squares all, double *part) {
  int k = piece_of(all.of, all.count, blockIdx.x);
  Vec x = {all.of[k].at, 0, all.of[k].type, 0};
  i64 n = all.of[k].n, from = (i64)(blockIdx.x - (k ? all.of[k - 1].end : 0)) * PIECE;
  float sum = 0;
  PIECE8(i, from, n) {
    Eight v = load8(x, i, n);
    EIGHT(j) sum += v.v[j] * v.v[j];
  }
  double whole = block_sum((double)sum);
  if (threadIdx.x == 0) part[blockIdx.x] = whole;
}
EXPORT_KERNEL(squares_pieces)

// What the sum of all pieces is multiplied by: the derivative of the scalar's function.
enum { BY_ONE, BY_EXP, BY_TANH_SLOPE };

KERNEL(256) dot_finish(const double *part, i64 pieces, Vec s, int how, Vec out, int add) {
  double sum = 0;
  for (i64 i = threadIdx.x; i < pieces; i += blockDim.x) sum += part[i];
  sum = block_sum(sum);
  if (threadIdx.x != 0) return;
  float by = 1;
  if (how == BY_EXP) by = expf(load(s, 0));
  if (how == BY_TANH_SLOPE) {
    float t = tanhf(load(s, 0));
    by = 1 - t * t;
  }
  store_add(out, 0, by * (float)sum, add);
}
EXPORT_KERNEL(dot_finish)

// part[y][c] = the sum of column c over `each` rows from row y * each on. A block has 256 columns, eight a lane, and
// eight warps that take rows in turn.
KERNEL(256) sum_rows_pieces(Vec x, float *part, i64 each, i64 rows, i64 cols) {
  SHARED(float, lanes, [8][256]);
  int lane = threadIdx.x & 31, step = threadIdx.x >> 5;
  i64 c0 = (i64)blockIdx.x * 256, c = c0 + 8 * lane, from = (i64)blockIdx.y * each;
  Eight sum = {};
  for (i64 r = from + step; r < from + each && r < rows; r += 8) {
    Eight v = load8(x, r * x.row + c, r * x.row + cols);
    EIGHT(j) sum.v[j] += v.v[j];
  }
  EIGHT(j) lanes[step][8 * lane + j] = sum.v[j];
  __syncthreads();
  if (c0 + threadIdx.x >= cols) return;
  float all = 0;
  for (int i = 0; i < 8; i++) all += lanes[i][threadIdx.x];
  part[blockIdx.y * cols + c0 + threadIdx.x] = all;
}
EXPORT_KERNEL(sum_rows_pieces)

KERNEL(256) sum_rows_finish(const float *part, i64 pieces, i64 cols, Vec out, int add) {
  EACH(c, cols) {
    float sum = 0;
    for (i64 i = 0; i < pieces; i++) sum += part[i * cols + c];
    store_add(out, c, sum, add);
  }
}
EXPORT_KERNEL(sum_rows_finish)
