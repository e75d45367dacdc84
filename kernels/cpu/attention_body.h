// Included once an instruction set, after its tiles (HEIGHT, WIDTH, tile_f32).
#include "attention.h"

INLINE int64_t at_head(const struct heads *x, int64_t b, int64_t t, int64_t h) { return b * x->batch + t * x->token + h * x->head; }

// load_key finds key j of a head in its segment.
INLINE void load_key(float *to, const struct heads *first, const struct heads *second, const struct attention *a, int64_t b, int64_t j, int64_t g) {
  if (j < a->tk) load_row(to, first->at, first->type, at_head(first, b, j, g), a->d);
  else load_row(to, second->at, second->type, at_head(second, b, j - a->tk, g), a->d);
}

// rows_of_heads is rows [j, j+n) of a head, n <= TURN: where they lie, or in room as fp32. row_bytes is how far apart. Rows from
// `split` on are of the second segment.
INLINE const float *rows_of_heads(float *room, const struct heads *first, const struct heads *second, int64_t split, int64_t d, int64_t b, int64_t j, int64_t n, int64_t g,
                             int64_t *row_bytes) {
  const struct heads *x = j < split ? first : second;
  if (x->type == F32 && (j >= split || j + n <= split)) {
    *row_bytes = 4 * x->token;
    return (const float *)x->at + at_head(x, b, j < split ? j : j - split, g);
  }
  for (int64_t i = 0; i < n; i++) {
    x = j + i < split ? first : second;
    load_row(room + i * d, x->at, x->type, at_head(x, b, j + i < split ? j + i : j + i - split, g), d);
  }
  *row_bytes = 4 * d;
  return room;
}

INLINE const float *few_keys(float *room, const struct heads *first, const struct heads *second, const struct attention *a, int64_t b, int64_t j, int64_t n, int64_t g,
                             int64_t *row_bytes) {
  return rows_of_heads(room, first, second, a->tk, a->d, b, j, n, g, row_bytes);
}

INLINE const float *few_queries(float *room, const struct heads *x, const struct attention *a, int64_t b, int64_t i, int64_t n, int64_t h, int64_t *row_bytes) {
  return rows_of_heads(room, x, x, a->tq, a->d, b, i, n, h, row_bytes);
}

// pack_across packs a head's keys as B of a product over D: [panel of WIDTH keys][D][WIDTH], zeros beyond the last key.
static void pack_across(float *to, const struct heads *first, const struct heads *second, const struct attention *a, int64_t b, int64_t g, float *room) {
  int64_t n = a->tk + a->tk2, row_bytes;
  if (n % WIDTH) memset(to + n / WIDTH * a->d * WIDTH, 0, a->d * WIDTH * sizeof *to);
  for (int64_t j = 0; j < n; j += TURN) {
    int64_t have = least(TURN, n - j);
    const float *keys = few_keys(room, first, second, a, b, j, have, g, &row_bytes);
    turn(to + j / WIDTH * a->d * WIDTH + j % WIDTH, WIDTH, keys, row_bytes, have, a->d);
  }
}

// pack_along packs a head's values as B of a product over keys: [panel of WIDTH features][key][WIDTH], features
// beyond D being zeros. room is the number of keys a panel has room for.
static void pack_along(float *to, const struct heads *first, const struct heads *second, const struct attention *a, int64_t b, int64_t g, float *row,
                       int64_t room) {
  int64_t n = a->tk + a->tk2;
  for (int64_t j = 0; j < n; j++) {
    load_key(row, first, second, a, b, j, g);
    for (int64_t c = a->d; c < round_up(a->d, WIDTH); c++) row[c] = 0;
    for (int64_t c = 0; c < a->d; c += WIDTH) memcpy(to + (c / WIDTH * room + j) * WIDTH, row + c, WIDTH * sizeof *to);
  }
}

// sight is which keys a query sees: [from,to) of the first segment as far as the mask allows, and all of the second.
struct sight {
  int64_t from, to;
  int zeros; // the query's output is zeros
};

INLINE struct sight sees(const struct attention *a, int64_t b, int64_t i) {
  struct sight s = {0, a->tk, 0};
  if (a->causal) s.to = least(a->tk, i + a->tk - a->tq + 1);
  if (a->text_time) {
    int64_t time = a->text_time[b * a->tq + i], end = time * a->keys_per_media;
    if (!a->previous) {
      s.zeros = time == 0;
      s.from = end - a->keys_per_media;
    }
    s.to = least(s.to, end);
    if (s.from < 0 || s.from >= a->tk) s.from = s.to = 0;
  }
  if (s.to < s.from) s.to = s.from;
  return s;
}

// span is the panels of keys that any query of a strip needs: all, when one of them is uniform.
INLINE void span(const struct attention *a, int64_t b, int64_t i0, int64_t rows, int64_t *p0, int64_t *p1) {
  int64_t from = INT64_MAX, to = 0, n = a->tk + a->tk2;
  for (int64_t i = i0; i < i0 + rows; i++) {
    struct sight s = sees(a, b, i);
    if (s.zeros) continue;
    if (s.from == s.to || a->key_mask || a->tk2) { from = 0, to = n; break; }
    if (s.from < from) from = s.from;
    if (s.to > to) to = s.to;
  }
  if (from > to) from = to;
  *p0 = from / WIDTH;
  *p1 = (to + WIDTH - 1) / WIDTH;
}

// mask_row scales and masks a row of scores in panels p0..p1 (s[p * step + j]) and returns the largest.
INLINE float mask_row(float *s, int64_t step, const struct attention *a, int64_t b, int64_t h, struct sight see, int64_t p0, int64_t p1) {
  float most[WIDTH], slope = a->slopes ? a->slopes[h] : 0;
  const uint8_t *mask = a->key_mask ? a->key_mask + b * a->tk : 0;
  for (int j = 0; j < WIDTH; j++) most[j] = -INFINITY;
  for (int64_t p = p0; p < p1; p++) {
    float *x = s + (p - p0) * step;
    int32_t base = p * WIDTH, tk = a->tk, n = a->tk + a->tk2, from = see.from, to = see.to;
    float hide[WIDTH];
    for (int j = 0; j < WIDTH; j++) {
      int32_t key = base + j;
      int seen = (key >= from) & (key < to);
      hide[j] = seen | ((key >= tk) & (key < n)) ? 0.0f : 1.0f;
    }
    if (mask)
      for (int j = 0; j < WIDTH && base + j < tk; j++) hide[j] = mask[base + j] ? hide[j] : 1.0f;
    for (int j = 0; j < WIDTH; j++) {
      int32_t key = base + j;
      float bias = key < tk ? slope * (float)(key - (tk - 1)) : 0.0f;
      float y = hide[j] != 0 ? -INFINITY : fmaf(x[j], a->scale, bias);
      x[j] = y;
      most[j] = y > most[j] ? y : most[j];
    }
  }
  float top = -INFINITY;
  for (int j = 0; j < WIDTH; j++) top = most[j] > top ? most[j] : top;
  return top;
}

// soften turns masked scores into weights exp(score - top) and returns their sum; the order of the sum is fixed.
INLINE float soften(float *s, int64_t step, float top, int64_t panels) {
  float sums[WIDTH], sum = 0;
  for (int j = 0; j < WIDTH; j++) sums[j] = 0;
  for (int64_t p = 0; p < panels; p++) {
    float *x = s + p * step;
    for (int j = 0; j < WIDTH; j++) {
      x[j] = vexp_down(x[j] - top);
      sums[j] += x[j];
    }
  }
  for (int j = 0; j < WIDTH; j++) sum += sums[j];
  return sum;
}

// alike is what a query that sees nothing gives to a key, before it is divided by the number of such keys.
INLINE float alike(const struct attention *a, int64_t b, int64_t i, int64_t key) {
  if (key >= a->tk) return 0.0f;
  int twice = a->hidden_once && key > i + a->tk - a->tq && !a->key_mask[b * a->tk + key];
  return twice ? 0.0f : 1.0f;
}

INLINE float how_many_alike(const struct attention *a, int64_t b, int64_t i) {
  if (!a->hidden_once) return (float)a->tk;
  float n = 0;
  for (int64_t key = 0; key < a->tk; key++) n += alike(a, b, i, key);
  return n;
}

// weigh makes the weights of one query from its scores and returns their sum and, in lse, what the gradient needs.
INLINE float weigh(float *s, int64_t step, const struct attention *a, int64_t b, int64_t h, int64_t i, int64_t p0, int64_t p1, float *lse) {
  struct sight see = sees(a, b, i);
  float top = see.zeros ? -INFINITY : mask_row(s, step, a, b, h, see, p0, p1);
  float none = 0;
  if (top == -INFINITY) { // nothing seen: zeros, or, unless a score was NaN, all keys of the first segment alike
    for (int64_t p = p0; p < p1; p++)
      for (int j = 0; j < WIDTH; j++) {
        float *x = s + (p - p0) * step + j;
        if (*x != *x) none = *x;
        *x = see.zeros ? 0.0f : alike(a, b, i, p * WIDTH + j);
      }
    *lse = see.zeros ? -INFINITY : INFINITY + none;
    return see.zeros ? 1.0f : how_many_alike(a, b, i) + none;
  }
  float sum = soften(s, step, top, p1 - p0);
  *lse = top + logf(sum);
  return sum;
}

// pack_strip packs queries i0.. of a head as A: [D][rows].
INLINE void pack_strip(float *to, const struct heads *x, const struct attention *a, int64_t b, int64_t h, int64_t i0, int64_t rows, float *room) {
  int64_t row_bytes;
  const float *queries = few_queries(room, x, a, b, i0, rows, h, &row_bytes);
  turn(to, rows, queries, row_bytes, rows, a->d);
}

// turn_weights makes A of a product over keys, [key][rows], from a strip's scores, [panel][rows][WIDTH].
INLINE void turn_weights(float *restrict to, const float *restrict scores, int64_t rows, int64_t seen) {
  for (int64_t at = 0; at < seen; at += WIDTH, scores += rows * WIDTH) turn(to + at * rows, rows, scores, 4 * WIDTH, rows, least(WIDTH, seen - at));
}

#include "attention_strip.h"

// attention_few is attention_unit for few queries, as in decoding: packing the keys would cost more than the scores do.
static void attention_few(const struct attention *a, int64_t b, int64_t g, float *scratch) {
  int64_t n = a->tk + a->tk2, room = round_up(n, WIDTH), dp = round_up(a->d, WIDTH), group = a->h / a->hkv;
  float *scores = scratch, *query = scores + room, *row = query + dp, *out = row + dp;
  for (int64_t h = g * group; h < (g + 1) * group; h++)
    for (int64_t i = 0; i < a->tq; i++) {
      int64_t p0, p1;
      float lse;
      span(a, b, i, 1, &p0, &p1);
      load_row(query, a->q.at, a->q.type, at_head(&a->q, b, i, h), a->d);
      for (int64_t c = a->d; c < dp; c++) query[c] = row[c] = 0;
      for (int64_t j = p0 * WIDTH; j < p1 * WIDTH; j++) {
        float sums[WIDTH], sum = 0;
        for (int q = 0; q < WIDTH; q++) sums[q] = 0;
        if (j < n) {
          load_key(row, &a->k, &a->k2, a, b, j, g);
          for (int64_t c = 0; c < dp; c += WIDTH)
            for (int q = 0; q < WIDTH; q++) sums[q] = fmaf(query[c + q], row[c + q], sums[q]);
        }
        for (int q = 0; q < WIDTH; q++) sum += sums[q];
        scores[j - p0 * WIDTH] = sum;
      }
      float factor = 1.0f / weigh(scores, WIDTH, a, b, h, i, p0, p1, &lse);
      if (a->lse) a->lse[(b * a->h + h) * a->tq + i] = lse;
      for (int64_t c = 0; c < dp; c++) out[c] = 0;
      for (int64_t j = p0 * WIDTH; j < least(n, p1 * WIDTH); j++) {
        float w = scores[j - p0 * WIDTH];
        load_key(row, &a->v, &a->v2, a, b, j, g);
        for (int64_t c = 0; c < dp; c++) out[c] = fmaf(w, row[c], out[c]);
      }
      for (int64_t c = 0; c < a->d; c++) out[c] *= factor;
      store_row(a->out.at, a->out.type, at_head(&a->out, b, i, h), out, a->d);
    }
}
