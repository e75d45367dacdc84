// Attention on tensor cores: what forward and backward share. All of Q, K, V, Out and dOut are bf16, and their heads' rows
// begin at multiples of 16 bytes. Sums are fp32; weights are rounded to bf16 before they meet V, as everything on these
// cores is.
//
// A block has SIDE rows of one head (queries, or keys for dK and dV), SIDE / 4 a warp, and goes through the other side's. Heads have D features, a multiple of 16, those beyond a.d being zeros; a tile's rows are WIDTH long. Scores are
// kept times log2(e), so that weights are powers of two.
#pragma once
#include "attention.cuh"
#include "tiles.cuh"

enum { SIDE = 64 };
#define LOG2E 1.4426950408889634f

template <int D> struct Features {
  enum { WIDTH = D <= 64 ? 64 : 128, PIECES = D / 16 };
};

// Where rows t.. of a head lie.
DEV const u16 *rows_of(const Heads &x, i64 b, i64 t, i64 h) { return (const u16 *)x.at + head_at(x, b, t, h); }

// Keys come in tiles of SIDE, those of the first segment before those of the second. A tile knows its first key's number
// over both segments, its place in its own, and how many of that segment follow.
struct KeyTile {
  i64 j, at, left;
  bool second;
};
DEV i64 first_tiles(const AttentionOp &a) { return (a.tk + SIDE - 1) / SIDE; }
DEV i64 key_tiles(const AttentionOp &a) { return first_tiles(a) + (a.tk2 + SIDE - 1) / SIDE; }
DEV KeyTile key_tile(const AttentionOp &a, i64 t) {
  i64 at = (t < first_tiles(a) ? t : t - first_tiles(a)) * SIDE;
  if (t < first_tiles(a)) return {at, at, a.tk - at, false};
  return {a.tk + at, at, a.tk2 - at, true};
}

// Whether query i may see any key of a tile; only a mask of keys is not asked.
DEV bool reaches(const AttentionOp &a, i64 b, i64 i, const KeyTile &t) {
  if (i >= a.tq) return false;
  if (t.second) return true;
  if (a.causal && t.j > i + a.tk - a.tq) return false;
  if (!a.text_time) return true;
  i64 text = a.text_time[b * a.tq + i], first = t.j / a.keys_per_media + 1, last = (t.j + (t.left < SIDE ? t.left : (i64)SIDE) - 1) / a.keys_per_media + 1;
  return (first <= text && text <= last) || (a.previous && first < text);
}

// Whether all queries from i on that exist see all keys of a tile, which are SIDE.
DEV bool all_seen(const AttentionOp &a, i64 i, const KeyTile &t) {
  return t.left >= SIDE && (t.second || !(a.key_mask || a.text_time || (a.causal && t.j + SIDE - 1 > i + a.tk - a.tq)));
}

// How products of a head with a tile of keys become scores: times log2(e), with ALiBi's bias for key c of the tile.
struct Scoring {
  float scale, slope, from;
};
DEV Scoring scoring(const AttentionOp &a, i64 h, const KeyTile &t) {
  return {a.scale * LOG2E, a.slopes && !t.second ? a.slopes[h] * LOG2E : 0, (float)(t.j - (a.tk - 1))};
}
DEV float score(const Scoring &s, float product, int c) { return s.scale * product + s.slope * (s.from + (float)c); }

// Element q of fragment f of sums [16,8] is in this row and column, of a warp's 16 rows.
DEV int row_of(int q) { return (threadIdx.x & 31) / 4 + q / 2 * 8; }
DEV int column_of(int f, int q) { return 8 * f + (threadIdx.x & 31) % 4 * 2 + q % 2; }

// A bit for each element of a warp's sums of queries [from i, 16] with a tile's keys: whether it is seen. The loop is short
// code for what few tiles need.
DEV u32 seen_elements(const AttentionOp &a, i64 b, i64 i, const KeyTile &t) {
  u32 bits = 0;
#pragma unroll 1
  for (int at = 0; at < SIDE / 8 * 4; at++) {
    int c = column_of(at / 4, at % 4);
    i64 own = i + row_of(at % 4);
    bits |= (u32)(c < t.left && own < a.tq && sees(a, b, own, t.j + c)) << at;
  }
  return bits;
}

// pack turns the sums of two neighbouring fragments [16,8] into a left operand [16,16].
DEV void pack(u32 *left, const float *first, const float *second) {
  left[0] = pack_bf16(first[0], first[1]);
  left[1] = pack_bf16(first[2], first[3]);
  left[2] = pack_bf16(second[0], second[1]);
  left[3] = pack_bf16(second[2], second[3]);
}

// score_tiles is the product of M times 16 rows of one tile, from `row` on, with COUNT rows of another, over D features. What is
// read of the others serves all M.
template <int D, int COUNT, int M> DEV void score_tiles(float (&sum)[M][COUNT / 8][4], const u16 *rows, int row, const u16 *others) {
  enum { WIDTH = Features<D>::WIDTH };
#pragma unroll
  for (int c = 0; c < D; c += 16) {
    u32 x[M][4], y[4];
#pragma unroll
    for (int m = 0; m < M; m++) left<WIDTH>(x[m], rows, row + 16 * m, c);
#pragma unroll
    for (int j = 0; j < COUNT; j += 16) {
      right<WIDTH>(y, others, j, c);
#pragma unroll
      for (int m = 0; m < M; m++) {
        multiply_add(sum[m][j / 8], x[m], y);
        multiply_add(sum[m][j / 8 + 1], x[m], y + 2);
      }
    }
  }
}

// weigh_tiles adds the products of M times weights [16,COUNT] with COUNT rows of a tile, over D features.
template <int D, int COUNT, int M> DEV void weigh_tiles(float (&sum)[M][D / 8][4], const float (&weights)[M][COUNT / 8][4], const u16 *others) {
  enum { WIDTH = Features<D>::WIDTH };
#pragma unroll
  for (int j = 0; j < COUNT; j += 16) {
    u32 x[M][4], y[4];
#pragma unroll
    for (int m = 0; m < M; m++) pack(x[m], weights[m][j / 8], weights[m][j / 8 + 1]);
#pragma unroll
    for (int c = 0; c < D; c += 16) {
      right_turned<WIDTH>(y, others, c, j);
#pragma unroll
      for (int m = 0; m < M; m++) {
        multiply_add(sum[m][c / 8], x[m], y);
        multiply_add(sum[m][c / 8 + 1], x[m], y + 2);
      }
    }
  }
}
