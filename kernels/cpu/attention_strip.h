// The forward pass by strips of WIDTH queries. Included by attention_body.h.
//
// All is kept the other way round: scores are [key][query], so that a query is a lane. The softmax then runs down the lanes,
// without sums across a register; the scores are B of the second product as they stand; and its A, the values, need no
// turning. Only queries, keys and the strip's result are turned.

enum { AT_ONCE = 4 }; // keys whose sum or maximum is made before it meets the one so far: a shorter chain of additions

// attention_scratch is the floats that a forward unit wants.
static int64_t attention_scratch(const struct attention *a) {
  int64_t room = round_up(a->tk + a->tk2, WIDTH) + HEIGHT + AT_ONCE, dp = round_up(a->d, WIDTH);
  return 2 * room * dp + room * WIDTH + 3 * WIDTH * dp + TURN * dp;
}

// pack_keys packs a head's keys as A of a product over D: [panel of HEIGHT keys][D][HEIGHT].
static void pack_keys(float *to, const struct attention *a, int64_t b, int64_t g, float *room) {
  int64_t n = a->tk + a->tk2, row_bytes;
  for (int64_t j = 0; j < n; j += HEIGHT) {
    int64_t have = least(HEIGHT, n - j);
    const float *keys = few_keys(room, &a->k, &a->k2, a, b, j, have, g, &row_bytes);
    turn(to + j * a->d, have, keys, row_bytes, have, a->d);
  }
}

// pack_values packs a head's values as A of a product over keys: [panel of HEIGHT features][key][HEIGHT].
static void pack_values(float *to, const struct attention *a, int64_t b, int64_t g, float *room) {
  int64_t n = a->tk + a->tk2, row_bytes;
  for (int64_t j = 0; j < n; j++) {
    const float *value = few_keys(room, &a->v, &a->v2, a, b, j, 1, g, &row_bytes);
    int64_t c = 0;
    for (; c + HEIGHT <= a->d; c += HEIGHT) memcpy(to + c * n + j * HEIGHT, value + c, HEIGHT * sizeof *to);
    for (int64_t i = c; i < a->d; i++) to[c * n + j * (a->d - c) + i - c] = value[i];
  }
}

// lanes is what the queries of a strip see. Lanes without a query see what the last query sees.
struct lanes {
  int32_t from[WIDTH], to[WIDTH];
  int32_t all_from, all_to; // the keys of the first segment that all see
  int64_t k0, k1;           // the keys that any of them needs
};

INLINE struct lanes look(const struct attention *a, int64_t b, int64_t i0, int64_t rows) {
  struct lanes l = {.all_from = 0, .all_to = (int32_t)a->tk, .k0 = INT64_MAX, .k1 = 0};
  int everything = a->key_mask || a->tk2;
  for (int64_t j = 0; j < WIDTH; j++) {
    struct sight s = sees(a, b, i0 + least(j, rows - 1));
    l.from[j] = s.from, l.to[j] = s.to;
    if (s.from > l.all_from) l.all_from = s.from;
    if (s.to < l.all_to) l.all_to = s.to;
    if (s.zeros) continue;
    if (s.from == s.to) everything = 1; // a uniform query
    if (s.from < l.k0) l.k0 = s.from;
    if (s.to > l.k1) l.k1 = s.to;
  }
  if (everything) l.k0 = 0, l.k1 = a->tk + a->tk2;
  if (l.k0 > l.k1) l.k0 = l.k1;
  l.k0 -= l.k0 % HEIGHT;
  return l;
}

// mask_lanes scales and masks scores.
INLINE void mask_lanes(float *s, const struct attention *a, const struct lanes *l, int64_t b, int64_t h) {
  const uint8_t *mask = a->key_mask ? a->key_mask + b * a->tk : 0;
  float slope = a->slopes ? a->slopes[h] : 0;
  for (int64_t key = l->k0; key < l->k1; key++, s += WIDTH) {
    float bias = key < a->tk ? slope * (float)(key - (a->tk - 1)) : 0.0f;
    int hidden = mask && key < a->tk && !mask[key];
    if (!hidden && (key >= a->tk || (key >= l->all_from && key < l->all_to))) {
      for (int j = 0; j < WIDTH; j++) s[j] = fmaf(s[j], a->scale, bias);
    } else {
      int32_t k = (int32_t)key;
      for (int j = 0; j < WIDTH; j++) s[j] = hidden | (k < l->from[j]) | (k >= l->to[j]) ? -INFINITY : fmaf(s[j], a->scale, bias);
    }
  }
  for (int j = 0; j < (AT_ONCE - 1) * WIDTH; j++) s[j] = -INFINITY; // so that keys can be taken AT_ONCE at a time
}

// weigh_lanes makes weights of scores; sum is what they are to be divided by, lse what the gradient needs.
INLINE void weigh_lanes(float *s, const struct attention *a, const struct lanes *l, int64_t b, int64_t h, int64_t i0, int64_t rows, float *sum, float *lse) {
  int64_t keys = l->k1 - l->k0;
  float top[WIDTH], none[WIDTH];
  int odd[WIDTH], any = 0;
  mask_lanes(s, a, l, b, h);
  for (int j = 0; j < WIDTH; j++) top[j] = -INFINITY;
  for (int64_t k = 0; k < keys; k += AT_ONCE) {
    const float *x = s + k * WIDTH, *y = x + WIDTH, *z = y + WIDTH, *w = z + WIDTH;
    for (int j = 0; j < WIDTH; j++) {
      float m = x[j] > y[j] ? x[j] : y[j], n = z[j] > w[j] ? z[j] : w[j]; // the second one where either is NaN
      m = m > n ? m : n;
      top[j] = m > top[j] ? m : top[j];
    }
  }
  for (int j = 0; j < rows; j++) { // sees nothing: zeros, or, unless a score was NaN, all keys of the first segment alike
    odd[j] = sees(a, b, i0 + j).zeros || top[j] == -INFINITY;
    if (!odd[j]) continue;
    any = 1, none[j] = 0, top[j] = 0;
    for (int64_t k = 0; k < keys; k++)
      if (s[k * WIDTH + j] != s[k * WIDTH + j]) none[j] = s[k * WIDTH + j];
  }
  for (int j = 0; j < WIDTH; j++) sum[j] = 0;
  for (int64_t k = 0; k < keys; k += AT_ONCE) {
    float *x = s + k * WIDTH, *y = x + WIDTH, *z = y + WIDTH, *w = z + WIDTH;
    for (int j = 0; j < WIDTH; j++) {
      x[j] = vexp_down(x[j] - top[j]), y[j] = vexp_down(y[j] - top[j]), z[j] = vexp_down(z[j] - top[j]), w[j] = vexp_down(w[j] - top[j]);
      sum[j] += (x[j] + y[j]) + (z[j] + w[j]);
    }
  }
  for (int j = 0; j < rows; j++) lse[j] = top[j] + logf(sum[j]);
  for (int j = 0; any && j < rows; j++) {
    if (!odd[j]) continue;
    int zeros = sees(a, b, i0 + j).zeros;
    for (int64_t k = 0; k < keys; k++) s[k * WIDTH + j] = zeros ? 0.0f : alike(a, b, i0 + j, l->k0 + k);
    sum[j] = zeros ? 1.0f : how_many_alike(a, b, i0 + j) + none[j];
    lse[j] = zeros ? -INFINITY : INFINITY + none[j];
  }
}

// strip is the scratch of a forward unit.
struct strip {
  int64_t dp, group; // D rounded up; query heads of a key head
  float *keys, *values, *scores, *query, *across, *out, *few;
};

INLINE struct strip strip_of(const struct attention *a, float *scratch) {
  int64_t room = round_up(a->tk + a->tk2, WIDTH) + HEIGHT + AT_ONCE, dp = round_up(a->d, WIDTH);
  struct strip w = {.dp = dp, .group = a->h / a->hkv, .keys = scratch};
  w.values = w.keys + room * dp, w.scores = w.values + room * dp, w.query = w.scores + room * WIDTH;
  w.across = w.query + WIDTH * dp, w.out = w.across + WIDTH * dp, w.few = w.out + WIDTH * dp;
  return w;
}

// deliver turns a strip's result, [feature][query] in across, divides by the sums and stores it.
INLINE void deliver(const struct strip *w, const struct attention *a, int64_t b, int64_t h, int64_t i0, int64_t rows, const float *sum, const float *lse) {
  for (int64_t c = 0; c < a->d; c += TURN) turn(w->out + c, w->dp, w->across + c * WIDTH, 4 * WIDTH, least(TURN, a->d - c), rows);
  for (int64_t r = 0; r < rows; r++) {
    float factor = 1.0f / sum[r], *y = w->out + r * w->dp;
    for (int64_t c = 0; c < w->dp; c++) y[c] *= factor;
    store_row(a->out.at, a->out.type, at_head(&a->out, b, i0 + r, h), y, a->d);
    if (a->lse) a->lse[(b * a->h + h) * a->tq + i0 + r] = lse[r];
  }
}

static void attention_unit(const struct attention *a, int64_t b, int64_t g, float *scratch) {
  int64_t n = a->tk + a->tk2;
  struct strip w = strip_of(a, scratch);
  pack_keys(w.keys, a, b, g, w.few);
  pack_values(w.values, a, b, g, w.few);
  for (int64_t h = g * w.group; h < (g + 1) * w.group; h++)
    for (int64_t i0 = 0; i0 < a->tq; i0 += WIDTH) {
      int64_t rows = least(WIDTH, a->tq - i0), row_bytes;
      struct lanes l = look(a, b, i0, rows);
      float sum[WIDTH], lse[WIDTH];
      if (rows < WIDTH) memset(w.query, 0, WIDTH * a->d * sizeof *w.query);
      for (int64_t r = 0; r < rows; r += TURN) {
        int64_t have = least(TURN, rows - r);
        const float *from = few_queries(w.few, &a->q, a, b, i0 + r, have, h, &row_bytes);
        turn(w.query + r, WIDTH, from, row_bytes, have, a->d);
      }
      for (int64_t k = l.k0; k < l.k1; k += HEIGHT) tile_f32(least(HEIGHT, n - k), a->d, w.keys + k * a->d, w.query, w.scores + (k - l.k0) * WIDTH, 1);
      weigh_lanes(w.scores, a, &l, b, h, i0, rows, sum, lse);
      for (int64_t c = 0; c < a->d; c += HEIGHT) {
        int64_t height = least(HEIGHT, a->d - c);
        tile_f32(height, l.k1 - l.k0, w.values + c * n + l.k0 * height, w.scores, w.across + c * WIDTH, 1);
      }
      deliver(&w, a, b, h, i0, rows, sum, lse);
    }
}
