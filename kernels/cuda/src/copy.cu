// Copy between any strides and floating types: kernels/ops_elementwise.go.
#include "include/tensor.cuh"

// Both sides' strides over the same five dimensions, the last one innermost; leading ones may be 1.
struct Walk {
  i64 dims[5], from[5], to[5];
};

DEV void places(const Walk &w, i64 i, i64 *from, i64 *to) {
  *from = *to = 0;
#pragma unroll
  for (int d = 4; d >= 0; d--) {
    if (w.dims[d] == 1) continue;
    i64 at = i % w.dims[d];
    i /= w.dims[d];
    *from += at * w.from[d];
    *to += at * w.to[d];
  }
}

KERNEL(256) copy_floats(Vec src, Vec dst, Walk walk, int add, i64 n) {
  EACH(i, n) {
    i64 from, to;
    places(walk, i, &from, &to);
    store_add(dst, to, load(src, from), add);
  }
}
EXPORT_KERNEL(copy_floats)

// Both sides' innermost elements are neighbours and a multiple of eight.
KERNEL(256) copy_floats8(Vec src, Vec dst, Walk walk, int add, i64 n) {
  EACH8(i, n) {
    i64 from, to;
    places(walk, i, &from, &to);
    store_add8(dst, to, to + 8, load8(src, from, from + 8), add);
  }
}
EXPORT_KERNEL(copy_floats8)

// Elements of `size` bytes as they are: a NaN keeps its payload, integers need no case of their own. Elements of 16 bytes
// stand for several smaller ones.
KERNEL(256) copy_bytes(const u8 *src, u8 *dst, Walk walk, int size, i64 n) {
  EACH(i, n) {
    i64 from, to;
    places(walk, i, &from, &to);
    if (size == 16) ((Sixteen *)dst)[to] = ((const Sixteen *)src)[from];
    else if (size == 4) ((u32 *)dst)[to] = ((const u32 *)src)[from];
    else if (size == 2) ((u16 *)dst)[to] = ((const u16 *)src)[from];
    else dst[to] = src[from];
  }
}
EXPORT_KERNEL(copy_bytes)
