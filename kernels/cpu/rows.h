// Element by element and row by row operations. Each function does elements or rows [from,to) of its op, so that a caller
// can share them out; sums that cross rows are returned in parts, whose order the caller fixes.
#ifndef MMC4_ROWS_H
#define MMC4_ROWS_H

#include <stdint.h>

// vec is memory of floats of a type (fp32, bf16); row is the distance of rows where an op has rows.
struct vec {
  void *at;
  int type;
  int64_t row;
};

struct rows {
  void (*act)(int kind, struct vec x, struct vec out, int64_t from, int64_t to);
  void (*act_backward)(int kind, struct vec x, struct vec dout, struct vec dx, int add, int64_t from, int64_t to);
  void (*gated_act)(int kind, struct vec gate, struct vec up, struct vec out, int64_t n, int64_t from, int64_t to);
  void (*gated_act_backward)(int kind, struct vec gate, struct vec up, struct vec dout, struct vec dgate, int add_gate, struct vec dup, int add_up, int64_t n,
                             int64_t from, int64_t to);
  // out = a + scale * b, b of nb elements repeating over a
  void (*add)(struct vec a, struct vec b, int64_t nb, float scale, struct vec out, int64_t from, int64_t to);
  void (*mul)(struct vec a, struct vec b, struct vec out, int64_t from, int64_t to);
  void (*scale)(struct vec x, float by, struct vec out, int add, int64_t from, int64_t to);
  float (*dot)(struct vec x, struct vec y, int64_t from, int64_t to);
  void (*layernorm)(struct vec x, struct vec w, struct vec b, float eps, struct vec out, float *mean, float *rstd, int64_t n, int64_t from, int64_t to);
  void (*rmsnorm)(struct vec x, struct vec w, float eps, struct vec out, float *rstd, int64_t n, int64_t from, int64_t to);
  // dw and db are sums over these rows, [n] floats that the caller has cleared; mean is NULL for RMSNorm
  void (*norm_backward)(struct vec x, struct vec w, const float *mean, const float *rstd, struct vec dout, struct vec dx, int add, float *dw, float *db, int64_t n,
                        int64_t from, int64_t to);
  void (*cross_entropy)(struct vec logits, const int32_t *labels, float *lse, float *loss, int64_t n, int64_t from, int64_t to);
  void (*cross_entropy_backward)(struct vec logits, const int32_t *labels, const float *lse, float scale, struct vec dlogits, int add, int64_t n, int64_t from, int64_t to);
  void (*log_softmax)(struct vec x, struct vec out, int64_t n, int64_t from, int64_t to);
  void (*rotary)(struct vec x, int64_t token, int64_t head, const int32_t *positions, const float *cosines, const float *sines, int64_t dims, float sign, int64_t heads,
                 int64_t tokens, int64_t batch_stride, int64_t from, int64_t to);
  // hyper is {lr, b1, b2, eps, decay, 1-b1^step, 1-b2^step}
  void (*adamw)(float *w, float *m, float *v, struct vec grad, float grad_scale, uint16_t *copy, const float *hyper, float decay, int64_t from, int64_t to);
  // columns [from,to) of the sum over rows
  void (*sum_rows)(struct vec x, struct vec out, int add, int64_t rows, int64_t from, int64_t to);
  void (*embedding)(struct vec table, const int32_t *ids, int64_t v, struct vec out, int add, int64_t n, int64_t from, int64_t to);
  // columns [from,to) of the table's gradient
  void (*embedding_backward)(const int32_t *ids, int64_t v, int64_t rows, struct vec dout, struct vec dtable, int64_t n, int64_t from, int64_t to);
  void (*convert)(struct vec from, int64_t from_at, struct vec to, int64_t to_at, int64_t n, int64_t from_step, int64_t to_step, int add);
  // rows of int8 weights as bf16
  void (*widen)(const int8_t *x, int64_t row, const float *scales, uint16_t *out, int64_t n, int64_t from, int64_t to);
  void (*normalize_pixels)(const uint8_t *x, struct vec out, const float *mean, const float *std, int64_t pixels, int64_t from, int64_t to);
};

#endif
