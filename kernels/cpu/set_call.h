#ifndef MMC4_SET_CALL_H
#define MMC4_SET_CALL_H
#include "set.h"
#include <stddef.h>

// set_of is what a level has.
const struct set *set_of(int level);

// gemm_pack_b packs panels [p0,p1) to where panel `first` begins.
void gemm_pack_b(const struct gemm_kind *kind, void *to, int64_t first, size_t panel_bytes, const void *b, int type, int64_t row, int64_t col, int64_t n, int64_t k, int64_t p0, int64_t p1);

// gemm_depth is how many elements of k are packed of A at a time, of as many rows as are packed at a time. When that is not all,
// a unit may have BROAD columns at most.
int64_t gemm_depth(const struct gemm_kind *kind, int64_t m, int64_t k);

// gemm_scratch is the bytes of scratch that a worker wants.
size_t gemm_scratch(const struct gemm_kind *kind, int64_t m, int64_t k);

// gemm_unit computes rows [m0,m1) of panels [p0,p1). Scratch keeps packed A, so that only the first of several units of the
// same rows has to pack, unless k is too long to be packed at once.
void gemm_unit(const struct gemm_kind *kind, const struct gemm *g, int64_t m0, int64_t m1, int64_t p0, int64_t p1, char *scratch, int pack);

static inline void gemm_few_rows(const struct set *s, const struct gemm *g, int64_t n0, int64_t n1) { s->few_rows(g, n0, n1); }

// rows.h's functions, as functions.
static inline void call_act(const struct set *s, int kind, struct vec x, struct vec out, int64_t from, int64_t to) { s->rows.act(kind, x, out, from, to); }
static inline void call_act_backward(const struct set *s, int kind, struct vec x, struct vec dout, struct vec dx, int add, int64_t from, int64_t to) { s->rows.act_backward(kind, x, dout, dx, add, from, to); }
static inline void call_gated_act(const struct set *s, int kind, struct vec gate, struct vec up, struct vec out, int64_t n, int64_t from, int64_t to) { s->rows.gated_act(kind, gate, up, out, n, from, to); }
static inline void call_gated_act_backward(const struct set *s, int kind, struct vec gate, struct vec up, struct vec dout, struct vec dgate, int add_gate, struct vec dup, int add_up, int64_t n, int64_t from, int64_t to) { s->rows.gated_act_backward(kind, gate, up, dout, dgate, add_gate, dup, add_up, n, from, to); }
static inline void call_add(const struct set *s, struct vec a, struct vec b, int64_t nb, float scale, struct vec out, int64_t from, int64_t to) { s->rows.add(a, b, nb, scale, out, from, to); }
static inline void call_mul(const struct set *s, struct vec a, struct vec b, struct vec out, int64_t from, int64_t to) { s->rows.mul(a, b, out, from, to); }
static inline void call_scale(const struct set *s, struct vec x, float by, struct vec out, int add, int64_t from, int64_t to) { s->rows.scale(x, by, out, add, from, to); }
static inline void call_layernorm(const struct set *s, struct vec x, struct vec w, struct vec b, float eps, struct vec out, float *mean, float *rstd, int64_t n, int64_t from, int64_t to) { s->rows.layernorm(x, w, b, eps, out, mean, rstd, n, from, to); }
static inline void call_rmsnorm(const struct set *s, struct vec x, struct vec w, float eps, struct vec out, float *rstd, int64_t n, int64_t from, int64_t to) { s->rows.rmsnorm(x, w, eps, out, rstd, n, from, to); }
static inline void call_norm_backward(const struct set *s, struct vec x, struct vec w, const float *mean, const float *rstd, struct vec dout, struct vec dx, int add, float *dw, float *db, int64_t n, int64_t from, int64_t to) { s->rows.norm_backward(x, w, mean, rstd, dout, dx, add, dw, db, n, from, to); }
static inline void call_cross_entropy(const struct set *s, struct vec logits, const int32_t *labels, float *lse, float *loss, int64_t n, int64_t from, int64_t to) { s->rows.cross_entropy(logits, labels, lse, loss, n, from, to); }
static inline void call_cross_entropy_backward(const struct set *s, struct vec logits, const int32_t *labels, const float *lse, float scale, struct vec dlogits, int add, int64_t n, int64_t from, int64_t to) { s->rows.cross_entropy_backward(logits, labels, lse, scale, dlogits, add, n, from, to); }
static inline void call_log_softmax(const struct set *s, struct vec x, struct vec out, int64_t n, int64_t from, int64_t to) { s->rows.log_softmax(x, out, n, from, to); }
static inline void call_rotary(const struct set *s, struct vec x, int64_t token, int64_t head, const int32_t *positions, const float *cosines, const float *sines, int64_t dims, float sign, int64_t heads, int64_t tokens, int64_t batch_stride, int64_t from, int64_t to) { s->rows.rotary(x, token, head, positions, cosines, sines, dims, sign, heads, tokens, batch_stride, from, to); }
static inline void call_adamw(const struct set *s, float *w, float *m, float *v, struct vec grad, float grad_scale, uint16_t *copy, const float *hyper, float decay, int64_t from, int64_t to) { s->rows.adamw(w, m, v, grad, grad_scale, copy, hyper, decay, from, to); }
static inline void call_sum_rows(const struct set *s, struct vec x, struct vec out, int add, int64_t rows, int64_t from, int64_t to) { s->rows.sum_rows(x, out, add, rows, from, to); }
static inline void call_embedding(const struct set *s, struct vec table, const int32_t *ids, int64_t v, struct vec out, int add, int64_t n, int64_t from, int64_t to) { s->rows.embedding(table, ids, v, out, add, n, from, to); }
static inline void call_embedding_backward(const struct set *s, const int32_t *ids, int64_t v, int64_t rows, struct vec dout, struct vec dtable, int64_t n, int64_t from, int64_t to) { s->rows.embedding_backward(ids, v, rows, dout, dtable, n, from, to); }
static inline void call_convert(const struct set *s, struct vec from, int64_t from_at, struct vec to, int64_t to_at, int64_t n, int64_t from_step, int64_t to_step, int add) { s->rows.convert(from, from_at, to, to_at, n, from_step, to_step, add); }
static inline void call_widen(const struct set *s, const int8_t *x, int64_t row, const float *scales, uint16_t *out, int64_t n, int64_t from, int64_t to) { s->rows.widen(x, row, scales, out, n, from, to); }
static inline void call_normalize_pixels(const struct set *s, const uint8_t *x, struct vec out, const float *mean, const float *std, int64_t pixels, int64_t from, int64_t to) { s->rows.normalize_pixels(x, out, mean, std, pixels, from, to); }
static inline float call_dot(const struct set *s, struct vec x, struct vec y, int64_t from, int64_t to) { return s->rows.dot(x, y, from, to); }

// attention.h's.
static inline int64_t call_attention_scratch(const struct set *s, const struct attention *a) { return s->attention_scratch(a); }
static inline int64_t call_attention_backward_scratch(const struct set *s, const struct attention *a) { return s->attention_backward_scratch(a); }
static inline void call_attention(const struct set *s, const struct attention *a, int few, int64_t b, int64_t g, float *scratch) {
  (few ? s->attention_few : s->attention_unit)(a, b, g, scratch);
}
static inline void call_attention_backward(const struct set *s, const struct attention *a, const struct attention_grads *grads, int64_t b, int64_t g, float *scratch) {
  s->attention_backward_unit(a, grads, b, g, scratch);
}

#endif
