// Ops over many tensors in one launch (mirrored in ops_optim.go): the tensors stand in the launch's arguments, as many as 4 KiB
// hold. Each is cut into pieces of PIECE elements, and a block takes one. An entry's `end` is the number of pieces up to its
// own last one.
#pragma once
#include "port.cuh"

enum { PIECE = 8192, MANY_UPDATES = 56, MANY_SQUARES = 128 };

// piece_of is the entry that a piece belongs to: the first whose end lies behind it.
template <class T> DEV int piece_of(const T *of, int count, unsigned piece) {
  int low = 0, high = count - 1;
  while (low < high) {
    int middle = (low + high) / 2;
    if ((unsigned)of[middle].end > piece) high = middle;
    else low = middle + 1;
  }
  return low;
}

// PIECE8 walks a block of 256 over the elements of a piece, eight a thread and turn.
#define PIECE8(i, from, n) _Pragma("unroll 1") for (i64 i = (from) + 8 * threadIdx.x; i < (n) && i < (from) + PIECE; i += 8 * 256)
