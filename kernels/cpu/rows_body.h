// The operations of rows.h, included once an instruction set. Work goes through CHUNK floats at a time, so that every
// combination of types is the same fp32 loop.
#include "rows.h"

enum { CHUNK = 512, LANES = 16 };

INLINE void load_vec(float *to, struct vec x, int64_t at, int64_t n) { load_row(to, x.at, x.type, at, n); }
INLINE void store_vec(struct vec x, int64_t at, float *from, int64_t n, int add) {
  if (add) {
    float old[CHUNK];
    load_row(old, x.at, x.type, at, n);
    for (int64_t i = 0; i < n; i++) from[i] += old[i];
  }
  store_row(x.at, x.type, at, from, n);
}

// CHUNKS runs a body over [from,to) with `at` and `n` set.
#define CHUNKS(from, to) for (int64_t at = (from), n; at < (to) && (n = least(CHUNK, (to) - at)) > 0; at += n)

// EACH_ACT makes a loop of its own for every activation, so that each becomes vector code.
#define EACH_ACT(kind, BODY) \
  switch (kind) {            \
  case GELU: BODY(GELU) break; case GELU_TANH: BODY(GELU_TANH) break; case QUICK_GELU: BODY(QUICK_GELU) break; \
  case RELU: BODY(RELU) break; case SQUARED_RELU: BODY(SQUARED_RELU) break; case SILU: BODY(SILU) break;       \
  case TANH: BODY(TANH) break; case SIGMOID: BODY(SIGMOID) break; default: BODY(NO_ACT) break;                 \
  }

static void act(int kind, struct vec x, struct vec out, int64_t from, int64_t to) {
  CHUNKS(from, to) {
    float v[CHUNK];
    load_vec(v, x, at, n);
#define BODY(K) for (int64_t i = 0; i < n; i++) v[i] = activate(K, v[i]);
    EACH_ACT(kind, BODY)
#undef BODY
    store_vec(out, at, v, n, 0);
  }
}

// slope is the derivative of an activation. Far out, where its terms overflow, a gate is open or shut.
INLINE float slope(int kind, float x) {
  float open = x > 0 ? 1.0f : 0.0f, s, y;
  switch (kind) {
  case GELU: return vphi(x) + x * 0.3989422804014327f * vexp(-0.5f * x * x);
  case GELU_TANH:
    s = vsigmoid(1.5957691216057308f * fmaf(0.044715f * x * x, x, x));
    y = s + x * s * (1 - s) * 1.5957691216057308f * fmaf(0.134145f, x * x, 1.0f);
    return fabsf(x) > 30 && fabsf(x) < INFINITY ? open : y;
  case QUICK_GELU:
    s = vsigmoid(1.702f * x);
    y = s + 1.702f * x * s * (1 - s);
    return fabsf(x) > 80 && fabsf(x) < INFINITY ? open : y;
  case RELU: return open;
  case SQUARED_RELU: return x < 0 ? 0 : 2 * x;
  case SILU:
    s = vsigmoid(x);
    y = s + x * s * (1 - s);
    return fabsf(x) > 120 && fabsf(x) < INFINITY ? open : y;
  case TANH: // 1 - tanh^2 would cancel
    s = vexp(-2 * fabsf(x));
    return 4 * s / ((1 + s) * (1 + s));
  case SIGMOID:
    s = vexp(-fabsf(x));
    return s / ((1 + s) * (1 + s));
  }
  return 1;
}

static void act_backward(int kind, struct vec x, struct vec dout, struct vec dx, int add, int64_t from, int64_t to) {
  CHUNKS(from, to) {
    float v[CHUNK], d[CHUNK];
    load_vec(v, x, at, n);
    load_vec(d, dout, at, n);
#define BODY(K) for (int64_t i = 0; i < n; i++) v[i] = slope(K, v[i]) * d[i];
    EACH_ACT(kind, BODY)
#undef BODY
    store_vec(dx, at, v, n, add);
  }
}

static void gated_act(int kind, struct vec gate, struct vec up, struct vec out, int64_t width, int64_t from, int64_t to) {
  for (int64_t r = from; r < to; r++) CHUNKS(0, width) {
      float v[CHUNK], u[CHUNK];
      load_vec(v, gate, r * gate.row + at, n);
      load_vec(u, up, r * up.row + at, n);
#define BODY(K) for (int64_t i = 0; i < n; i++) v[i] = activate(K, v[i]) * u[i];
      EACH_ACT(kind, BODY)
#undef BODY
      store_vec(out, r * out.row + at, v, n, 0);
    }
}

static void gated_act_backward(int kind, struct vec gate, struct vec up, struct vec dout, struct vec dgate, int add_gate, struct vec dup, int add_up, int64_t width,
                               int64_t from, int64_t to) {
  for (int64_t r = from; r < to; r++) CHUNKS(0, width) {
      float v[CHUNK], u[CHUNK], d[CHUNK], f[CHUNK];
      load_vec(v, gate, r * gate.row + at, n);
      load_vec(u, up, r * up.row + at, n);
      load_vec(d, dout, r * dout.row + at, n);
#define BODY(K) for (int64_t i = 0; i < n; i++) f[i] = activate(K, v[i]) * d[i], v[i] = slope(K, v[i]) * u[i] * d[i];
      EACH_ACT(kind, BODY)
#undef BODY
      if (dgate.at) store_vec(dgate, r * dgate.row + at, v, n, add_gate);
      if (dup.at) store_vec(dup, r * dup.row + at, f, n, add_up);
    }
}

static void add(struct vec a, struct vec b, int64_t nb, float scale, struct vec out, int64_t from, int64_t to) {
  for (int64_t at = from, n; at < to; at += n) {
    float x[CHUNK], y[CHUNK];
    n = least(least(CHUNK, to - at), nb - at % nb);
    load_vec(x, a, at, n);
    load_vec(y, b, at % nb, n);
    for (int64_t i = 0; i < n; i++) x[i] = fmaf(scale, y[i], x[i]);
    store_vec(out, at, x, n, 0);
  }
}

static void mul(struct vec a, struct vec b, struct vec out, int64_t from, int64_t to) {
  CHUNKS(from, to) {
    float x[CHUNK], y[CHUNK];
    load_vec(x, a, at, n);
    load_vec(y, b, at, n);
    for (int64_t i = 0; i < n; i++) x[i] *= y[i];
    store_vec(out, at, x, n, 0);
  }
}

static void scale(struct vec x, float by, struct vec out, int plus, int64_t from, int64_t to) {
  CHUNKS(from, to) {
    float v[CHUNK];
    load_vec(v, x, at, n);
    for (int64_t i = 0; i < n; i++) v[i] *= by;
    store_vec(out, at, v, n, plus);
  }
}

INLINE float across(const float *lanes) {
  float s = 0;
  for (int i = 0; i < LANES; i++) s += lanes[i];
  return s;
}

// DOT adds the products of two arrays of a length that is padded with zeros to LANES.
#define DOT(lanes, expression) \
  for (int64_t i = 0; i < n; i += LANES) for (int j = 0; j < LANES; j++) lanes[j] += (expression);

INLINE void load_padded(float *to, struct vec x, int64_t at, int64_t n) {
  load_vec(to, x, at, n);
  for (int64_t i = n; i < round_up(n, LANES); i++) to[i] = 0;
}

// padded is load_padded without a copy where the elements lie as fp32 already and need no zeros behind them.
INLINE const float *padded(float *room, struct vec x, int64_t at, int64_t n) {
  if (x.type == F32 && n % LANES == 0) return (const float *)x.at + at;
  load_padded(room, x, at, n);
  return room;
}

static float dot(struct vec a, struct vec b, int64_t from, int64_t to) {
  float lanes[LANES] = {0};
  CHUNKS(from, to) {
    float x[CHUNK], y[CHUNK];
    load_padded(x, a, at, n);
    load_padded(y, b, at, n);
    DOT(lanes, x[i + j] * y[i + j])
  }
  return across(lanes);
}

static void layernorm(struct vec x, struct vec w, struct vec b, float eps, struct vec out, float *mean, float *rstd, int64_t width, int64_t from, int64_t to) {
  for (int64_t r = from; r < to; r++) {
    float lanes[LANES] = {0}, squares[LANES] = {0};
    CHUNKS(0, width) {
      float room[CHUNK];
      const float *v = padded(room, x, r * width + at, n);
      DOT(lanes, v[i + j])
    }
    float mu = across(lanes) / (float)width;
    CHUNKS(0, width) {
      float room[CHUNK];
      const float *v = padded(room, x, r * width + at, n);
      for (int64_t i = n; i < round_up(n, LANES); i++) room[i] = mu; // adds nothing
      DOT(squares, (v[i + j] - mu) * (v[i + j] - mu))
    }
    float s = 1.0f / sqrtf(across(squares) / (float)width + eps);
    if (mean) mean[r] = mu, rstd[r] = s;
    CHUNKS(0, width) {
      float rooms[3][CHUNK], y[CHUNK];
      const float *v = padded(rooms[0], x, r * width + at, n), *g = padded(rooms[1], w, at, n), *c = rooms[2];
      if (b.at) c = padded(rooms[2], b, at, n);
      else memset(rooms[2], 0, sizeof rooms[2]);
      for (int64_t i = 0; i < n; i++) y[i] = fmaf((v[i] - mu) * s, g[i], c[i]);
      store_vec(out, r * width + at, y, n, 0);
    }
  }
}

static void rmsnorm(struct vec x, struct vec w, float eps, struct vec out, float *rstd, int64_t width, int64_t from, int64_t to) {
  for (int64_t r = from; r < to; r++) {
    float squares[LANES] = {0};
    CHUNKS(0, width) {
      float v[CHUNK];
      load_padded(v, x, r * width + at, n);
      DOT(squares, v[i + j] * v[i + j])
    }
    float s = 1.0f / sqrtf(across(squares) / (float)width + eps);
    if (rstd) rstd[r] = s;
    CHUNKS(0, width) {
      float v[CHUNK], g[CHUNK];
      load_vec(v, x, r * width + at, n);
      load_vec(g, w, at, n);
      for (int64_t i = 0; i < n; i++) v[i] = v[i] * s * g[i];
      store_vec(out, r * width + at, v, n, 0);
    }
  }
}

static void norm_backward(struct vec x, struct vec w, const float *mean, const float *rstd, struct vec dout, struct vec dx, int plus, float *dw, float *db, int64_t width,
                          int64_t from, int64_t to) {
  for (int64_t r = from; r < to; r++) {
    float mu = mean ? mean[r] : 0, s = rstd[r], sums[LANES] = {0}, dots[LANES] = {0};
    CHUNKS(0, width) {
      float v[CHUNK], g[CHUNK], d[CHUNK];
      load_vec(v, x, r * width + at, n);
      load_vec(d, dout, r * width + at, n);
      load_padded(g, w, at, n);
      for (int64_t i = 0; i < n; i++) v[i] = (v[i] - mu) * s;
      for (int64_t i = n; i < round_up(n, LANES); i++) v[i] = d[i] = 0;
      if (dw) for (int64_t i = 0; i < n; i++) dw[at + i] = fmaf(v[i], d[i], dw[at + i]);
      if (db) for (int64_t i = 0; i < n; i++) db[at + i] += d[i];
      DOT(sums, d[i + j] * g[i + j])
      DOT(dots, d[i + j] * g[i + j] * v[i + j])
    }
    if (!dx.at) continue;
    float a = mean ? across(sums) / (float)width : 0, c = across(dots) / (float)width;
    CHUNKS(0, width) {
      float v[CHUNK], g[CHUNK], d[CHUNK];
      load_vec(v, x, r * width + at, n);
      load_vec(d, dout, r * width + at, n);
      load_vec(g, w, at, n);
      for (int64_t i = 0; i < n; i++) v[i] = s * (d[i] * g[i] - a - (v[i] - mu) * s * c);
      store_vec(dx, r * width + at, v, n, plus);
    }
  }
}

// log_sum_exp of a row, in two passes.
INLINE float log_sum_exp(struct vec x, int64_t start, int64_t width) {
  float most[LANES], lanes[LANES] = {0}, top = -INFINITY;
  for (int j = 0; j < LANES; j++) most[j] = -INFINITY;
  CHUNKS(0, width) {
    float v[CHUNK];
    load_vec(v, x, start + at, n);
    for (int64_t i = n; i < round_up(n, LANES); i++) v[i] = -INFINITY;
    for (int64_t i = 0; i < n; i += LANES)
      for (int j = 0; j < LANES; j++) most[j] = v[i + j] > most[j] ? v[i + j] : most[j];
  }
  for (int j = 0; j < LANES; j++) top = most[j] > top ? most[j] : top;
  if (top == INFINITY || top == -INFINITY) return top - top + top; // NaN for +Inf as exp(Inf - Inf) has it
  CHUNKS(0, width) {
    float v[CHUNK];
    load_vec(v, x, start + at, n);
    for (int64_t i = n; i < round_up(n, LANES); i++) v[i] = -INFINITY;
    for (int64_t i = 0; i < round_up(n, LANES); i++) v[i] = vexp_down(v[i] - top);
    DOT(lanes, v[i + j])
  }
  return top + logf(across(lanes));
}

static void cross_entropy(struct vec logits, const int32_t *labels, float *lse, float *loss, int64_t width, int64_t from, int64_t to) {
  for (int64_t r = from; r < to; r++) {
    lse[r] = log_sum_exp(logits, r * logits.row, width);
    float x = 0;
    if (labels[r] >= 0 && labels[r] < width) load_vec(&x, logits, r * logits.row + labels[r], 1);
    else x = NAN; // no such class
    loss[r] = labels[r] == -100 ? 0 : lse[r] - x;
  }
}

static void cross_entropy_backward(struct vec logits, const int32_t *labels, const float *lse, float by, struct vec dlogits, int plus, int64_t width, int64_t from,
                                   int64_t to) {
  for (int64_t r = from; r < to; r++) {
    int none = labels[r] == -100;
    if (none && plus) continue;
    CHUNKS(0, width) {
      float v[CHUNK];
      if (none) {
        memset(v, 0, sizeof v);
      } else {
        load_vec(v, logits, r * logits.row + at, n);
        for (int64_t i = 0; i < n; i++) v[i] = vexp_down(v[i] - lse[r]);
        if (labels[r] >= at && labels[r] < at + n) v[labels[r] - at] -= 1;
        for (int64_t i = 0; i < n; i++) v[i] *= by;
      }
      store_vec(dlogits, r * dlogits.row + at, v, n, plus);
    }
  }
}

static void log_softmax(struct vec x, struct vec out, int64_t width, int64_t from, int64_t to) {
  for (int64_t r = from; r < to; r++) {
    float lse = log_sum_exp(x, r * width, width);
    CHUNKS(0, width) {
      float v[CHUNK];
      load_vec(v, x, r * width + at, n);
      for (int64_t i = 0; i < n; i++) v[i] -= lse;
      store_vec(out, r * width + at, v, n, 0);
    }
  }
}

static void rotary(struct vec x, int64_t token, int64_t head, const int32_t *positions, const float *cosines, const float *sines, int64_t dims, float sign, int64_t heads,
                   int64_t tokens, int64_t batch_stride, int64_t from, int64_t to) {
  int64_t half = dims / 2;
  for (int64_t r = from; r < to; r++) {
    const float *c = cosines + positions[r] * half, *s = sines + positions[r] * half;
    for (int64_t h = 0; h < heads; h++) {
      int64_t base = r / tokens * batch_stride + r % tokens * token + h * head;
      for (int64_t at = 0, n; at < half; at += n) {
        float a[CHUNK], b[CHUNK], u[CHUNK];
        n = least(CHUNK, half - at);
        load_vec(a, x, base + at, n);
        load_vec(b, x, base + half + at, n);
        for (int64_t i = 0; i < n; i++) {
          u[i] = a[i] * c[at + i] - sign * b[i] * s[at + i];
          b[i] = b[i] * c[at + i] + sign * a[i] * s[at + i];
        }
        store_vec(x, base + at, u, n, 0);
        store_vec(x, base + half + at, b, n, 0);
      }
    }
  }
}

static void adamw(float *w, float *m, float *v, struct vec grad, float grad_scale, uint16_t *copy, const float *hyper, float decay, int64_t from, int64_t to) {
  float lr = hyper[0], b1 = hyper[1], b2 = hyper[2], eps = hyper[3], keep = 1 - lr * decay, step = lr / hyper[4], root = 1.0f / sqrtf(hyper[5]);
  CHUNKS(from, to) {
    float g[CHUNK];
    load_vec(g, grad, at, n);
    float *wn = w + at, *mn = m + at, *vn = v + at;
    for (int64_t i = 0; i < n; i++) {
      float x = g[i] * grad_scale;
      float mi = fmaf(b1, mn[i], (1 - b1) * x), vi = fmaf(b2, vn[i], (1 - b2) * x * x);
      mn[i] = mi;
      vn[i] = vi;
      wn[i] = wn[i] * keep - step * mi / (sqrtf(vi) * root + eps);
    }
    if (copy) store_row(copy, BF16, at, wn, n);
  }
}

static void sum_rows(struct vec x, struct vec out, int plus, int64_t rows, int64_t from, int64_t to) {
  CHUNKS(from, to) {
    float sum[CHUNK] = {0}, v[CHUNK];
    for (int64_t r = 0; r < rows; r++) {
      load_vec(v, x, r * x.row + at, n);
      for (int64_t i = 0; i < n; i++) sum[i] += v[i];
    }
    store_vec(out, at, sum, n, plus);
  }
}

static void embedding(struct vec table, const int32_t *ids, int64_t rows, struct vec out, int plus, int64_t width, int64_t from, int64_t to) {
  for (int64_t r = from; r < to; r++) CHUNKS(0, width) {
      float v[CHUNK];
      if (ids[r] >= 0 && ids[r] < rows) load_vec(v, table, ids[r] * width + at, n);
      else for (int64_t i = 0; i < n; i++) v[i] = NAN;
      store_vec(out, r * width + at, v, n, plus);
    }
}

static void embedding_backward(const int32_t *ids, int64_t v, int64_t rows, struct vec dout, struct vec dtable, int64_t width, int64_t from, int64_t to) {
  for (int64_t r = 0; r < rows; r++) {
    if (ids[r] < 0 || ids[r] >= v) continue;
    CHUNKS(from, to) {
      float d[CHUNK];
      load_vec(d, dout, r * width + at, n);
      store_vec(dtable, ids[r] * width + at, d, n, 1);
    }
  }
}

static void convert(struct vec from, int64_t from_at, struct vec to, int64_t to_at, int64_t count, int64_t from_step, int64_t to_step, int plus) {
  if (from_step == 1 && to_step == 1) {
    CHUNKS(0, count) {
      float v[CHUNK];
      load_vec(v, from, from_at + at, n);
      store_vec(to, to_at + at, v, n, plus);
    }
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    float x;
    load_vec(&x, from, from_at + i * from_step, 1);
    store_vec(to, to_at + i * to_step, &x, 1, plus);
  }
}

static void widen(const int8_t *x, int64_t row, const float *scales, uint16_t *out, int64_t n, int64_t from, int64_t to) {
  for (int64_t r = from; r < to; r++)
    for (int64_t i = 0; i < n; i++) out[r * n + i] = to_bf16((float)x[r * row + i] * scales[r]);
}

// Images [from,to) of `pixels` pixels each, packed RGB to planes. The colours are taken apart once, as bytes:
// to gather every third byte for each of them took half as long again. The places of the next CHUNK are asked for in time: a batch is
// larger than the caches, and three planes by turns are no stream that the processor would see.
static void normalize_pixels(const uint8_t *x, struct vec out, const float *mean, const float *std, int64_t pixels, int64_t from, int64_t to) {
  const int64_t size = out.type == F32 ? 4 : 2;
  for (int64_t image = from; image < to; image++) CHUNKS(0, pixels) {
      const uint8_t *rgb = x + (image * pixels + at) * 3;
      uint8_t bands[3][CHUNK];
      float v[CHUNK];
      for (int c = 0; c < 3; c++)
        for (int64_t i = 0; i < CHUNK * size; i += 64) __builtin_prefetch((char *)out.at + ((image * 3 + c) * pixels + at + CHUNK) * size + i, 1);
      for (int64_t i = 0; i < n; i++) bands[0][i] = rgb[3 * i], bands[1][i] = rgb[3 * i + 1], bands[2][i] = rgb[3 * i + 2];
      for (int c = 0; c < 3; c++) {
        for (int64_t i = 0; i < n; i++) v[i] = ((float)bands[c][i] / 255.0f - mean[c]) / std[c];
        store_vec(out, (image * 3 + c) * pixels + at, v, n, 0);
      }
    }
}

#define ROWS_TABLE                                                                                                                                                  \
  {act, act_backward, gated_act, gated_act_backward, add, mul, scale, dot, layernorm, rmsnorm, norm_backward, cross_entropy, cross_entropy_backward, log_softmax, \
   rotary, adamw, sum_rows, embedding, embedding_backward, convert, widen, normalize_pixels}
