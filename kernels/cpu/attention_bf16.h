// The forward pass over bf16 queries, keys and values: both products by dot products of pairs, the softmax between them in fp32.
// Included after attention_body.h by the set that has tile_bf16. Strips and layouts are attention_strip.h's, with a pair of bf16
// in the place of an fp32: pairs lie along D in the first product, along keys in the second.

// all_bf16 reports whether a head can be taken this way.
INLINE int all_bf16(const struct attention *a) {
  return a->d % 2 == 0 && a->q.type == BF16 && a->k.type == BF16 && a->v.type == BF16 &&
         (a->tk2 == 0 || (a->k2.type == BF16 && a->v2.type == BF16));
}

// pairs_of_heads is rows [j, j+n) of a head, n <= TURN: where they lie, or in room. Rows from `split` on are of the second segment.
INLINE const uint16_t *pairs_of_heads(uint16_t *room, const struct heads *first, const struct heads *second, int64_t split, int64_t d, int64_t b, int64_t j, int64_t n,
                                      int64_t g, int64_t *row) {
  const struct heads *x = j < split ? first : second;
  *row = x->token;
  if (j >= split || j + n <= split) return (const uint16_t *)x->at + at_head(x, b, j < split ? j : j - split, g);
  *row = d;
  for (int64_t i = 0; i < n; i++) {
    x = j + i < split ? first : second;
    memcpy(room + i * d, (const uint16_t *)x->at + at_head(x, b, j + i < split ? j + i : j + i - split, g), 2 * d);
  }
  return room;
}

// pack_value_pairs packs whole pairs of a head's values as A of a product over keys: [panel of HEIGHT features][pair][HEIGHT].
static void pack_value_pairs(uint32_t *to, const struct attention *a, int64_t b, int64_t g, uint16_t *room) {
  int64_t half = (a->tk + a->tk2) / 2, row;
  for (int64_t j = 0; j < half; j++) {
    const uint16_t *x = pairs_of_heads(room, &a->v, &a->v2, a->tk, a->d, b, 2 * j, 2, g, &row), *y = x + row;
    for (int64_t c = 0; c < a->d; c += HEIGHT) {
      int64_t height = least(HEIGHT, a->d - c);
      for (int64_t i = 0; i < height; i++) to[c * half + j * height + i] = x[c + i] | (uint32_t)y[c + i] << 16;
    }
  }
}

// pair_weights makes pairs of bf16 of the weights of so many pairs of keys, in their place.
static void pair_weights(float *s, int64_t pairs) {
  uint16_t order[32];
  for (int i = 0; i < 32; i++) order[i] = i / 2 + i % 2 * 16;
  __m512i interleaved = _mm512_loadu_si512(order);
  for (int64_t k = 0; k < pairs; k++)
    for (int j = 0; j < WIDTH; j += 16) {
      const float *x = s + 2 * k * WIDTH + j;
      __m512i both = (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + WIDTH), _mm512_loadu_ps(x));
      _mm512_storeu_si512(s + k * WIDTH + j, _mm512_permutexvar_epi16(interleaved, both));
    }
}

static void attention_pairs(const struct attention *a, int64_t b, int64_t g, float *scratch) {
  int64_t n = a->tk + a->tk2, half = n / 2, pairs = a->d / 2, row;
  struct strip w = strip_of(a, scratch);
  uint32_t *keys = (uint32_t *)w.keys, *values = (uint32_t *)w.values, *query = (uint32_t *)w.query;
  for (int64_t j = 0; j < n; j += HEIGHT) {
    int64_t have = least(HEIGHT, n - j);
    const uint16_t *from = pairs_of_heads((uint16_t *)w.few, &a->k, &a->k2, a->tk, a->d, b, j, have, g, &row);
    turn(keys + j * pairs, have, from, 2 * row, have, pairs);
  }
  pack_value_pairs(values, a, b, g, (uint16_t *)w.few);
  for (int64_t h = g * w.group; h < (g + 1) * w.group; h++)
    for (int64_t i0 = 0; i0 < a->tq; i0 += WIDTH) {
      int64_t rows = least(WIDTH, a->tq - i0);
      struct lanes l = look(a, b, i0, rows);
      float sum[WIDTH], lse[WIDTH];
      if (rows < WIDTH) memset(query, 0, WIDTH * pairs * sizeof *query);
      for (int64_t r = 0; r < rows; r += TURN)
        turn(query + r, WIDTH, (const uint16_t *)a->q.at + at_head(&a->q, b, i0 + r, h), 2 * a->q.token, least(TURN, rows - r), pairs);
      for (int64_t k = l.k0; k < l.k1; k += HEIGHT)
        tile_bf16(least(HEIGHT, n - k), pairs, (const uint16_t *)(keys + k * pairs), (const uint16_t *)query, w.scores + (k - l.k0) * WIDTH, 1);
      weigh_lanes(w.scores, a, &l, b, h, i0, rows, sum, lse);
      int64_t seen = l.k1 - l.k0;
      pair_weights(w.scores, seen / 2);
      for (int64_t c = 0; c < a->d; c += HEIGHT) {
        int64_t height = least(HEIGHT, a->d - c);
        tile_bf16(height, seen / 2, (const uint16_t *)(values + c * half + l.k0 / 2 * height), (const uint16_t *)w.scores, w.across + c * WIDTH, 1);
      }
      if (seen % 2) { // a key without a partner
        const float *weights = w.scores + (seen - 1) * WIDTH;
        load_key(w.few, &a->v, &a->v2, a, b, l.k1 - 1, g);
        for (int64_t c = 0; c < a->d; c++)
          for (int j = 0; j < WIDTH; j++) w.across[c * WIDTH + j] = fmaf(w.few[c], weights[j], w.across[c * WIDTH + j]);
      }
      deliver(&w, a, b, h, i0, rows, sum, lse);
    }
}

static void attention_either(const struct attention *a, int64_t b, int64_t g, float *scratch) {
  (all_bf16(a) ? attention_pairs : attention_unit)(a, b, g, scratch);
}
