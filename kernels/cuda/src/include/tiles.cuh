// Tiles of bf16 in shared memory that tensor cores read: the matrices of a product, the heads of attention.
//
// A tile has ROWS rows of WIDTH elements, WIDTH a multiple of 64. Its 16-byte pieces are mixed up: piece p of row r lies at
// p ^ (r % 8), so that the same piece of eight rows, which is what an 8x8 matrix is, lies in all banks once.
#pragma once
#include "mma.cuh"
#include "tensor.cuh"

// place is where piece col / 8 of a row begins.
template <int WIDTH> DEV int place(int row, int col) { return row * WIDTH + ((col / 8) ^ (row & 7)) * 8; }

// bring copies a tile asynchronously: ROWS rows of `width` elements in memory, the first at `from`, `stride` elements apart,
// each at a multiple of 16 bytes. Of the rows `rows` exist, of the elements `cols`; the rest are zeros.
template <int ROWS, int WIDTH, int THREADS> DEV void bring(u16 *to, const u16 *from, i64 stride, i64 rows, i64 cols) {
#pragma unroll 4
  for (int at = threadIdx.x; at < ROWS * (WIDTH / 8); at += THREADS) {
    int r = at / (WIDTH / 8), c = at % (WIDTH / 8) * 8;
    int there = r < rows ? (int)(cols - c < 0 ? 0 : cols - c > 8 ? 8 : cols - c) : 0;
    copy_async(to + place<WIDTH>(r, c), there ? from + r * stride + c : from, 2 * there);
  }
}

// The fragments of a 16x16 piece whose first row and column are given, for a left operand [row, k], or for two right operands
// of eight columns [row = column, k]. What is turned lies as [k, row].
template <int WIDTH> DEV void left(u32 *r, const u16 *tile, int row, int k) {
  int lane = threadIdx.x & 31;
  load_matrices(r, tile + place<WIDTH>(row + (lane & 15), k + lane / 16 * 8));
}
template <int WIDTH> DEV void left_turned(u32 *r, const u16 *tile, int row, int k) {
  int lane = threadIdx.x & 31;
  load_transposed(r, tile + place<WIDTH>(k + (lane & 7) + lane / 16 * 8, row + lane / 8 % 2 * 8));
}
template <int WIDTH> DEV void right(u32 *r, const u16 *tile, int row, int k) {
  int lane = threadIdx.x & 31;
  load_matrices(r, tile + place<WIDTH>(row + (lane & 7) + lane / 16 * 8, k + lane / 8 % 2 * 8));
}
template <int WIDTH> DEV void right_turned(u32 *r, const u16 *tile, int row, int k) {
  int lane = threadIdx.x & 31;
  load_transposed(r, tile + place<WIDTH>(k + (lane & 15), row + lane / 16 * 8));
}
