// Sums with a fixed order: products of all elements (ScaleByBackward, TanhGateBackward, SumSquares), and SumRows.
// Both go by pieces of a fixed size into scratch memory, and then over the pieces.
#include "include/reduce.cuh"
#include "include/tensor.cuh"

enum { PIECE = 4096 }; // arguments.go has the same number

// part[block] = the sum of x y over the block's piece. A thread's 16 products are summed in fp32, the rest in fp64.
KERNEL(256) dot_pieces(Vec x, Vec y, double *part, i64 n) {
  i64 from = (i64)blockIdx.x * PIECE;
  float sum = 0;
  for (i64 i = from + threadIdx.x; i < from + PIECE && i < n; i += BLOCK) sum += load(x, i) * load(y, i);
  double all = block_sum((double)sum);
  if (threadIdx.x == 0) part[blockIdx.x] = all;
}
EXPORT_KERNEL(dot_pieces)

// What the sum of all pieces is multiplied by: the derivative of the scalar's function.
enum { BY_ONE, BY_EXP, BY_TANH_SLOPE };

KERNEL(256) dot_finish(const double *part, i64 pieces, Vec s, int how, Vec out, int add) {
  double sum = 0;
  for (i64 i = threadIdx.x; i < pieces; i += BLOCK) sum += part[i];
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

// part[y][c] = the sum of column c over the rows [256 y, 256 y + 256). A block has 32 columns, 8 threads a column.
KERNEL(256) sum_rows_pieces(Vec x, float *part, i64 rows, i64 cols) {
  SHARED(float, lanes, [8][33]);
  int lane = threadIdx.x & 31, step = threadIdx.x >> 5;
  i64 c = (i64)blockIdx.x * 32 + lane, from = (i64)blockIdx.y * 256;
  float sum = 0;
  if (c < cols)
    for (i64 r = from + step; r < from + 256 && r < rows; r += 8) sum += load(x, r * x.row + c);
  lanes[step][lane] = sum;
  __syncthreads();
  if (step != 0 || c >= cols) return;
  sum = 0;
  for (int i = 0; i < 8; i++) sum += lanes[i][lane];
  part[blockIdx.y * cols + c] = sum;
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
