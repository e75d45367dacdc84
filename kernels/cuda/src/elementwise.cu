// Add, Mul, Fill, Clamp and ClampBackward; and the products with a scalar on the device that ScaleBy, TanhGate and
// their gradients are made of: kernels/ops_elementwise.go.
#include "include/tensor.cuh"

KERNEL(256) add(Vec a, Vec b, Vec out, float scale, i64 repeat, i64 n) {
  EACH(i, n) store(out, i, load(a, i) + scale * load(b, i % repeat));
}
EXPORT_KERNEL(add)

KERNEL(256) mul(Vec a, Vec b, Vec out, i64 n) {
  EACH(i, n) store(out, i, load(a, i) * load(b, i));
}
EXPORT_KERNEL(mul)

KERNEL(256) fill(Vec out, float value, i64 n) {
  EACH(i, n) store(out, i, value);
}
EXPORT_KERNEL(fill)

KERNEL(256) clamp(Vec x, Vec out, float low, float high, i64 n) {
  EACH(i, n) {
    float v = load(x, i);
    store(out, i, v < low ? low : v > high ? high : v); // NaN stays
  }
}
EXPORT_KERNEL(clamp)

KERNEL(256) clamp_backward(Vec x, Vec dout, Vec dx, int add, float low, float high, i64 n) {
  EACH(i, n) {
    float v = load(x, i);
    store_add(dx, i, v >= low && v <= high ? load(dout, i) : 0, add);
  }
}
EXPORT_KERNEL(clamp_backward)

// How a scalar acts.
enum { PLAIN, EXP, TANH_OF };
DEV float factor(int how, float s) { return how == EXP ? expf(s) : how == TANH_OF ? tanhf(s) : s; }

// out (+)= f(s) x
KERNEL(256) scale_by(Vec x, Vec s, int how, Vec out, int add, i64 n) {
  float by = factor(how, load(s, 0));
  EACH(i, n) store_add(out, i, by * load(x, i), add);
}
EXPORT_KERNEL(scale_by)

// out = x + f(s) y
KERNEL(256) add_scaled(Vec x, Vec y, Vec s, int how, Vec out, i64 n) {
  float by = factor(how, load(s, 0));
  EACH(i, n) store(out, i, load(x, i) + by * load(y, i));
}
EXPORT_KERNEL(add_scaled)
