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
  float *dk, *dv;                         // sums in tiles: [tile of HEIGHT keys][panel of features][HEIGHT][WIDTH]
};

static int64_t attention_backward_scratch(const struct attention *a) {
  int64_t room = round_up(a->tk + a->tk2, WIDTH), dp = round_up(a->d, WIDTH);
  return 3 * room * dp + 2 * STRIP * room + 2 * STRIP * dp + HEIGHT * (dp + room + STRIP) + HEIGHT * WIDTH + TURN * dp + 2 * (room + HEIGHT) * dp;
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
  TAKE(dk, (w.room + HEIGHT) * w.dp);
  TAKE(dv, (w.room + HEIGHT) * w.dp);
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
  mask_row(s, step, a, b, h, sees(a, b, i), p0, p1);
  soften(s, step, lse, p1 - p0);
}

// sum_keys adds X^T Y to the sums of keys, X being [sub-strip][panel][rows][WIDTH] and Y packed along.
static void sum_keys(float *sums, const float *x, const float *y, int64_t rows, int64_t p0, int64_t p1, struct backward *w, int first) {
  int64_t features = w->dp / WIDTH, panels = p1 - p0;
  for (int64_t t = p0 * WIDTH / HEIGHT; t * HEIGHT < p1 * WIDTH; t++) {
    for (int64_t r = 0; r < rows; r++) {
      int64_t sub = r / HEIGHT * HEIGHT, height = least(HEIGHT, rows - sub);
      const float *from = x + sub * panels * WIDTH + (r - sub) * WIDTH;
      for (int64_t i = 0; i < HEIGHT; i++) {
        int64_t key = t * HEIGHT + i - p0 * WIDTH;
        w->turned[r * HEIGHT + i] = key < 0 || key >= panels * WIDTH ? 0 : from[key / WIDTH * height * WIDTH + key % WIDTH];
      }
    }
    for (int64_t c = 0; c < features; c++) tile_f32(HEIGHT, rows, w->turned, y + c * STRIP * WIDTH, sums + (t * features + c) * HEIGHT * WIDTH, first);
  }
}

static void strip_back(const struct attention *a, const struct attention_grads *g, int64_t b, int64_t h, int64_t i0, int64_t rows, struct backward *w) {
  int64_t p0, p1;
  span(a, b, i0, rows, &p0, &p1);
  int64_t panels = p1 - p0, seen = least(p1 * WIDTH, w->n) - p0 * WIDTH;
  for (int64_t r = 0; r < rows; r += HEIGHT) {
    int64_t height = least(HEIGHT, rows - r), step = height * WIDTH;
    float *p = w->p + r * panels * WIDTH, *ds = w->ds + r * panels * WIDTH, sum[HEIGHT];
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
      sum[i] = 0;
      for (int64_t c = 0; c < a->d; c++) sum[i] = fmaf(w->row[c], out[c], sum[i]);
      float scale = lse == INFINITY || lse == -INFINITY ? 0 : a->scale;
      for (int64_t k = 0; k < panels; k++)
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
  sum_keys(w->dk, w->ds, w->q_along, rows, p0, p1, w, 0);
  sum_keys(w->dv, w->p, w->dout_along, rows, p0, p1, w, 0);
}

// store_keys writes the sums of one segment of keys to its gradient.
INLINE void store_keys(const struct heads *to, int add, const float *sums, int64_t from, int64_t n, const struct attention *a, int64_t b, int64_t g, struct backward *w) {
  if (!to->at) return;
  for (int64_t j = 0; j < n; j++)
    for (int64_t c = 0; c < a->d; c += WIDTH) {
      int64_t key = from + j;
      float row[WIDTH];
      memcpy(row, sums + ((key / HEIGHT * (w->dp / WIDTH) + c / WIDTH) * HEIGHT + key % HEIGHT) * WIDTH, sizeof row);
      put(to, add, at_head(to, b, j, g) + c, row, least(WIDTH, a->d - c));
    }
}

static void attention_backward_unit(const struct attention *a, const struct attention_grads *g, int64_t b, int64_t head, float *scratch) {
  struct backward w = lay_out(a, scratch);
  int64_t group = a->h / a->hkv;
  pack_across(w.k_across, &a->k, &a->k2, a, b, head, w.row);
  pack_across(w.v_across, &a->v, &a->v2, a, b, head, w.row);
  pack_along(w.k_along, &a->k, &a->k2, a, b, head, w.row, w.room);
  memset(w.dk, 0, (w.room + HEIGHT) * w.dp * sizeof *w.dk);
  memset(w.dv, 0, (w.room + HEIGHT) * w.dp * sizeof *w.dv);
  for (int64_t h = head * group; h < (head + 1) * group; h++)
    for (int64_t i0 = 0; i0 < a->tq; i0 += STRIP) strip_back(a, g, b, h, i0, least(STRIP, a->tq - i0), &w);
  store_keys(&g->dk, g->add_k, w.dk, 0, a->tk, a, b, head, &w);
  store_keys(&g->dv, g->add_v, w.dv, 0, a->tk, a, b, head, &w);
  if (a->tk2) {
    store_keys(&g->dk2, g->add_k2, w.dk, a->tk, a->tk2, a, b, head, &w);
    store_keys(&g->dv2, g->add_v2, w.dv, a->tk, a->tk2, a, b, head, &w);
  }
}
