// Put and Advance: kernels/ops_attention.go. What a step that is replayed counts and keeps.
#include "include/tensor.cuh"

KERNEL(256) put(Heads src, Heads dst, const int *at, i64 tokens, i64 room, i64 heads, i64 d, i64 n) {
  i64 from = at[0];
  if (from < 0 || from + tokens > room) return;
  EACH(i, n) {
    i64 c = i % d, h = i / d % heads, t = i / d / heads % tokens, b = i / d / heads / tokens;
    store_add(dst, head_at(dst, b, from + t, h) + c, load(src, head_at(src, b, t, h) + c), 0);
  }
}
EXPORT_KERNEL(put)

KERNEL(256) advance_ints(int *x, int by, i64 n) {
  EACH(i, n) x[i] += by;
}
EXPORT_KERNEL(advance_ints)
