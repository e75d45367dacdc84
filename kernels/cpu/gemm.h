// A matrix product, Out[m,n] = act(alpha * sum over k of A[m,k] B[n,k] + bias[n]) + residual[m,n], in tiles.
//
// B lies packed in panels of `width` columns (pack_b), A is packed by each worker for the rows it works on, and a tile of
// Out is summed in fp32 in a scratch, block of k by block of k, and leaves through the epilogue. The order of the sum
// depends on k alone, so the result does not depend on how the tiles are shared out. Only few_rows, which reads an unpacked B
// where it lies, sums in an order of its own.
//
// A gemm_kind is how one type of B is multiplied; each instruction set has three (set.h).
#ifndef MMC4_GEMM_H
#define MMC4_GEMM_H

#include <stdint.h>

struct gemm {
  int64_t m, n, k;
  const void *a;
  int64_t a_row, a_col; // strides in elements; a_col is 1 unless A is transposed
  int a_type;
  const void *b;        // packed, but for few_rows
  int64_t b_first;      // the panel that b begins with
  int64_t b_row, b_col; // few_rows: element (n,k) lies at n*b_row + k*b_col, one of which is 1
  const float *b_scale; // int8: factor of each column
  float alpha;
  const void *bias;
  int bias_type;
  int act;
  void *pre; // where to keep what act is applied to, [m,n]; or NULL
  int pre_type;
  const void *residual;
  int64_t residual_row;
  int residual_type;
  void *out;
  int64_t out_row;
  int out_type;
  int add;
};

enum {
  ROWS = 96,  // rows of A that a worker packs at a time; a multiple of every tile's height
  FEW = 8,    // up to how many rows it costs less to read B where it lies than to pack it
  RUN = 512,  // columns that few_rows computes at a time
  DEEP = 1024, // 4-byte groups of k that a worker packs of A at a time: with ROWS rows they stay in the second cache
  BROAD = 1024, // columns that a worker keeps sums of when k is longer than that
};

// How one type of B is multiplied on one instruction set.
struct gemm_kind {
  int width;  // columns of a panel
  int group;  // elements of k that lie together: 1 fp32, 2 bf16, 4 int8
  int a_size; // bytes of an element of packed A
  int b_size; // bytes of an element of packed B
  // pack_b packs panels [p0,p1) of B[n,k], whose element (n,k) lies at n*row + k*col.
  void (*pack_b)(void *to, const void *b, int type, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1);
  // pack_a packs elements [k0,k1) of rows [m0,m1) of A, at most ROWS. For int8 it also writes the factor of each row, and
  // wants all of k.
  void (*pack_a)(void *to, float *scales, const struct gemm *g, int64_t m0, int64_t m1, int64_t k0, int64_t k1);
  // tiles adds the products of elements [k0,k1) to sums of rows [m0,m1) of panels [p0,p1), or begins the sums with k0 = 0; with
  // k1 = k they go through the epilogue to Out. c holds the sums, ROWS*width floats for a panel, or for all when k is not divided.
  void (*tiles)(const struct gemm *g, int64_t m0, int64_t m1, int64_t p0, int64_t p1, int64_t k0, int64_t k1, const void *a, const float *scales, float *c);
};

#endif
