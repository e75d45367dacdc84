// Embedding and EmbeddingBackward: kernels/ops_loss.go.
#include "include/tensor.cuh"

// A row of n elements a block. An id outside the table makes the row NaN.
KERNEL(256) embedding(Vec table, i64 rows, const int *ids, Vec out, int add, i64 n) {
  int id = ids[blockIdx.x];
  i64 at = blockIdx.x * n;
  ROW8(i, n) {
    Eight v;
    if (id >= 0 && id < rows) v = load8(table, id * n + i, id * n + n);
    else EIGHT(j) v.v[j] = NAN32;
    store_add8(out, at + i, at + n, v, add);
  }
}
EXPORT_KERNEL(embedding)

// The tokens of an id in their order, as lists: next[t] is the next token with t's id, or -1, and heads[t] tells whether t
// is the first. last [rows] is scratch. One block; CHAIN tokens at a time find each other in shared memory.
enum { CHAIN = 1024 };
KERNEL(1024) embedding_lists(const int *ids, i64 tokens, i64 rows, int *last, int *next, int *heads) {
  SHARED(int, here, [CHAIN]);
  int own = (int)threadIdx.x;
  for (i64 r = own; r < rows; r += CHAIN) last[r] = -1;
  for (i64 t0 = 0; t0 < tokens; t0 += CHAIN) {
    i64 t = t0 + own;
    int id = t < tokens ? ids[t] : -1, before = -1, after = -1;
    if (id >= rows) id = -1;
    here[own] = id;
    __syncthreads();
    for (int i = 0; i < CHAIN; i++)
      if (here[i] == id) {
        if (i < own) before = i;
        if (i > own && after < 0) after = i;
      }
    if (id >= 0) {
      int earlier = before < 0 ? last[id] : -1; // of tokens that came before t0
      if (earlier >= 0) next[earlier] = (int)t;
      next[t] = after < 0 ? -1 : (int)(t0 + after);
      heads[t] = before < 0 && earlier < 0;
    } else if (t < tokens) {
      heads[t] = 0;
    }
    __syncthreads(); // `last` and `here` are read
    if (id >= 0 && after < 0) last[id] = (int)t;
  }
}
EXPORT_KERNEL(embedding_lists)

// The block of an id's first token sums the gradients of all its tokens, in their order; the other blocks leave. The
// table's other rows were cleared before, unless `add`.
KERNEL(256) embedding_backward(const int *ids, const int *next, const int *heads, Vec dout, Vec dtable, int add, i64 n) {
  i64 own = blockIdx.x;
  if (!heads[own]) return;
  i64 row = ids[own] * n;
  ROW8(i, n) {
    Eight sum = {};
    for (i64 t = own; t >= 0; t = next[t]) {
      Eight d = load8(dout, t * n + i, t * n + n);
      EIGHT(j) sum.v[j] += d.v[j];
    }
    store_add8(dtable, row + i, row + n, sum, add);
  }
}
EXPORT_KERNEL(embedding_backward)
