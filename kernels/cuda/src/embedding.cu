// Embedding and EmbeddingBackward: kernels/ops_loss.go.
#include "include/reduce.cuh"
#include "include/tensor.cuh"

// A row of n elements a block. An id outside the table makes the row NaN.
KERNEL(256) embedding(Vec table, i64 rows, const int *ids, Vec out, int add, i64 n) {
  int id = ids[blockIdx.x];
  i64 at = blockIdx.x * n;
  for (i64 i = threadIdx.x; i < n; i += BLOCK) store_add(out, at + i, id >= 0 && id < rows ? load(table, id * n + i) : NAN32, add);
}
EXPORT_KERNEL(embedding)

// The block of the first token with an id sums the gradients of all tokens with that id, in their order; the other
// blocks of the id leave. The table's other rows were cleared before, unless `add`.
KERNEL(256) embedding_backward(const int *ids, i64 tokens, i64 rows, Vec dout, Vec dtable, int add, i64 n) {
  i64 own = blockIdx.x;
  int id = ids[own], earlier = 0;
  if (id < 0 || id >= rows) return;
  for (i64 t = threadIdx.x; t < own; t += BLOCK) earlier |= ids[t] == id;
  if (block_sum(earlier) != 0) return;
  for (i64 i = threadIdx.x; i < n; i += BLOCK) {
    float sum = 0;
    for (i64 t = own; t < tokens; t++)
      if (ids[t] == id) sum += load(dout, t * n + i);
    store_add(dtable, id * n + i, sum, add);
  }
}
EXPORT_KERNEL(embedding_backward)
