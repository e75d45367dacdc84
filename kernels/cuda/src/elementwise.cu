// Add, Mul, Fill, Clamp and ClampBackward; and the products with a scalar on the device that ScaleBy, TanhGate and
// their gradients are made of: kernels/ops_elementwise.go.
#include "include/tensor.cuh"

// b is repeated: `repeat` elements over and over.
KERNEL(256) add(Vec a, Vec b, Vec out, float scale, i64 repeat, i64 n) {
  EACH8(i, n) {
    Eight v = load8(a, i, n), w;
    if (repeat % 8 == 0) w = load8(b, i % repeat, repeat);
    else EIGHT(j) w.v[j] = load(b, (i + j) % repeat);
    EIGHT(j) v.v[j] += scale * w.v[j];
    store8(out, i, n, v);
  }
}
EXPORT_KERNEL(add)

KERNEL(256) mul(Vec a, Vec b, Vec out, i64 n) {
  EACH8(i, n) {
    Eight v = load8(a, i, n), w = load8(b, i, n);
    EIGHT(j) v.v[j] *= w.v[j];
    store8(out, i, n, v);
  }
}
EXPORT_KERNEL(mul)

KERNEL(256) fill(Vec out, float value, i64 n) {
  Eight v;
  EIGHT(j) v.v[j] = value;
  EACH8(i, n) store8(out, i, n, v);
}
EXPORT_KERNEL(fill)

KERNEL(256) clamp(Vec x, Vec out, float low, float high, i64 n) {
  EACH8(i, n) {
    Eight v = load8(x, i, n);
    EIGHT(j) v.v[j] = v.v[j] < low ? low : v.v[j] > high ? high : v.v[j]; // NaN stays
    store8(out, i, n, v);
  }
}
EXPORT_KERNEL(clamp)

KERNEL(256) clamp_backward(Vec x, Vec dout, Vec dx, int add, float low, float high, i64 n) {
  EACH8(i, n) {
    Eight v = load8(x, i, n), d = load8(dout, i, n);
    EIGHT(j) d.v[j] = v.v[j] >= low && v.v[j] <= high ? d.v[j] : 0;
    store_add8(dx, i, n, d, add);
  }
}
EXPORT_KERNEL(clamp_backward)

// How a scalar acts.
enum { PLAIN, EXP, TANH_OF };
DEV float factor(int how, float s) { return how == EXP ? expf(s) : how == TANH_OF ? tanhf(s) : s; }

// out (+)= f(s) x
KERNEL(256) scale_by(Vec x, Vec s, int how, Vec out, int add, i64 n) {
  float by = factor(how, load(s, 0));
  EACH8(i, n) {
    Eight v = load8(x, i, n);
    EIGHT(j) v.v[j] *= by;
    store_add8(out, i, n, v, add);
  }
}
EXPORT_KERNEL(scale_by)

// out = x + f(s) y
KERNEL(256) add_scaled(Vec x, Vec y, Vec s, int how, Vec out, i64 n) {
  float by = factor(how, load(s, 0));
  EACH8(i, n) {
    Eight v = load8(x, i, n), w = load8(y, i, n);
    EIGHT(j) v.v[j] += by * w.v[j];
    store8(out, i, n, v);
  }
}
EXPORT_KERNEL(add_scaled)
