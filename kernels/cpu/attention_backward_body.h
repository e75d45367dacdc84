// The gradient of attention. Included after attention_body.h.
//
// With P the weights: dV = P^T dO, dP = dO V^T, dS = P (dP - sum(dO O)) scale, dQ = dS K, dK = dS^T Q. P is made again from
// the scores and LSE, strip by strip; dK and dV of a unit are summed over its strips and heads in scratch.

enum { STRIP = 8 * HEIGHT }; // queries at a time: long enough for the products over queries

// Where a unit's arrays lie in its scratch.
struct backward {
  int64_t n, room, dp;
  float *k_across, *v_across, *k_along;   // packed, as in the forward pass
  float *p, *ds;                          // [sub-strip][panel][rows][WIDTH]
  float *q_along, *dout_along;            // [panel of features][query][WIDTH]
  float *pack, *turned, *tile, *row;      // small
  float *dk, *dv;                         // sums in tiles: [panel of keys][panel of features][key][WIDTH]
};

static int64_t attention_backward_scratch(const struct attention *a) {
  int64_t room = round_up(a->tk + a->tk2, WIDTH), dp = round_up(a->d, WIDTH);
  return 3 * room * dp + 2 * STRIP * room + 2 * STRIP * dp + HEIGHT * (dp + room + STRIP) + HEIGHT * WIDTH + TURN * dp + 2 * room * dp;
}

static struct backward lay_out(const struct attention *a, float *at) {
  struct backward w = {.n = a->tk + a->tk2, .room = round_up(a->tk + a->tk2, WIDTH), .dp = round_up(a->d, WIDTH)};
#define TAKE(name, size) w.name = at, at += (size)
  TAKE(k_across, w.room * w.dp);
  TAKE(v_across, w.room * w.dp);
  TAKE(k_along, w.room * w.dp);
  TAKE(p, STRIP * w.room);
  TAKE(ds, STRIP * w.room);
  TAKE(q_along, STRIP * w.dp);
  TAKE(dout_along, STRIP * w.dp);
  TAKE(pack, HEIGHT * w.dp);
  TAKE(turned, HEIGHT * (w.room + STRIP));
  TAKE(tile, HEIGHT * WIDTH);
  TAKE(row, TURN * w.dp);
  TAKE(dk, w.room * w.dp);
  TAKE(dv, w.room * w.dp);
#undef TAKE
  return w;
}

// along packs rows of a strip as B of a product over queries.
INLINE void along(float *to, const struct heads *x, const struct attention *a, int64_t b, int64_t h, int64_t i0, int64_t rows, struct backward *w) {
  for (int64_t i = 0; i < rows; i++) {
    load_row(w->row, x->at, x->type, at_head(x, b, i0 + i, h), a->d);
    for (int64_t c = a->d; c < w->dp; c++) w->row[c] = 0;
    for (int64_t c = 0; c < w->dp; c += WIDTH) memcpy(to + (c / WIDTH * STRIP + i) * WIDTH, w->row + c, WIDTH * sizeof *to);
  }
}

// put writes or adds a row to a gradient.
INLINE void put(const struct heads *g, int add, int64_t at, float *row, int64_t n) {
  if (add) {
    float old[WIDTH];
    load_row(old, g->at, g->type, at, n);
    for (int64_t j = 0; j < n; j++) row[j] += old[j];
  }
  store_row(g->at, g->type, at, row, n);
}

// weights_again makes P of one query from its masked scores.
INLINE void weights_again(float *s, int64_t step, const struct attention *a, int64_t b, int64_t h, int64_t i, int64_t p0, int64_t p1, float lse) {
  if (lse == INFINITY || lse == -INFINITY) {
    float share = 1.0f / how_many_alike(a, b, i);
    for (int64_t p = p0; p < p1; p++)
      for (int j = 0; j < WIDTH; j++) s[(p - p0) * step + j] = lse > 0 ? alike(a, b, i, p * WIDTH + j) * share : 0.0f;
    return;
  }
  struct sight see = sees(a, b, i);
  int64_t to = see.to == a->tk ? a->tk + a->tk2 : see.to;
  for (int64_t p = p0; p < p1; p++, s += step)
    if (p * WIDTH >= see.from && (p + 1) * WIDTH <= to && !a->key_mask && !a->slopes) { // all of the panel is seen as it is
      for (int j = 0; j < WIDTH; j++) s[j] = vexp_down(fmaf(s[j], a->scale, -lse));
    } else {
      mask_row(s, step, a, b, h, see, p, p + 1);
      soften(s, step, lse, 1);
    }
}

// copy_keys makes A of a product over queries, [query][keys], of keys from `key` on of a panel of X, [sub-strip][panel][rows][WIDTH],
// for queries [r0,r1) of a strip of `rows`.
INLINE void copy_keys(float *restrict to, const float *restrict x, int64_t r0, int64_t r1, int64_t rows, int64_t panel, int64_t panels, const int keys) {
  for (int64_t sub = r0; sub < r1; sub += HEIGHT) {
    int64_t height = least(HEIGHT, rows - sub);
    const float *from = x + (sub * panels + panel * height) * WIDTH;
    for (int64_t r = 0; r < height; r++, from += WIDTH, to += keys) memcpy(to, from, keys * sizeof *to);
  }
}

// panel_keys is copy_keys of a tile of keys.
static void panel_keys(float *to, const float *x, int64_t r0, int64_t r1, int64_t rows, int64_t panel, int64_t panels, int key, int keys) {
  if (keys == HEIGHT) copy_keys(to, x + key, r0, r1, rows, panel, panels, HEIGHT); // a constant number: no calls to copy them
  else copy_keys(to, x + key, r0, r1, rows, panel, panels, WIDTH % HEIGHT);
}

// spans is which panels the sub-strips of a strip need, and all of them together.
struct spans {
  int64_t from[STRIP / HEIGHT], to[STRIP / HEIGHT], p0, p1;
};

INLINE struct spans spans_of(const struct attention *a, int64_t b, int64_t i0, int64_t rows) {
  struct spans s;
  span(a, b, i0, rows, &s.p0, &s.p1);
  for (int64_t r = 0; r < rows; r += HEIGHT) {
    span(a, b, i0 + r, least(HEIGHT, rows - r), s.from + r / HEIGHT, s.to + r / HEIGHT);
    if (s.from[r / HEIGHT] == s.to[r / HEIGHT]) s.from[r / HEIGHT] = s.to[r / HEIGHT] = s.p0;
  }
  return s;
}

// sum_keys adds X^T Y to the sums of keys, X being [sub-strip][panel][rows][WIDTH], zeros where a sub-strip does not need a panel, and
// Y packed along.
static void sum_keys(float *sums, const float *x, const float *y, int64_t rows, const struct spans *s, struct backward *w) {
  int64_t features = w->dp / WIDTH;
  for (int64_t p = s->p0; p < s->p1; p++) {
    int64_t r0 = rows, r1 = 0; // of the queries that need the panel
    for (int64_t r = 0; r < rows; r += HEIGHT)
      if (p >= s->from[r / HEIGHT] && p < s->to[r / HEIGHT]) r0 = least(r0, r), r1 = least(rows, r + HEIGHT);
    if (r0 >= r1) continue;
    for (int key = 0; key < WIDTH; key += HEIGHT) {
      int keys = WIDTH - key < HEIGHT ? WIDTH - key : HEIGHT;
      panel_keys(w->turned, x, r0, r1, rows, p - s->p0, s->p1 - s->p0, key, keys);
      for (int64_t c = 0; c < features; c++)
        tile_f32(keys, r1 - r0, w->turned, y + (c * STRIP + r0) * WIDTH, sums + ((p * features + c) * WIDTH + key) * WIDTH, 0);
    }
  }
}

static void strip_back(const struct attention *a, const struct attention_grads *g, int64_t b, int64_t h, int64_t i0, int64_t rows, struct backward *w) {
  struct spans s = spans_of(a, b, i0, rows);
  int64_t panels = s.p1 - s.p0;
  for (int64_t r = 0; r < rows; r += HEIGHT) {
    int64_t height = least(HEIGHT, rows - r), step = height * WIDTH, p0 = s.from[r / HEIGHT], p1 = s.to[r / HEIGHT], seen = least(p1 * WIDTH, w->n) - p0 * WIDTH;
    float *p = w->p + r * panels * WIDTH, *ds = w->ds + r * panels * WIDTH, sum[HEIGHT];
    memset(p, 0, panels * step * sizeof *p);
    memset(ds, 0, panels * step * sizeof *ds);
    p += (p0 - s.p0) * step, ds += (p0 - s.p0) * step;
    pack_strip(w->pack, &a->q, a, b, h, i0 + r, height, w->row);
    for (int64_t k = p0; k < p1; k++) tile_f32(height, a->d, w->pack, w->k_across + k * a->d * WIDTH, p + (k - p0) * step, 1);
    pack_strip(w->pack, &g->dout, a, b, h, i0 + r, height, w->row);
    for (int64_t k = p0; k < p1; k++) tile_f32(height, a->d, w->pack, w->v_across + k * a->d * WIDTH, ds + (k - p0) * step, 1);
    for (int64_t i = 0; i < height; i++) {
      int64_t query = i0 + r + i;
      float lse = a->lse[(b * a->h + h) * a->tq + query], *out = w->row + w->dp;
      weights_again(p + i * WIDTH, step, a, b, h, query, p0, p1, lse);
      load_row(w->row, g->dout.at, g->dout.type, at_head(&g->dout, b, query, h), a->d);
      load_row(out, a->out.at, a->out.type, at_head(&a->out, b, query, h), a->d);
      sum[i] = 0; // in the order of a tile's sums: where one key is seen alone, its dP less this is exactly zero
      PIECES(at, n, a->d) {
        float piece = 0;
        for (int64_t c = at; c < at + n; c++) piece = fmaf(w->row[c], out[c], piece);
        sum[i] += piece;
      }
      float scale = lse == INFINITY || lse == -INFINITY ? 0 : a->scale;
      for (int64_t k = 0; k < p1 - p0; k++)
        for (int j = 0; j < WIDTH; j++) {
          float *x = ds + k * step + i * WIDTH + j;
          *x = p[k * step + i * WIDTH + j] * (*x - sum[i]) * scale;
        }
    }
    if (g->dq.at) {
      turn_weights(w->turned, ds, height, seen);
      for (int64_t c = 0; c < a->d; c += WIDTH) {
        tile_f32(height, seen, w->turned, w->k_along + (c / WIDTH * w->room + p0 * WIDTH) * WIDTH, w->tile, 1);
        for (int64_t i = 0; i < height; i++)
          put(&g->dq, g->add_q, at_head(&g->dq, b, i0 + r + i, h) + c, w->tile + i * WIDTH, least(WIDTH, a->d - c));
      }
    }
  }
  along(w->q_along, &a->q, a, b, h, i0, rows, w);
  along(w->dout_along, &g->dout, a, b, h, i0, rows, w);
  sum_keys(w->dk, w->ds, w->q_along, rows, &s, w);
  sum_keys(w->dv, w->p, w->dout_along, rows, &s, w);
}

// store_keys writes the sums of one segment of keys to its gradient.
INLINE void store_keys(const struct heads *to, int add, const float *sums, int64_t from, int64_t n, const struct attention *a, int64_t b, int64_t g, struct backward *w) {
  if (!to->at) return;
  for (int64_t j = 0; j < n; j++)
    for (int64_t c = 0; c < a->d; c += WIDTH) {
      int64_t key = from + j;
      float row[WIDTH];
      memcpy(row, sums + ((key / WIDTH * (w->dp / WIDTH) + c / WIDTH) * WIDTH + key % WIDTH) * WIDTH, sizeof row);
      put(to, add, at_head(to, b, j, g) + c, row, least(WIDTH, a->d - c));
    }
}

static void attention_backward_unit(const struct attention *a, const struct attention_grads *g, int64_t b, int64_t head, float *scratch) {
  struct backward w = lay_out(a, scratch);
  int64_t group = a->h / a->hkv;
  pack_across(w.k_across, &a->k, &a->k2, a, b, head, w.row);
  pack_across(w.v_across, &a->v, &a->v2, a, b, head, w.row);
  pack_along(w.k_along, &a->k, &a->k2, a, b, head, w.row, w.room);
  memset(w.dk, 0, w.room * w.dp * sizeof *w.dk);
  memset(w.dv, 0, w.room * w.dp * sizeof *w.dv);
  for (int64_t h = head * group; h < (head + 1) * group; h++)
    for (int64_t i0 = 0; i0 < a->tq; i0 += STRIP) strip_back(a, g, b, h, i0, least(STRIP, a->tq - i0), &w);
  store_keys(&g->dk, g->add_k, w.dk, 0, a->tk, a, b, head, &w);
  store_keys(&g->dv, g->add_v, w.dv, 0, a->tk, a, b, head, &w);
  if (a->tk2) {
    store_keys(&g->dk2, g->add_k2, w.dk, a->tk, a->tk2, a, b, head, &w);
    store_keys(&g->dv2, g->add_v2, w.dv, a->tk, a->tk2, a, b, head, &w);
  }
}
